use super::*;
use crate::fixtures::name;

fn args(do_it: bool) -> ImportArgs {
    ImportArgs {
        from_bucket: "old".into(),
        prefix: "/".into(),
        from_profile: None,
        from_region: None,
        do_it,
    }
}

fn report() -> ImportReport {
    let imported = |versions, deletions| ImportedName {
        name: name("/a"),
        versions,
        deletions,
        from: None,
        to: None,
        failure: None,
    };
    ImportReport {
        names: 3,
        imported: vec![imported(2, 1), imported(5, 0)],
        already: 4,
        ..ImportReport::default()
    }
}

#[test]
fn the_summary_tells_what_was_done_or_would_be() {
    assert_eq!(
        summary(&args(false), &report()),
        "old: 3 parameters, 7 versions and 1 deletions to import, 4 already on record"
    );
    assert_eq!(
        summary(&args(true), &report()),
        "old: 3 parameters, 7 versions and 1 deletions imported, 4 already on record"
    );
}

#[test]
fn what_was_left_out_is_told_only_where_there_is_any() {
    assert!(notes(&report()).is_empty());
    let told = notes(&ImportReport {
        superseded: 1,
        foreign: 2,
        ..report()
    });
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("1 versions left out: the original stored a later"));
    assert!(told[1].starts_with("2 versions left out: they do not have"));
}
