//! Who may do what: the pipeline and every command where IAM is enforced, each under exactly the
//! policy that the stack's template makes for it.
//!
//! One emulator and one stack for all of it; each test has a path of its own.

mod auditor;
mod deployer;
mod function;
mod never;
mod operator;
mod removed;
mod restorer;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_ssm::types::{ParameterTier, ParameterType, ResourceTypeForTagging, Tag};
use serde_json::Value as Json;
use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Control, Ministack, Options, sdk_config};
use ssmbak_tests::people::{Person, created};
use tokio::process::Command;
use tokio::sync::{OnceCell, RwLock};

use crate::world::{Answer, bare_command, mark, next_second, run};

const STACK: &str = "rights";
/// What every value holds that a test writes here.
const HUSH: &str = "hush";
/// A customer's key: unlike `aws/ssm`, whose own policy lets everybody use it, it takes a right.
const KEY: &str = "11111111-2222-3333-4444-555555555555";
const PATIENCE: Duration = Duration::from_mins(1);

/// Shared while events travel as ever; a test that holds them back is alone.
static EVENTS: RwLock<()> = RwLock::const_new(());

/// The emulator with the stack on it, and one person for each policy.
struct Stage {
    ministack: Ministack,
    outputs: BTreeMap<String, String>,
    auditor: Person,
    restorer: Person,
    operator: Person,
}

impl Stage {
    /// The one that all tests of this module share.
    async fn shared() -> &'static Self {
        static SHARED: OnceCell<Stage> = OnceCell::const_new();
        SHARED.get_or_init(Self::set).await
    }

    async fn set() -> Self {
        let options = Options {
            enforce_iam: true,
            ..Options::default()
        };
        let ministack = Ministack::start_with(&options).unwrap();
        let endpoint = ministack.endpoint();
        let outputs = deploy(&sdk_config(&endpoint, "test").await).await;
        let hire = async |role: &str| {
            let policy = &*outputs[&format!("{role}PolicyArn")];
            Person::hired(&endpoint, role, &[policy]).await.unwrap()
        };
        Self {
            auditor: hire("Auditor").await,
            restorer: hire("Restorer").await,
            operator: hire("Operator").await,
            ministack,
            outputs,
        }
    }

    fn control(&self) -> Control {
        self.ministack.control()
    }

    /// Clients of the emulator's administrator, whom nothing is refused.
    async fn administration(&self) -> SdkConfig {
        sdk_config(&self.ministack.endpoint(), "test").await
    }

    async fn administrator(&self, arguments: &[&str]) -> Answer {
        let mut command = command(arguments);
        command
            .env("AWS_ENDPOINT_URL", self.ministack.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", ssmbak_tests::emulator::REGION);
        run(command).await
    }

    /// The role that a function runs under, in the function's own session.
    async fn function(&self, output: &str) -> Person {
        let name = &self.outputs[output];
        let credentials = self.control().function_credentials(name).await.unwrap();
        Person::holding(&self.ministack.endpoint(), credentials)
    }

    async fn function_log(&self) -> Vec<String> {
        let group = &self.outputs["LogGroupName"];
        self.control().log_lines(group).await.unwrap()
    }

    fn bucket(&self) -> &str {
        &self.outputs["BucketName"]
    }

    fn table(&self) -> &str {
        &self.outputs["TableName"]
    }

    /// Waits until every event is captured; none may have been given up.
    async fn captured(&self) {
        if let Err(error) = self.control().wait_until_quiet(PATIENCE).await {
            panic!("{error}: {:#?}", self.function_log().await);
        }
        let queues = self.control().quiet().await.unwrap().queues;
        let dead = queues.iter().filter(|queue| queue.dead_letter);
        assert_eq!(dead.map(|queue| queue.ready).sum::<u32>(), 0);
    }
}

/// The stack as the template makes it; the command line cannot leave TLS out.
async fn deploy(config: &SdkConfig) -> BTreeMap<String, String> {
    let s3 = s3(config);
    s3.create_bucket().bucket("code").send().await.unwrap();
    let zip = ByteStream::from(std::fs::read(binaries::function_zip()).unwrap());
    let put = s3.put_object().bucket("code").key("function.zip").body(zip);
    put.send().await.unwrap();
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let parameters = [
        ("Architecture", architecture),
        ("CodeBucket", "code"),
        ("CodeKey", "function.zip"),
        ("EnforceTls", "false"),
    ];
    let parameters = parameters.map(|(key, value)| {
        let parameter = Parameter::builder().parameter_key(key);
        parameter.parameter_value(value).build()
    });
    let stacks = aws_sdk_cloudformation::Client::new(config);
    let create = stacks.create_stack().stack_name(STACK);
    let create = create.template_body(ssmbak_infra::template::body());
    let create = create.set_parameters(Some(parameters.to_vec()));
    let create = create.capabilities(Capability::CapabilityIam);
    create.send().await.unwrap();
    let stack = created(&stacks, STACK).await.unwrap();
    let outputs = stack.outputs.unwrap_or_default().into_iter();
    outputs
        .map(|o| (o.output_key.unwrap(), o.output_value.unwrap()))
        .collect()
}

pub(crate) fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The command line, which has to find the stack by its name.
fn command(arguments: &[&str]) -> Command {
    let mut command = bare_command(arguments);
    command.env("SSMBAK_STACK", STACK);
    command
}

/// Runs the command line as somebody.
async fn ssmbak(person: &Person, arguments: &[&str]) -> Answer {
    let mut command = command(arguments);
    command.envs(person.environment());
    run(command).await
}

