//! Secrets planted where calls are refused, lost, cut off and killed.

use serde_json::json;
use ssmbak_tests::emulator::Ministack;
use ssmbak_tests::events::parameter_event;
use ssmbak_tests::proxy::{ApiError, Disturbance, Faults, Proxy, When};
use ssmbak_tests::runtime_api::Outcome;

use super::planted::{Person, Planted, files_hold_none, planted_tree, talkative};
use super::put;
use crate::world::{Answer, World};

/// What the function answers to what is no event, with a secret in each.
async fn nonsense(world: &World, secret: &str) -> Vec<String> {
    let mut told = vec![];
    for wrong in [
        json!({"Records": secret}),
        json!({"Records": [{"messageId": secret, "body": {"value": secret}}]}),
        json!({"Records": [{"messageId": "1", "body": secret}, {"messageId": "2"}]}),
        json!({"Records": [{"messageId": "1", "body": json!({"detail": {"value": secret}}).to_string()}]}),
        json!({"task": secret}),
        json!({"task": "reconcile", "path": secret}),
        json!([secret]),
    ] {
        let outcome = world.function.invoke(&wrong).await.unwrap().outcome;
        assert!(
            !matches!(outcome, Outcome::Died(_) | Outcome::TimedOut),
            "{outcome:?}"
        );
        told.push(format!("{outcome:?}"));
    }
    told
}

#[tokio::test]
async fn no_trouble_of_the_function_tells_a_planted_secret() {
    let mut planted = Planted::default();
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = talkative(&mut planted, &proxy).await;
    planted_tree(&world, &mut planted).await;
    let key = &format!("alias/planted-{}", world.account);
    let event = async |name: &str| {
        let mut event = parameter_event(name, "Update", world.written(name).await.millis());
        event["detail"]["value"] = planted.secrets[2].as_str().into();
        event
    };
    // Refused, lost after it was done, cut off, and killed, at each service in turn.
    for operation in [
        "ssm:GetParameterHistory",
        "s3:PutObject",
        "dynamodb:Query",
        "dynamodb:TransactWriteItems",
    ] {
        for disturbance in [
            Disturbance::answer(ApiError::internal()).when(When::AfterWork),
            Disturbance::answer(ApiError::new(400, "AccessDeniedException", "no")),
            Disturbance::answer(ApiError::new(400, "ThrottlingException", "slow")),
            Disturbance::hang_up(),
            Disturbance::kill(),
        ] {
            put(&world, "/sec/hidden", &planted.secrets[2], Some(key)).await;
            proxy.disturb(disturbance.on(operation).times(2));
            let batch = ssmbak_tests::events::batch_of_events(&[event("/sec/hidden").await]);
            let _ = world.function.invoke(&batch).await.unwrap();
            proxy.disarm();
            assert_eq!(world.deliver(&[event("/sec/hidden").await]).await, 0);
        }
    }
    for seed in 0..4 {
        proxy.inject(Faults::random(seed, 200));
        put(&world, "/sec/new", &planted.secrets[3], Some(key)).await;
        world.deliver(&[event("/sec/new").await]).await;
    }
    proxy.calm();
    let control = world.control();
    control.deny_key(key, true).await.unwrap();
    assert_eq!(
        world
            .deliver(&[parameter_event("/sec/hidden", "Update", 0)])
            .await,
        1
    );
    control.lose_key(key).await.unwrap();
    world.deliver(&[event("/sec/new").await]).await;
    control.deny_key(key, false).await.unwrap();

    let told = nonsense(&world, &planted.secrets[2]).await;
    planted
        .all()
        .finds_nothing_in("an answer", &told.join("\n"));
    let log = world.function.logs().join("\n");
    for met in ["AccessDenied", "cannot be understood", "captured", "_aws"] {
        assert!(log.contains(met), "{met}: {log}");
    }
    planted.not_kept(&world).await;
}

/// Each command with what it met.
type Met = Vec<(String, Answer)>;

/// A refusal repeats what it was sent, as AWS does for a pattern.
async fn refused_writes(person: &Person<'_>, proxy: &Proxy, planted: &Planted, at: &str) -> Met {
    let mut met = Met::new();
    for (name, value) in [
        ("hidden", &planted.secrets[2]),
        ("turned", &planted.secrets[3]),
        ("gone", &planted.secrets[4]),
        ("plain", &planted.values[0]),
    ] {
        for code in [
            "ParameterPatternMismatchException",
            "TooManyUpdates",
            "ValidationException",
        ] {
            let told = format!("cannot take {value}, nor \"{value}\" nor {value}");
            let refusal = Disturbance::answer(ApiError::new(400, code, &told));
            proxy.disturb(refusal.on("ssm:PutParameter").times(3));
            let one = format!("restore /sec/{name} {at} --yes --debug");
            met.push((format!("{name} {code}"), person.runs(&one).await));
            proxy.disarm();
            // As it was before: there is work for the next.
            met.push(undone(person).await);
        }
    }
    met
}

