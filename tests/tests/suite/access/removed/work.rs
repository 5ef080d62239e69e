//! What the roles do: pieces of work that together need every right, each on a scene of its own.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use serde_json::{Value as Json, json};
use ssmbak_tests::events::{batch_of_events, failed_messages, parameter_event};
use ssmbak_tests::people::Person;
use ssmbak_tests::runtime_api::{Function, Outcome};

use crate::access::{HUSH, KEY, STACK, Scene, Stage, command, s3, ssmbak};
use crate::world::{bootstrap, mark, next_second, now, run};

/// A piece of work of somebody, or of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// What changed is read.
    History,
    /// The stack is asked how it does.
    Status,
    /// A secret is read that is gone.
    Show,
    /// A secret is read as it lives.
    ShowLive,
    /// Everything is put back, what nobody heard of captured first.
    Restore,
    /// Versions that nobody heard of are captured.
    Seed,
    /// So is a deletion.
    SeedDeletion,
    /// So are records that only the journal has.
    SeedJournalled,
    /// So are versions beside one whose key is gone.
    SeedSealed,
    /// The journal is looked through.
    Rebuild,
    /// Values are compared with the record.
    Verify,
    /// Dead letters are put back.
    Redrive,
    /// They are looked at.
    RedriveDry,
    /// The function hears of new versions.
    Captures,
    /// Of a deletion.
    CapturesDeletion,
    /// Of what the journal has already.
    CapturesJournalled,
    /// Of versions beside one whose key is gone.
    CapturesSealed,
    /// Of what somebody has hidden in the bucket.
    CapturesHidden,
    /// The function is tried.
    Checks,
    /// The function compares what lives with what is on record.
    Reconciles,
    /// The same of versions beside one whose key is gone.
    ReconcilesSealed,
}

/// How it went.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) well: bool,
    pub(super) told: String,
}

impl Work {
    /// Sets the scene and does it as `person`; `unique` is this attempt's.
    pub(super) async fn done_by(self, stage: &Stage, person: &Person, unique: &str) -> Ended {
        let path = format!("/removed/{unique}/");
        let scene = Scene {
            path: path.clone(),
            at: String::new(),
            ssm: aws_sdk_ssm::Client::new(&stage.administration().await),
        };
        match self {
            Self::History => typed(person, &["history", &path, "-R"]).await,
            Self::Status => {
                // With --output json what could not be read is told beside what could.
                typed(person, &["stack", STACK, "status", "--output", "json"]).await
            }
            Self::Show => {
                let at = seeded(stage, &scene).await;
                // What Parameter Store still retains is read from there.
                scene.delete("secret").await;
                let show = ["show", &scene.name("secret"), &at, "--reveal"];
                typed(person, &show).await
            }
            Self::ShowLive => {
                scene.put_secret("secret", HUSH).await;
                seed(stage, &scene).await;
                typed(person, &["show", &scene.name("secret"), "--reveal"]).await
            }
            Self::Restore => {
                let at = changed_since(stage, &scene).await;
                let restore = ["restore", &path, &at, "-R", "--yes", "--labels"];
                typed(person, &restore).await
            }
            Self::Rebuild => typed(person, &["rebuild"]).await,
            Self::Verify => {
                seeded(stage, &scene).await;
                typed(person, &["verify", &path]).await
            }
            Self::Seed | Self::SeedDeletion | Self::SeedJournalled | Self::SeedSealed => {
                self.set(stage, &scene).await;
                typed(person, &["seed", &path, "--do-it"]).await
            }
            Self::Redrive => redriven(stage, person, &[]).await,
            Self::RedriveDry => redriven(stage, person, &["--dry-run"]).await,
            Self::Captures
            | Self::CapturesDeletion
            | Self::CapturesJournalled
            | Self::CapturesHidden
            | Self::CapturesSealed => {
                let events = self.set(stage, &scene).await;
                invoked(stage, person, &batch_of_events(&events)).await
            }
            Self::Checks => invoked(stage, person, &json!({"task": "check"})).await,
            Self::ReconcilesSealed => {
                self.set(stage, &scene).await;
                invoked(stage, person, &json!({"task": "reconcile", "path": path})).await
            }
            Self::Reconciles => {
                changed_since(stage, &scene).await;
                invoked(stage, person, &json!({"task": "reconcile", "path": path})).await
            }
        }
    }