/// That a call was refused for want of this right, and that the refusal says so.
pub(crate) fn refused<T, E, R>(answer: Result<T, SdkError<E, R>>, action: &str)
where
    SdkError<E, R>: ProvideErrorMetadata,
{
    let Err(error) = answer else {
        panic!("{action} was allowed");
    };
    let code = error.code().unwrap_or_default().to_owned();
    assert!(code.starts_with("AccessDenied"), "{action}: {code}");
    let told = error.message().unwrap_or_default();
    assert!(told.contains(&format!("{action} ")), "{action}: {told}");
}

/// Parameters under a path of one test's own, as they were at `at` and changed since:
/// each of them is to be restored, one of each kind.
struct Scene {
    path: String,
    at: String,
    ssm: aws_sdk_ssm::Client,
}

impl Scene {
    async fn set(stage: &Stage, path: &str) -> Self {
        let _events = EVENTS.read().await;
        let config = stage.administration().await;
        let scene = Self {
            path: path.to_owned(),
            at: String::new(),
            ssm: aws_sdk_ssm::Client::new(&config),
        };
        for leaf in ["gone", "name"] {
            scene.put(leaf, &format!("{HUSH}, {leaf} then")).await;
        }
        scene.put_secret("secret", &format!("{HUSH}, then")).await;
        scene.put_sealed("sealed", &format!("{HUSH}, then")).await;
        scene.tag("name", "team", "a").await;
        scene.put("name", &format!("{HUSH}, name then")).await;
        stage.captured().await;
        // From here on what has no record is known not to have been there.
        let seed = ["seed", path, "--do-it"];
        stage.administrator(&seed).await.exits(0);
        let at = mark().await.to_string();
        scene.put("new", &format!("{HUSH}, new")).await;
        scene.put_secret("secret", &format!("{HUSH}, now")).await;
        scene.put_sealed("sealed", &format!("{HUSH}, now")).await;
        scene.tag("name", "team", "b").await;
        scene.tag("name", "extra", "x").await;
        scene.put("name", &format!("{HUSH}, name now")).await;
        scene.delete("gone").await;
        next_second().await;
        stage.captured().await;
        Self { at, ..scene }
    }

    async fn delete(&self, leaf: &str) {
        let delete = self.ssm.delete_parameter().name(self.name(leaf));
        delete.send().await.unwrap();
    }

    /// Writes two versions and deletes a parameter while no event travels, lets `heal` find them,
    /// and returns its answer with the history that it left, as JSON.
    async fn unheard<T>(&self, stage: &Stage, heal: impl Future<Output = T>) -> (T, Json) {
        let _alone = EVENTS.write().await;
        stage.control().hold(true).await.unwrap();
        self.put("late", &format!("{HUSH}, late")).await;
        self.put_secret("secret", &format!("{HUSH}, late")).await;
        self.delete("new").await;
        let healed = heal.await;
        let history = ["history", &self.path, "-R", "--output", "json"];
        let history = stage.administrator(&history).await;
        // Only now: a deletion that an event tells hides the one that was observed.
        stage.control().hold(false).await.unwrap();
        stage.control().release(false).await.unwrap();
        stage.captured().await;
        (healed, history.exits(0).json())
    }

    fn name(&self, leaf: &str) -> String {
        format!("{}{leaf}", self.path)
    }

    async fn put(&self, leaf: &str, value: &str) {
        let put = self.ssm.put_parameter().name(self.name(leaf)).value(value);
        let put = put.r#type(ParameterType::String).overwrite(true);
        put.send().await.unwrap();
    }

    async fn put_secret(&self, leaf: &str, value: &str) {
        self.put_under_key(leaf, value, ParameterTier::Standard)
            .await;
    }

    /// A secret that takes another right of its key: for the advanced tier a data key is made.
    async fn put_sealed(&self, leaf: &str, value: &str) {
        self.put_under_key(leaf, value, ParameterTier::Advanced)
            .await;
    }

    async fn put_under_key(&self, leaf: &str, value: &str, tier: ParameterTier) {
        let put = self.ssm.put_parameter().name(self.name(leaf)).value(value);
        let put = put.r#type(ParameterType::SecureString).key_id(KEY);
        put.tier(tier).overwrite(true).send().await.unwrap();
    }

    async fn tag(&self, leaf: &str, key: &str, value: &str) {
        let tag = Tag::builder().key(key).value(value).build().unwrap();
        let add = self.ssm.add_tags_to_resource().tags(tag);
        let add = add.resource_type(ResourceTypeForTagging::Parameter);
        add.resource_id(self.name(leaf)).send().await.unwrap();
    }

    async fn tags(&self, leaf: &str) -> BTreeMap<String, String> {
        let list = self.ssm.list_tags_for_resource();
        let list = list.resource_type(ResourceTypeForTagging::Parameter);
        let answer = list.resource_id(self.name(leaf)).send().await.unwrap();
        let tags = answer.tag_list.unwrap_or_default().into_iter();
        tags.map(|tag| (tag.key, tag.value)).collect()
    }

    /// What lives under the path: each name with its version and value.
    async fn live(&self) -> Vec<(String, i64, String)> {
        let get = self.ssm.get_parameters_by_path().path(&self.path);
        let get = get.recursive(true).with_decryption(true);
        let answer = get.send().await.unwrap().parameters.unwrap_or_default();
        let mut live: Vec<_> = answer
            .into_iter()
            .map(|p| (p.name.unwrap(), p.version, p.value.unwrap()))
            .collect();
        live.sort();
        live
    }
}
