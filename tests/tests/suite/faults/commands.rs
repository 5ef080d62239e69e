//! 5, 8, 11: whatever goes wrong at whatever call of a command, and wherever it is killed: what it
//! tells of each parameter is true, nothing is written twice, and the same command again completes it.

use ssmbak_tests::disturbed::capture::Went;
use ssmbak_tests::disturbed::commands::{all_done, run_under};
use ssmbak_tests::disturbed::{Strike, Task, at_each_call, of_kind};
use ssmbak_tests::proxy::Fault;

use super::place;

async fn done(task: Task, strikes: impl Fn(&[String]) -> Vec<Strike>) -> (Went, usize) {
    let place = place().await;
    let way = place.way().unwrap();
    let calls = run_under(&way, task, "/calls/", &Strike::Nothing).await;
    let calls = calls.unwrap();
    let strikes = strikes(&calls);
    let went = all_done(&place, task, "/struck/", &strikes).await.unwrap();
    let struck: usize = went.struck.values().sum();
    println!(
        "{task:?}: {} calls, {} runs, {} killed, {struck} struck: {:?}",
        calls.len(),
        strikes.len(),
        went.killed,
        went.struck
    );
    assert_eq!(went.right, strikes.len());
    // Calls that do not wait for one another come in another order each time.
    assert!((struck + went.killed) * 10 >= strikes.len() * 3);
    (went, calls.len())
}

/// With one fault at each `step`th call.
async fn under_faults(task: Task, step: usize) {
    let strikes = |calls: &[String]| at_each_call(calls, 1).into_iter().step_by(step).collect();
    done(task, strikes).await;
}

/// Killed after each `step`th call.
async fn under_deaths(task: Task, step: usize) {
    let strikes = |calls: &[String]| {
        let calls = (1..=calls.len()).map(Strike::Death);
        calls.step_by(step).collect()
    };
    done(task, strikes).await;
}

