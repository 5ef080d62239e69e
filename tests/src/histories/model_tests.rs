//! What the naive model promises, on histories short enough to be seen through.

use super::*;

fn name() -> Name {
    Name::parse("/m/a").unwrap()
}

fn at(ms: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + ms)
}

fn version(number: u64, ms: i64) -> Version {
    Version {
        number,
        at: at(ms),
        value: format!("v{number}@{ms}"),
        kind: Kind::String,
        description: None,
        description_sent: Description::Keep,
        tier: Tier::Standard,
    }
}

fn change(ms: i64, what: What) -> Change {
    Change {
        at: at(ms),
        name: name(),
        spelled: "/m/a".into(),
        what,
    }
}

fn written(number: u64, ms: i64) -> Change {
    change(ms, What::Written(version(number, ms)))
}

fn present(number: u64, ms: i64) -> Answer {
    Answer::Present(version(number, ms))
}

/// Listed at 0, then created at 1,100, updated at 1,500 and deleted at 5,300.
fn life() -> Model {
    let mut model = Model::default();
    model.listed(at(0));
    model.happened(written(1, 1_100));
    model.happened(written(2, 1_500));
    model.happened(change(5_300, What::Deleted));
    model
}

fn right(model: &Model, ms: i64) -> Vec<Answer> {
    model.right(&name(), at(ms))
}

#[test]
fn what_was_looked_at_in_time_has_one_right_answer_at_every_instant() {
    let mut model = life();
    model.announced(1, at(2_999));
    model.announced(0, at(3_999));
    model.announced(2, at(60_999));
    assert_eq!(right(&model, 1_099), [Answer::Absent]);
    assert_eq!(right(&model, 1_100), [present(1, 1_100)]);
    assert_eq!(right(&model, 1_499), [present(1, 1_100)]);
    assert_eq!(right(&model, 1_500), [present(2, 1_500)]);
    assert_eq!(right(&model, 5_998), [present(2, 1_500)]);
    assert_eq!(right(&model, 5_999), [Answer::Absent]);
}

#[test]
fn before_coverage_nobody_knows() {
    let mut model = life();
    model.announced(1, at(2_999));
    model.announced(0, at(3_999));
    model.announced(2, at(60_999));
    assert_eq!(right(&model, -1), [Answer::Unknown]);
}

#[test]
fn first_seen_at_a_later_version_is_never_absent_before() {
    let mut model = Model::default();
    model.happened(change(-9_000, What::Written(version(6, -9_000))));
    model.listed(at(0));
    model.happened(written(7, 1_000));
    model.announced(1, at(2_999));
    assert_eq!(right(&model, -9_001), [Answer::Unknown]);
    assert_eq!(right(&model, -9_000), [present(6, -9_000)]);
}

#[test]
fn what_was_gone_before_anyone_looked_is_lost_or_itself() {
    let mut model = life();
    for index in 0..3 {
        model.announced(index, at(9_999));
    }
    let second = at(1_000);
    let lost = Answer::Lost { second };
    assert_eq!(right(&model, 1_500), [present(2, 1_500), lost.clone()]);
    assert_eq!(right(&model, 5_999), [Answer::Absent]);
    // Its event tells only the second.
    assert!(right(&model, 1_050).contains(&lost));
}

#[test]
fn an_unannounced_deletion_shows_at_the_next_listing() {
    let mut model = life();
    model.announced(0, at(3_999));
    model.announced(1, at(3_999));
    model.listed(at(20_000));
    let either = [Answer::Absent, present(2, 1_500)];
    assert_eq!(right(&model, 5_999), either);
    assert_eq!(right(&model, 19_999), either);
    assert_eq!(right(&model, 20_000), [Answer::Absent]);
}

#[test]
fn a_missed_change_makes_what_came_before_the_first_record_unsure() {
    let mut model = life();
    model.announced(0, at(3_999));
    model.announced(1, at(3_999));
    assert_eq!(right(&model, 1_099), [Answer::Absent, Answer::Unknown]);
    model.announced(2, at(60_999));
    assert_eq!(right(&model, 1_099), [Answer::Absent]);
}

#[test]
fn a_hundred_newer_versions_push_one_out() {
    let mut model = Model::default();
    for number in 1..=101 {
        let ms = i64::try_from(number).unwrap() * 1_000;
        model.happened(change(ms, What::Written(version(number, ms))));
    }
    model.looked(&name(), at(200_000));
    assert_eq!(right(&model, 2_000), [present(2, 2_000)]);
    assert!(right(&model, 1_000).len() > 1);
}

#[test]
fn labels_and_tags_are_those_of_the_end_of_their_second() {
    let mut model = life();
    let tags = Tags::from([("team".into(), "a".into())]);
    let label = "prod".to_owned();
    model
        .changes
        .insert(2, change(3_200, What::Tagged(tags.clone())));
    let moved = What::Labelled {
        label: label.clone(),
        from: None,
        to: 2,
    };
    model.changes.insert(3, change(3_300, moved));
    assert_eq!(model.tags(&name(), at(3_998)), Tags::new());
    assert_eq!(model.tags(&name(), at(3_999)), tags);
    assert_eq!(model.labels(&name(), 2, at(3_998)), BTreeSet::new());
    assert_eq!(model.labels(&name(), 2, at(3_999)), BTreeSet::from([label]));
    assert_eq!(model.labels(&name(), 1, at(3_999)), BTreeSet::new());
    assert_eq!(model.tags(&name(), at(5_999)), Tags::new());
}

#[test]
fn tags_are_exact_only_where_each_change_was_told_before_the_next() {
    let mut model = Model::default();
    model.listed(at(0));
    model.happened(written(1, 1_000));
    let tags = Tags::from([("team".into(), "a".into())]);
    model.happened(change(9_000, What::Tagged(tags.clone())));
    let right = |model: &Model| model.right_tags(&name(), &version(1, 1_000), at(2_000));
    let (mut late, mut prompt) = (model.clone(), model);
    prompt.announced(0, at(3_999));
    prompt.announced(1, at(12_999));
    assert_eq!(right(&prompt), [Some(Tags::new())]);
    late.announced(0, at(10_999));
    late.announced(1, at(12_999));
    assert!(right(&late).contains(&Some(tags)));
}

#[test]
fn a_look_that_was_stale_proves_nothing_but_a_deletion() {
    let mut model = life();
    model.announced_blindly(0, at(2_999));
    model.announced_blindly(2, at(9_999));
    assert!(!model.is_announced(0));
    assert_eq!(right(&model, 5_999), [Answer::Absent]);
    assert!(right(&model, 1_500).contains(&Answer::Unknown));
}
