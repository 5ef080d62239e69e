use super::*;
use crate::fixtures as given;

#[test]
fn the_question_lists_deletions_in_full_and_counts_writes() {
    let plan = given::plan(vec![
        given::updated("/app/a", "String", "old"),
        given::created("/app/b", "old"),
        given::deleted("/app/c"),
        given::unchanged("/app/d"),
    ]);
    assert_eq!(
        question(&plan, &Origin::Record),
        "delete /app/c\n\
         Write 2 parameters and delete 1, so that it is as it was at \
         2024-06-15T17:56:58.999Z?"
    );
}

#[test]
fn the_question_is_about_what_there_is_to_do() {
    let write = given::plan(vec![given::created("/app/b", "old")]);
    assert!(question(&write, &Origin::Record).starts_with("Write 1 parameter, so"));
    let delete = given::plan(vec![given::deleted("/app/c"), given::deleted("/app/e")]);
    assert!(question(&delete, &Origin::Record).contains("\nDelete 2 parameters, so"));
}

#[test]
fn the_question_about_another_place_says_from_where_to_where() {
    let mut write = given::plan(vec![given::created("/staging/b", "old")]);
    write.target = ssmbak_core::domain::Target::parse("/staging/", true).unwrap();
    let origin = Origin::Elsewhere {
        target: "/app/".into(),
        region: Some("eu-west-1".into()),
        account: None,
    };
    assert_eq!(
        question(&write, &origin),
        "Write 1 parameter to /staging/, as /app/ was at 2024-06-15T17:56:58.999Z?"
    );
}

#[test]
fn where_nobody_can_be_asked_every_deletion_is_told_by_name() {
    let plan = given::plan(vec![
        given::updated("/app/a", "String", "old"),
        given::deleted("/app/c"),
        given::deleted("/app/e"),
    ]);
    assert_eq!(deletions(&plan), ["delete /app/c", "delete /app/e"]);
    let again = Again::of(&Origin::Record);
    assert_eq!(again.look(&Origin::Record).as_deref(), Some("preview"));
    // Only the command itself shows what a saved plan says.
    assert_eq!(again.look(&Origin::Plan), None);
}
