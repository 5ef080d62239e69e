//! 2, 4, 5: whatever goes wrong at whatever call of a capture, what is on record in the end is what
//! would be without it.

use ssmbak_tests::disturbed::capture::{Change, Went, all_captured, calls_of, reconciled_under};
use ssmbak_tests::disturbed::{Strike, at_each_call, of_kind};
use ssmbak_tests::proxy::Fault;

use super::place;

/// Each change under strikes at each of its calls: so many kinds of fault a call.
async fn under_faults(changes: &[Change], kinds_a_call: usize) -> Went {
    let place = place().await;
    let way = place.way().unwrap();
    let mut strikes = Vec::new();
    for change in changes {
        let (_, calls) = calls_of(&way, "/calls/", *change).await.unwrap();
        assert!((7..40).contains(&calls.len()), "{change:?}: {calls:?}");
        strikes.push((*change, Strike::Nothing));
        let of_calls = at_each_call(&calls, kinds_a_call);
        strikes.extend(of_calls.into_iter().map(|strike| (*change, strike)));
    }
    let went = all_captured(&place, "/struck/", &strikes).await.unwrap();
    let (struck, planned): (usize, _) = (went.struck.values().sum(), strikes.len());
    println!(
        "{changes:?}: {planned} captures, {struck} struck: {:?}",
        went.struck
    );
    assert_eq!(went.right, planned);
    // What is asked to warm a connection was never there: there is no other answer to give.
    assert!(struck + 2 * changes.len() >= planned, "{:?}", went.struck);
    went
}

#[tokio::test]
async fn an_update_and_a_deletion_are_captured_right_whatever_goes_wrong_at_any_call() {
    let went = under_faults(&[Change::Update, Change::Delete], usize::MAX).await;
    assert_eq!(went.struck.len(), Fault::ALL.len(), "{:?}", went.struck);
}

#[tokio::test]
async fn every_other_change_is_captured_right_with_one_fault_at_any_call() {
    let others = [Change::Create, Change::Burst, Change::Label, Change::Tags];
    under_faults(&others, 2).await;
}

#[tokio::test]
async fn what_goes_on_being_wrong_fails_the_message_and_is_captured_when_it_comes_again() {
    let place = place().await;
    let way = place.way().unwrap();
    let mut strikes = Vec::new();
    for (change, fault) in [
        (Change::Update, Fault::HungUpAfterWork),
        (Change::Delete, Fault::BrokenAfterWork),
    ] {
        let (_, calls) = calls_of(&way, "/calls/", change).await.unwrap();
        strikes.push((change, Strike::Nothing));
        let lasting = (1..=calls.len()).map(|call| Strike::Lasting(fault, call));
        strikes.extend(lasting.map(|strike| (change, strike)));
    }
    let went = all_captured(&place, "/lasting/", &strikes).await.unwrap();
    assert_eq!(went.right, strikes.len());
    let most: usize = went.struck.values().sum();
    assert!(most > strikes.len() * 3, "{:?}", went.struck);
}

#[tokio::test]
async fn a_label_and_tags_survive_a_death_at_any_call() {
    let place = place().await;
    let way = place.way().unwrap();
    let mut strikes = Vec::new();
    let mut deaths = 0;
    for change in [Change::Label, Change::Tags] {
        let (_, calls) = calls_of(&way, "/calls/", change).await.unwrap();
        strikes.push((change, Strike::Nothing));
        deaths += calls.len();
        let calls = (1..=calls.len()).map(Strike::Death);
        strikes.extend(calls.map(|strike| (change, strike)));
    }
    let went = all_captured(&place, "/deaths/", &strikes).await.unwrap();
    assert_eq!(went.right, strikes.len());
    assert!(went.killed * 10 > deaths * 8, "{}", went.killed);
}

#[tokio::test]
async fn a_reconciliation_survives_a_death_and_a_fault_at_any_call() {
    let place = place().await;
    let way = place.way().unwrap();
    let calls = reconciled_under(&way, "/r/none/", &Strike::Nothing).await;
    let calls = calls.unwrap();
    assert!((15..60).contains(&calls.len()), "{calls:?}");
    let deaths = (1..=calls.len()).map(Strike::Death);
    let faults = at_each_call(&calls, 1).into_iter().step_by(3);
    let pages = of_kind(Fault::EmptyPage, &calls);
    let strikes: Vec<Strike> = deaths.chain(faults).chain(pages).collect();
    let share = strikes.len().div_ceil(6);
    let workers = strikes
        .chunks(share)
        .enumerate()
        .map(async |(worker, mine)| {
            let way = place.way().unwrap();
            let mut struck = 0;
            for (number, strike) in mine.iter().enumerate() {
                let path = format!("/r/{worker}-{number:02}/");
                let calls = reconciled_under(&way, &path, strike).await;
                calls.unwrap();
                struck += way.proxy.killed().len() + way.proxy.struck().len();
            }
            struck
        });
    let struck = futures_util::future::join_all(workers).await;
    let struck: usize = struck.into_iter().sum();
    println!("a reconciliation: {struck} of {} struck", strikes.len());
    assert!(struck * 10 > strikes.len() * 7);
}