    /// What nobody heard of yet; returns the events that would tell.
    async fn set(self, stage: &Stage, scene: &Scene) -> Vec<Json> {
        let event = |leaf: &str, operation| {
            let name = scene.name(leaf);
            parameter_event(&name, operation, now().millis())
        };
        match self {
            Self::SeedDeletion | Self::CapturesDeletion => {
                seeded(stage, scene).await;
                scene.delete("gone").await;
                let told = event("gone", "Delete");
                next_second().await;
                vec![told]
            }
            Self::SeedJournalled | Self::CapturesJournalled => {
                scene.put("name", HUSH).await;
                let told = event("name", "Create");
                seed(stage, scene).await;
                forget(stage, scene, "name").await;
                vec![told]
            }
            Self::CapturesHidden => {
                scene.put("name", HUSH).await;
                let told = event("name", "Create");
                seed(stage, scene).await;
                let hide = s3(&stage.administration().await).delete_object();
                let hide = hide.bucket(stage.bucket()).key(scene.name("name"));
                hide.send().await.unwrap();
                vec![told]
            }
            Self::SeedSealed | Self::CapturesSealed | Self::ReconcilesSealed => {
                let locked = format!("alias/gone-{}", scene.path.replace('/', "-"));
                put_under(scene, &locked).await;
                scene.put_secret("locked", HUSH).await;
                stage.control().lose_key(&locked).await.unwrap();
                vec![event("locked", "Create")]
            }
            Self::History
            | Self::Status
            | Self::Show
            | Self::ShowLive
            | Self::Restore
            | Self::Seed
            | Self::Rebuild
            | Self::Verify
            | Self::Redrive
            | Self::RedriveDry
            | Self::Captures
            | Self::Checks
            | Self::Reconciles => {
                scene.put("name", HUSH).await;
                scene.put_secret("secret", HUSH).await;
                vec![event("name", "Create"), event("secret", "Create")]
            }
        }
    }
}

async fn typed(person: &Person, words: &[&str]) -> Ended {
    let answer = ssmbak(person, words).await;
    Ended {
        // What may not be read of a stack is no failure, and told.
        well: answer.code == 0 && !answer.stdout.contains("not allowed"),
        told: format!("{}\n{}", answer.stdout, answer.stderr),
    }
}

/// The function, in the session of somebody who has its role's rights.
async fn invoked(stage: &Stage, person: &Person, input: &Json) -> Ended {
    let function = Function::new(bootstrap(), &stage.ministack.endpoint()).unwrap();
    let environment = person.environment().into_iter();
    let function = environment.fold(function, |f, (name, value)| f.env(name, &value));
    let function = function
        .env("SSMBAK_BUCKET", stage.bucket())
        .env("SSMBAK_TABLE", stage.table())
        .env("SSMBAK_STACK", STACK);
    let outcome = function.invoke(input).await.unwrap().outcome;
    let well = match &outcome {
        Outcome::Response(answer) => failed_messages(answer).is_empty(),
        Outcome::Error(_) | Outcome::Died(_) | Outcome::TimedOut => false,
    };
    let told = format!("{outcome:?}\n{}", whole_log(&function).await);
    Ended { well, told }
}

