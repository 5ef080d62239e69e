//! The function captures everything under its own role, and can do nothing else.

use serde_json::json;
use ssmbak_tests::runtime_api::Function;

use super::{EVENTS, HUSH, STACK, Scene, Stage};
use crate::world::bootstrap;

#[tokio::test]
async fn every_kind_of_change_is_captured_under_the_functions_role() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/function/").await;
    {
        let _events = EVENTS.read().await;
        let label = scene.ssm.label_parameter_version().labels("live");
        let label = label.name(scene.name("name"));
        label.send().await.unwrap();
        stage.captured().await;
    }
    let history = ["history", &scene.path, "-R", "--output", "json"];
    let rows = stage.administrator(&history).await.exits(0).json();
    let told = |operation: &str| {
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["Operation"] == operation).count()
    };
    let operations = ["Create", "Update", "Delete", "LabelParameterVersion"];
    assert_eq!(operations.map(told), [5, 4, 1, 1], "{rows}");
    let stored = rows.as_array().unwrap().iter();
    assert!(
        stored.clone().all(|row| row["ValueState"] != "lost"),
        "{rows}"
    );
    let secret = ["show", &scene.name("secret"), &scene.at, "--reveal"];
    let secret = stage.administrator(&secret).await.exits(0);
    assert_eq!(secret.stdout, format!("{HUSH}, then"));

    let log = stage.function_log().await;
    assert!(log.iter().any(|line| line.contains(&scene.path)), "{log:?}");
    for line in log {
        for bad in ["AccessDenied", "not authorized", HUSH] {
            assert!(!line.contains(bad), "{line}");
        }
    }
}

#[tokio::test]
async fn a_reconciliation_works_under_the_functions_role() {
    let stage = Stage::shared().await;
    let scene = Scene::set(stage, "/reconciled/").await;
    let function = Function::new(bootstrap(), &stage.ministack.endpoint()).unwrap();
    let reconciler = stage.function("ReconcileFunctionName").await;
    let environment = reconciler.environment().into_iter();
    let function = environment.fold(function, |f, (name, value)| f.env(name, &value));
    let function = function
        .env("SSMBAK_BUCKET", stage.bucket())
        .env("SSMBAK_TABLE", stage.table())
        .env("SSMBAK_STACK", STACK);
    let task = json!({"task": "reconcile", "path": scene.path});
    let (answer, rows) = scene.unheard(stage, function.invoke(&task)).await;
    let answer = answer.unwrap().response().unwrap();
    assert_eq!(answer["versions"], 2, "{answer}");
    let found = rows.as_array().unwrap().iter();
    let found = found.filter(|row| row["Source"] == "reconcile");
    assert_eq!(found.count(), 3, "{rows}");
}
