//! The deployer makes, changes and takes away the stack of one name, and reads no value.

use serde_json::Value as Json;
use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Ministack, Options, sdk_config};
use ssmbak_tests::people::Person;

use super::{HUSH, refused, s3};
use crate::world::{Answer, bare_command, run};

pub(super) const STACK: &str = "Made-1";

async fn ssmbak(person: &Person, arguments: &[&str]) -> Answer {
    let mut command = bare_command(arguments);
    command.envs(person.environment());
    run(command).await
}

/// The policies as the command line prints them to somebody who has no right at all, where no stack
/// stands yet.
pub(super) async fn printed(endpoint: &str) -> Vec<Json> {
    let nobody = Person::hired(endpoint, "nobody", &[]).await.unwrap();
    let mut documents = Vec::new();
    for half in ["deployer", "deployer-access"] {
        let answer = ssmbak(&nobody, &["stack", STACK, "policy", half]).await;
        documents.push(answer.exits(0).json());
    }
    documents
}

#[tokio::test]
async fn a_deployer_creates_updates_deletes_and_adopts_and_reads_no_value() {
    let options = Options {
        enforce_iam: true,
        ..Options::default()
    };
    let ministack = Ministack::start_with(&options).unwrap();
    let endpoint = ministack.endpoint();
    let policies = printed(&endpoint).await;
    let deployer = Person::hired_under(&endpoint, "Deployer", &policies)
        .await
        .unwrap();
    let zip = binaries::function_zip();
    let zip = ["--function-zip", zip.to_str().unwrap()];
    let create = [&["stack", STACK, "create", "--enforce-tls=false"], &zip[..]].concat();
    let created = ssmbak(&deployer, &create).await.exits(0);
    assert!(created.stdout.contains("CREATE_COMPLETE"), "{created:?}");
    for told in [
        "status",
        "resources",
        "bucketname",
        "tablename",
        "lambdaname",
        "region",
    ] {
        ssmbak(&deployer, &["stack", STACK, told]).await.exits(0);
    }
    let update = [
        "stack",
        STACK,
        "update",
        "--log-retention-days",
        "7",
        "--yes",
    ];
    ssmbak(&deployer, &[&update[..], &zip[..]].concat())
        .await
        .exits(0);

    // The stack works: what is written now is on record.
    let admin = sdk_config(&endpoint, "test").await;
    let put = aws_sdk_ssm::Client::new(&admin).put_parameter();
    let put = put.name("/app/db").value(HUSH).r#type("String".into());
    put.send().await.unwrap();
    ministack
        .control()
        .wait_until_quiet(super::PATIENCE)
        .await
        .unwrap();
    refuse_values(&deployer).await;

    let one = async |verb: &str| {
        let answer = ssmbak(&deployer, &["stack", STACK, verb]).await.exits(0);
        answer.stdout.trim().to_owned()
    };
    let (bucket, table) = (one("bucketname").await, one("tablename").await);
    ssmbak(&deployer, &["stack", STACK, "delete", "--yes"])
        .await
        .exits(0);
    let kept = ["--bucket", &bucket, "--table", &table];
    let adopted = ssmbak(&deployer, &[&create[..], &kept].concat())
        .await
        .exits(0);
    // Whether another stack uses them could be asked.
    assert!(!adopted.stderr.contains("warning"), "{adopted:?}");
    assert_eq!(one("bucketname").await, bucket);

    // Whether any stack uses a bucket may be asked; to make one of another name takes other rights.
    let stacks = aws_sdk_cloudformation::Client::new(&deployer.config().await);
    let all = stacks.describe_stacks().send().await.unwrap();
    assert!(all.stacks().len() > 1, "{all:?}");
    let other = [&["stack", "other", "create"], &zip[..]].concat();
    let other = ssmbak(&deployer, &other).await.exits(1);
    assert!(
        other.stderr.contains("cloudformation:CreateStack"),
        "{other:?}"
    );
    let events = stacks.describe_stack_events().stack_name("nobody");
    refused(events.send().await, "cloudformation:DescribeStackEvents");
}

/// What the deployer may not do though they made the stack.
async fn refuse_values(deployer: &Person) {
    let revealed = ["preview", "/", "now", "-R", "--all", "--reveal"];
    for (arguments, action) in [
        (&["show", "/app/db"][..], "ssm:GetParameterHistory"),
        (&revealed, "ssm:GetParameters"),
        (&["seed", "/app/", "--do-it"], "s3:PutObject"),
    ] {
        let arguments = [arguments, &["--stack", STACK]].concat();
        let answer = ssmbak(deployer, &arguments).await;
        assert_ne!(answer.code, 0, "{answer:?}");
        assert!(!format!("{answer:?}").contains(HUSH), "{answer:?}");
        assert!(answer.stderr.contains(action), "{answer:?}");
    }
    let config = deployer.config().await;
    let bucket = ssmbak(deployer, &["stack", STACK, "bucketname"])
        .await
        .exits(0);
    let bucket = bucket.stdout.trim();
    let get = s3(&config).get_object().bucket(bucket).key("/app/db");
    refused(get.send().await, "s3:GetObject");
    let delete = s3(&config).delete_object().bucket(bucket).key("/app/db");
    refused(delete.send().await, "s3:DeleteObject");
    let ssm = aws_sdk_ssm::Client::new(&config);
    let read = ssm.get_parameter().name("/app/db");
    refused(read.send().await, "ssm:GetParameter");
    let write = ssm
        .put_parameter()
        .name("/app/db")
        .value("x")
        .overwrite(true);
    refused(write.send().await, "ssm:PutParameter");
}