/// What the function logged; a batch ends with its metrics, which may come after the answer.
async fn whole_log(function: &Function) -> String {
    let is_metrics = |line: &String| line.contains("CloudWatchMetrics");
    for _ in 0..200 {
        if function.logs().iter().any(is_metrics) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    function.stop().await;
    function.logs().join("\n")
}

async fn seed(stage: &Stage, scene: &Scene) {
    let seed = ["seed", &scene.path, "--do-it"];
    stage.administrator(&seed).await.exits(0);
}

/// One of each kind, on record; returns an instant since when nothing has changed.
async fn seeded(stage: &Stage, scene: &Scene) -> String {
    for leaf in ["name", "gone"] {
        scene.put(leaf, &format!("{HUSH}, {leaf} then")).await;
    }
    scene.put_secret("secret", &format!("{HUSH}, then")).await;
    scene.put_sealed("sealed", &format!("{HUSH}, then")).await;
    scene.tag("name", "team", "a").await;
    label(scene, 1).await;
    seed(stage, scene).await;
    mark().await.to_string()
}

/// The same, and each of them has changed since, which nobody heard of.
async fn changed_since(stage: &Stage, scene: &Scene) -> String {
    let at = seeded(stage, scene).await;
    scene.put("new", &format!("{HUSH}, new")).await;
    scene.put_secret("secret", &format!("{HUSH}, now")).await;
    scene.put_sealed("sealed", &format!("{HUSH}, now")).await;
    scene.put("name", &format!("{HUSH}, name now")).await;
    scene.tag("name", "team", "b").await;
    scene.tag("name", "extra", "x").await;
    label(scene, 2).await;
    scene.delete("gone").await;
    next_second().await;
    at
}

async fn label(scene: &Scene, version: i64) {
    let label = scene.ssm.label_parameter_version().name(scene.name("name"));
    let label = label.labels("live").parameter_version(version);
    label.send().await.unwrap();
}

/// Takes a name's rows out of the index; its journal stays.
async fn forget(stage: &Stage, scene: &Scene, leaf: &str) {
    let table = aws_sdk_dynamodb::Client::new(&stage.administration().await);
    let name = scene.name(leaf);
    let own = table.query().table_name(stage.table());
    let own = own.key_condition_expression("#s = :s");
    let own = own.expression_attribute_names("#s", "scope");
    let own = own.expression_attribute_values(":s", AttributeValue::S(name.clone()));
    let own = own.send().await.unwrap().items.unwrap_or_default();
    let mut keys: Vec<HashMap<String, AttributeValue>> = own
        .into_iter()
        .map(|mut row| {
            ["scope", "entry"]
                .map(|field| (field.to_owned(), row.remove(field).unwrap()))
                .into()
        })
        .collect();
    assert!(!keys.is_empty(), "{name} is not on record");
    let head = [("scope", "@names"), ("entry", &*name)];
    let head = head.map(|(field, text)| (field.to_owned(), AttributeValue::S(text.into())));
    keys.push(head.into());
    for key in keys {
        let delete = table.delete_item().table_name(stage.table());
        delete.set_key(Some(key)).send().await.unwrap();
    }
}

/// A first version under a key of its own.
async fn put_under(scene: &Scene, key: &str) {
    let put = scene.ssm.put_parameter().name(scene.name("locked"));
    let put = put.value(HUSH).r#type(ParameterType::SecureString);
    let put = put.key_id(key).tier(ParameterTier::Standard);
    put.send().await.unwrap();
    assert_ne!(key, KEY);
}

/// Puts back what lies in both queues: one message each.
async fn redriven(stage: &Stage, person: &Person, more: &[&str]) -> Ended {
    // There are only these two queues, and several people at once.
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _alone = ONE_AT_A_TIME.lock().await;
    let sqs = aws_sdk_sqs::Client::new(&stage.administration().await);
    let event = json!({"id": "dead-1", "time": "2026-11-20T10:23:30Z",
                       "detail-type": "Parameter Store Policy Action",
                       "detail": {"parameter-name": "/dead/nobody"}});
    for queue in ["DeadLetterQueueUrl", "RuleDeadLetterQueueUrl"] {
        let url = &stage.outputs[queue];
        sqs.purge_queue().queue_url(url).send().await.unwrap();
        let send = sqs.send_message().queue_url(url);
        send.message_body(event.to_string()).send().await.unwrap();
    }
    let mut command = command(&[&["stack", STACK, "redrive"], more].concat());
    command.envs(person.environment());
    let answer = run(command).await;
    Ended {
        well: answer.code == 0,
        told: format!("{}\n{}", answer.stdout, answer.stderr),
    }
}