async fn undone(person: &Person<'_>) -> (String, Answer) {
    let answer = person.runs("undo --yes --force --debug").await;
    ("undo".into(), answer)
}

/// A restore under refusals and answers that were lost, and under faults by chance.
async fn disturbed(person: &Person<'_>, proxy: &Proxy, restore: &str) -> Met {
    let mut met = Met::new();
    for operation in [
        "ssm:DeleteParameters",
        "ssm:GetParameterHistory",
        "s3:GetObject",
        "dynamodb:Query",
    ] {
        for error in [
            ApiError::new(400, "AccessDeniedException", "no"),
            ApiError::internal(),
        ] {
            let after = Disturbance::answer(error).when(When::AfterWork);
            proxy.disturb(after.on(operation).times(4));
            met.push((operation.into(), person.runs(restore).await));
            proxy.disarm();
            met.push(undone(person).await);
        }
    }
    for seed in 0..4 {
        proxy.inject(Faults::random(seed, 150));
        met.push((format!("faults {seed}"), person.runs(restore).await));
        met.push(undone(person).await);
        proxy.calm();
    }
    met
}

/// Files that are none, with a secret in each.
async fn broken_files(person: &Person<'_>, exported: &str, secret: &str) -> Met {
    let mut met = Met::new();
    let broken = tempfile::NamedTempFile::new().unwrap();
    let path = broken.path().to_str().unwrap();
    let whole = std::fs::read_to_string(exported).unwrap();
    assert!(whole.contains(secret), "what is exported is there");
    for text in [
        &whole[..whole.len() / 2],
        &whole.replace("\"Value\":", "\"Value\" "),
        &format!("{whole}{secret}"),
    ] {
        std::fs::write(path, text).unwrap();
        for option in ["--plan", "--from"] {
            let words = format!("restore {option} {path} --yes --debug");
            met.push((words.clone(), person.runs(&words).await.exits(2)));
        }
    }
    std::fs::write(path, format!("stack = \"{secret}")).unwrap();
    let configured = [("SSMBAK_CONFIG", path)];
    let answer = person.world.ssmbak_with(&configured, &["history", "/"]);
    met.push(("config".into(), answer.await.exits(2)));
    met
}

#[tokio::test]
async fn no_trouble_of_a_command_tells_a_planted_secret() {
    let mut planted = Planted::default();
    let proxy = Proxy::start(&Ministack::shared().endpoint()).unwrap();
    let world = talkative(&mut planted, &proxy).await;
    let at = planted_tree(&world, &mut planted).await;
    let person = Person::new(&world, &mut planted);
    let key = &format!("alias/planted-{}", world.account);
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str| directory.path().join(name).display().to_string();
    let (plan, exported) = (of("plan"), of("exported"));
    let saved = format!("preview /sec/ {at} -R --plan {plan}");
    person.runs(&saved).await.exits(0);
    let export = format!("export /sec/ {at} -R --reveal --to {exported}");
    person.runs(&export).await.exits(0);

    let restore = format!("restore /sec/ {at} -R --yes --debug");
    let mut met = refused_writes(&person, &proxy, &planted, &at).await;
    met.extend(disturbed(&person, &proxy, &restore).await);
    // What moved since the plan, and what is denied.
    put(&world, "/sec/hidden", &planted.secrets[2], Some(key)).await;
    let moved = format!("restore --plan {plan} --yes --debug");
    met.push((moved.clone(), person.runs(&moved).await));
    world.control().deny_key(key, true).await.unwrap();
    for words in [
        restore.as_str(),
        "seed /sec/ --do-it --debug",
        "copy /sec/ -R --to-path /c/ --yes --debug",
    ] {
        met.push((words.into(), person.runs(words).await));
    }
    world.control().deny_key(key, false).await.unwrap();
    met.extend(broken_files(&person, &exported, &planted.secrets[2]).await);
    for (what, answer) in &met {
        planted.not_told(what, answer);
    }
    let failed = met.iter().filter(|(_, answer)| answer.code != 0).count();
    assert!(failed > 20, "hardly any trouble: {failed} of {}", met.len());
    planted.not_kept(&world).await;
    let temporary = person.temporary.path();
    assert_eq!(files_hold_none(&planted.all(), temporary), 0);
}
