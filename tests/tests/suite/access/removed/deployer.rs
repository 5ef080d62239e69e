//! The deployer's rights: those that the command line itself asks for are taken away in turn. What
//! CloudFormation does in its caller's name no emulator judges.

use ssmbak_tests::binaries;
use ssmbak_tests::emulator::{Ministack, Options, sdk_config};
use ssmbak_tests::people::Person;
use tokio::process::Command;

use super::Attempt;
use super::grants::{Right, What, rights, without};
use super::needs::Told::{self, Around, Named};
use super::work::Ended;
use crate::access::{deployer, s3};
use crate::world::{bare_command, run};

const STACK: &str = deployer::STACK;

/// What a deployer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// The first stack of an account is made, with the bucket for its zip.
    First,
    /// A stack is made where the zip lies already.
    Create,
    /// It is asked how it does.
    Status,
    /// It is looked what would change.
    Look,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
    /// One is made that goes on with what was kept.
    Adopt,
}
use Deed::{Adopt, Create, Delete, First, Look, Status, Update};

/// In the order in which they are tried: first without a stack, then with one, then after it.
const NEEDS: &[(&str, Deed, Told)] = &[
    ("Zip s3:CreateBucket", First, Named),
    ("Zip s3:PutBucketPublicAccessBlock", First, Named),
    ("Zip s3:PutBucketVersioning", First, Named),
    ("Zip s3:PutEncryptionConfiguration", First, Named),
    ("Zip s3:PutObject", First, Named),
    ("Zip s3:GetObject", Create, Named),
    ("Zip s3:ListBucket", Create, Named),
    ("Stack cloudformation:CreateStack", Create, Named),
    ("Stacks cloudformation:DescribeStacks", Create, Named),
    ("Functions lambda:InvokeFunction", Create, Named),
    ("Stack cloudformation:DescribeStackResources", Status, Named),
    ("ReadAlarms cloudwatch:DescribeAlarms", Status, Named),
    ("Queues sqs:GetQueueAttributes", Status, Named),
    ("Stack cloudformation:CreateChangeSet", Update, Named),
    ("Stack cloudformation:DescribeChangeSet", Update, Named),
    ("Stack cloudformation:ExecuteChangeSet", Update, Named),
    ("Stack cloudformation:GetTemplate", Update, Named),
    ("Stack cloudformation:DeleteChangeSet", Look, Named),
    ("Stack cloudformation:DescribeStackEvents", Delete, Named),
    ("Stack cloudformation:DeleteStack", Delete, Named),
    ("Bucket s3:ListBucket", Adopt, Named),
    ("Bucket s3:GetBucketVersioning", Adopt, Named),
    ("Bucket s3:GetEncryptionConfiguration", Adopt, Named),
    ("Bucket s3:GetBucketPolicy", Adopt, Named),
    ("Bucket s3:GetBucketPublicAccessBlock", Adopt, Named),
    ("Table dynamodb:DescribeTable", Adopt, Named),
    ("Table dynamodb:GetItem", Adopt, Named),
    ("Table dynamodb:Query", Adopt, Around),
];

/// For how long a log can be kept.
const KEPT_DAYS: &[&str] = &["1", "3", "5", "7", "14", "30", "60"];

/// An emulator of its own, and what stands on it.
struct Site {
    ministack: Ministack,
    /// Bucket and table of the last stack that was deleted.
    kept: Option<(String, String)>,
    /// How many commands there were.
    updates: usize,
}