#[tokio::test]
async fn a_restore_tells_the_truth_and_is_completed_whatever_goes_wrong_at_any_call() {
    under_faults(Task::Restore, 1).await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_never_done_twice() {
    let writes = ["ssm:PutParameter", "ssm:DeleteParameters"];
    let strikes = |calls: &[String]| {
        let written = calls.iter().enumerate();
        let written = written.filter(|(_, call)| writes.contains(&call.as_str()));
        let nth: Vec<usize> = written.map(|(index, _)| index + 1).collect();
        assert!(nth.len() >= 3, "{calls:?}");
        let all = |nth: usize| Fault::ALL.map(|fault| (fault, nth));
        let all = nth.into_iter().flat_map(all);
        let possible = all.filter(|(fault, _)| fault.concerns("ssm:PutParameter"));
        possible
            .flat_map(|(fault, nth)| [Strike::Once(fault, nth), Strike::Lasting(fault, nth)])
            .filter(|strike| {
                !matches!(
                    strike,
                    Strike::Lasting(Fault::Throttled | Fault::Delayed, _)
                )
            })
            .collect()
    };
    done(Task::Restore, strikes).await;
}

#[tokio::test]
#[ignore = "it waits for the clients' own time-outs: a minute"]
async fn a_write_that_really_times_out_is_never_done_twice() {
    let writes = ["ssm:PutParameter", "ssm:DeleteParameters"];
    let strikes = |calls: &[String]| {
        let written = calls.iter().enumerate();
        let written = written.filter(|(_, call)| writes.contains(&call.as_str()));
        written
            .map(|(index, _)| Strike::TimeOut(index + 1))
            .collect()
    };
    done(Task::Restore, strikes).await;
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_no_end() {
    for task in [
        Task::Restore,
        Task::Seed,
        Task::Heal,
        Task::Rebuild,
        Task::Import,
    ] {
        done(task, |calls| of_kind(Fault::EmptyPage, calls)).await;
    }
}

/// The SDK reads XML as far as it goes: a listing that breaks off is no shorter one.
#[tokio::test]
async fn a_listing_that_breaks_off_is_no_end() {
    for task in [Task::Rebuild, Task::Import] {
        let cut = |calls: &[String]| {
            let mut listings: Vec<&String> = calls.iter().filter(|c| c.contains(":List")).collect();
            listings.sort();
            listings.dedup();
            assert!(!listings.is_empty(), "{calls:?}");
            let of = |listing: &&String| {
                let times = calls.iter().filter(|call| call == listing).count();
                let listing = (*listing).clone();
                (1..=times)
                    .map(move |nth| Strike::LastingOf(Fault::CutDocument, listing.clone(), nth))
            };
            listings.iter().flat_map(of).collect()
        };
        done(task, cut).await;
    }
}

#[tokio::test]
async fn a_stale_read_seeds_nothing_wrong() {
    done(Task::Seed, |calls| of_kind(Fault::Stale, calls)).await;
}

#[tokio::test]
async fn a_stale_read_restores_nothing_wrong() {
    done(Task::Restore, |calls| of_kind(Fault::Stale, calls)).await;
}

/// Not of one name alone, whose history is all that is asked of Parameter Store: what that showed a
/// moment ago is what lives, as far as anybody can tell (decisions.md, known limits).
#[tokio::test]
async fn a_stale_read_misleads_no_other_command_of_a_path() {
    for task in [
        Task::Undo,
        Task::Copy,
        Task::Heal,
        Task::Export,
        Task::PlanFile,
    ] {
        done(task, |calls| of_kind(Fault::Stale, calls)).await;
    }
}

/// However long it lasts: what is listed and never found is told, and nobody claims to know it.
#[tokio::test]
async fn what_is_listed_and_stays_unseen_is_told_and_never_passed_over() {
    for task in [Task::Restore, Task::Seed] {
        let unseen = |calls: &[String]| {
            let history = "ssm:GetParameterHistory".to_owned();
            let looks = calls.iter().filter(|call| **call == history).count();
            assert!(looks > 0, "{calls:?}");
            let lasting = |nth| Strike::LastingOf(Fault::Stale, history.clone(), nth);
            (1..=looks).map(lasting).collect()
        };
        done(task, unseen).await;
    }
}

#[tokio::test]
async fn an_undo_tells_the_truth_and_is_completed_whatever_goes_wrong() {
    under_faults(Task::Undo, 3).await;
}

#[tokio::test]
async fn a_recreation_tells_the_truth_and_is_completed_whatever_goes_wrong() {
    under_faults(Task::Recreate, 2).await;
}

#[tokio::test]
async fn a_copy_tells_the_truth_and_is_completed_whatever_goes_wrong() {
    under_faults(Task::Copy, 2).await;
}

#[tokio::test]
async fn a_seed_and_an_import_are_completed_whatever_goes_wrong() {
    under_faults(Task::Seed, 1).await;
    under_faults(Task::Import, 2).await;
}

#[tokio::test]
async fn a_healing_and_a_rebuild_are_completed_whatever_goes_wrong() {
    under_faults(Task::Heal, 2).await;
    under_faults(Task::Rebuild, 2).await;
}

#[tokio::test]
async fn an_undo_and_a_recreation_survive_a_death_at_any_call() {
    under_deaths(Task::Undo, 3).await;
    under_deaths(Task::Recreate, 2).await;
}

#[tokio::test]
async fn a_copy_and_a_healing_survive_a_death_at_any_call() {
    under_deaths(Task::Copy, 2).await;
    under_deaths(Task::Heal, 3).await;
}

#[tokio::test]
async fn whoever_dies_before_a_file_is_whole_leaves_none() {
    under_deaths(Task::Export, 3).await;
    under_deaths(Task::PlanFile, 3).await;
    under_faults(Task::Export, 4).await;
    under_faults(Task::PlanFile, 4).await;
}

/// Every kind of fault at every call, and every death, of every command: for the long run.
#[tokio::test]
#[ignore = "the whole product takes long"]
async fn every_command_is_completed_whatever_goes_wrong_at_any_call() {
    for task in Task::ALL {
        let strikes = |calls: &[String]| {
            let deaths = (1..=calls.len()).map(Strike::Death);
            deaths.chain(at_each_call(calls, usize::MAX)).collect()
        };
        done(task, strikes).await;
    }
}