#[tokio::test]
async fn each_right_that_a_deployer_asks_for_is_needed() {
    let options = Options {
        enforce_iam: true,
        ..Options::default()
    };
    let mut site = Site {
        ministack: Ministack::start_with(&options).unwrap(),
        kept: None,
        updates: 0,
    };
    let policies = deployer::printed(&site.ministack.endpoint()).await;
    let all = rights(&policies);
    let asked = |right: &&Right| NEEDS.iter().any(|(row, _, _)| right.is_meant(row));
    let is_action = |right: &&Right| matches!(right.what, What::Action(_));
    let untold = all.iter().filter(is_action).filter(|one| !asked(one));
    let untold: Vec<&Right> = untold.collect();
    let mut wrong = Vec::new();
    let mut number = 0;
    for deed in [First, Create, Status, Look, Update, Delete, Adopt] {
        // Without all that no row is for, everything works.
        let held = without(&policies, &untold);
        let attempt = site.attempt(deed, &held, &format!("whole-{deed:?}")).await;
        if !attempt.ended.well || !attempt.refused.is_empty() {
            wrong.push(format!(
                "{deed:?} asks for more than has a row: {attempt:?}"
            ));
        }
        for (row, _, told) in NEEDS.iter().filter(|(_, of, _)| *of == deed) {
            let Some(right) = all.iter().find(|right| right.is_meant(row)) else {
                wrong.push(format!("{row} is no longer granted: its row can go"));
                continue;
            };
            number += 1;
            let left = without(&policies, &[right]);
            let attempt = site
                .attempt(deed, &left, &format!("lacking-{number}"))
                .await;
            wrong.extend(attempt.fault(right, &policies, *told));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

impl Site {
    async fn attempt(&mut self, deed: Deed, policies: &[serde_json::Value], who: &str) -> Attempt {
        self.set(deed).await;
        self.updates += 1;
        let endpoint = self.ministack.endpoint();
        let person = Person::hired_under(&endpoint, who, policies).await.unwrap();
        let mut command = self.command(deed);
        command.envs(person.environment());
        let answer = run(command).await;
        let control = self.ministack.control();
        let refused = control.refused(person.access_key()).await.unwrap();
        let ended = Ended {
            well: answer.code == 0 && !answer.stdout.contains("not allowed"),
            told: format!("{}\n{}", answer.stdout, answer.stderr),
        };
        Attempt { ended, refused }
    }

    fn command(&self, deed: Deed) -> Command {
        let zip = binaries::function_zip();
        let zip = ["--function-zip", zip.to_str().unwrap()];
        let create = ["stack", STACK, "create", "--enforce-tls=false"];
        match deed {
            First | Create => bare_command(&[&create[..], &zip].concat()),
            Status => bare_command(&["stack", STACK, "status", "--output", "json"]),
            Look | Update => {
                // Others each time, so that there is something to be changed.
                let days = KEPT_DAYS[self.updates % KEPT_DAYS.len()];
                let how = if deed == Look { "--dry-run" } else { "--yes" };
                let update = ["stack", STACK, "update", "--log-retention-days", days, how];
                bare_command(&[&update[..], &zip].concat())
            }
            Delete => bare_command(&["stack", STACK, "delete", "--yes"]),
            Adopt => {
                let (bucket, table) = self.kept.as_ref().unwrap();
                let kept = ["--bucket", bucket, "--table", table];
                bare_command(&[&create[..], &zip, &kept].concat())
            }
        }
    }

    /// What the deed begins with, made by the administrator.
    async fn set(&mut self, deed: Deed) {
        let stands = self
            .administrator(&["stack", STACK, "bucketname"])
            .await
            .is_some();
        match deed {
            First | Create | Adopt if stands => self.delete().await,
            Status | Look | Update | Delete if !stands => self.create().await,
            First | Create | Adopt | Status | Look | Update | Delete => {}
        }
        if deed == Adopt && self.kept.is_none() {
            self.create().await;
            self.delete().await;
        }
        if deed == First {
            self.forget_zips().await;
        }
    }

    async fn create(&mut self) {
        let zip = binaries::function_zip();
        let create = ["stack", STACK, "create", "--enforce-tls=false"];
        let zip = ["--function-zip", zip.to_str().unwrap()];
        let made = self.administrator(&[&create[..], &zip].concat()).await;
        made.expect("the administrator makes a stack");
    }

    async fn delete(&mut self) {
        let bucket = self.administrator(&["stack", STACK, "bucketname"]).await;
        let table = self.administrator(&["stack", STACK, "tablename"]).await;
        let deleted = self
            .administrator(&["stack", STACK, "delete", "--yes"])
            .await;
        deleted.expect("the administrator deletes a stack");
        self.kept = bucket.zip(table);
    }

    /// What a command of the administrator's tells; none if it fails.
    async fn administrator(&self, words: &[&str]) -> Option<String> {
        let mut command = bare_command(words);
        command
            .env("AWS_ENDPOINT_URL", self.ministack.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", ssmbak_tests::emulator::REGION);
        let answer = run(command).await;
        (answer.code == 0).then(|| answer.stdout.trim().to_owned())
    }

    /// Takes the bucket of the zips away, with all that is in it.
    async fn forget_zips(&self) {
        let s3 = s3(&sdk_config(&self.ministack.endpoint(), "test").await);
        let buckets = s3.list_buckets().send().await.unwrap();
        let names = buckets.buckets().iter().filter_map(|one| one.name());
        for bucket in names.filter(|name| name.starts_with("ssmbak-artifacts-")) {
            let held = s3
                .list_object_versions()
                .bucket(bucket)
                .send()
                .await
                .unwrap();
            for one in held.versions() {
                let delete = s3.delete_object().bucket(bucket);
                let delete = delete.set_key(one.key.clone());
                let delete = delete.set_version_id(one.version_id.clone());
                delete.send().await.unwrap();
            }
            s3.delete_bucket().bucket(bucket).send().await.unwrap();
        }
    }
}
