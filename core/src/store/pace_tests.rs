//! A limit as AWS has it, and callers who wait for their answers, in simulated time.

use super::*;

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(20);
/// How long it takes where somebody is in the way.
const SLOW: Duration = Duration::from_millis(90);
const SECOND: f64 = 1.0;

/// Lets calls through as they are earned.
struct Limit {
    a_second: f64,
    most: f64,
    left: f64,
    filled: Duration,
}

impl Limit {
    fn new(a_second: f64, burst: f64) -> Self {
        Self {
            a_second,
            most: burst,
            left: burst,
            filled: Duration::ZERO,
        }
    }

    fn lets_through(&mut self, now: Duration) -> bool {
        let earned = now.saturating_sub(self.filled).as_secs_f64() * self.a_second;
        self.filled = now;
        self.left = (self.left + earned).min(self.most);
        let lets = self.left >= 1.0;
        self.left -= f64::from(u8::from(lets));
        lets
    }
}

#[derive(Debug)]
struct Run {
    seconds: f64,
    throttled: usize,
}

/// An answer that is on its way: when it comes, when its call was sent, how it was.
type Answer = (Duration, Duration, bool);

/// Makes `calls` calls from `at_once` callers, each as soon as it is its turn.
fn run(
    learned: &mut Learned,
    limit: &mut Limit,
    calls: usize,
    at_once: usize,
    from: Duration,
) -> Run {
    let (mut now, mut left, mut throttled) = (from, calls, 0);
    let mut waiting = at_once.min(calls);
    let mut begun = waiting;
    let mut answers: Vec<Answer> = Vec::new();
    let mut random = fastrand::Rng::with_seed(7);
    while left > 0 {
        if waiting > 0 && learned.wait(now).is_zero() {
            waiting -= 1;
            let takes = if random.u8(..).is_multiple_of(16) {
                SLOW
            } else {
                LATENCY
            };
            answers.push((now + takes, now, limit.lets_through(now)));
            continue;
        }
        let turn = (waiting > 0).then_some(learned.next);
        let answer = answers.iter().map(|(comes, ..)| *comes).min();
        let Some(then) = [turn, answer].into_iter().flatten().min() else {
            panic!("nobody waits for anything");
        };
        now = now.max(then);
        let (come, others) = answers.into_iter().partition(|(comes, ..)| *comes <= now);
        answers = others;
        let come: Vec<Answer> = come;
        for (_, sent, was_let_through) in come {
            if was_let_through {
                learned.let_through();
                left -= 1;
                if begun < calls {
                    begun += 1;
                    waiting += 1;
                }
            } else {
                throttled += 1;
                learned.throttled(sent, now, random.f64());
                waiting += 1;
            }
        }
    }
    Run {
        seconds: now.saturating_sub(from).as_secs_f64(),
        throttled,
    }
}

fn fresh(a_second: f64, burst: f64, calls: usize, at_once: usize) -> Run {
    let mut limit = Limit::new(a_second, burst);
    run(
        &mut Learned::default(),
        &mut limit,
        calls,
        at_once,
        Duration::ZERO,
    )
}

#[test]
fn writes_take_hardly_longer_than_the_limit_leaves() {
    for (a_second, calls) in [(3.0, 60), (3.0, 200), (10.0, 60), (10.0, 200)] {
        let run = fresh(a_second, 1.0, calls, 1);
        let least = f64::from(u32::try_from(calls).unwrap() - 1) / a_second;
        assert!(
            run.seconds <= least * 1.10 + LATENCY.as_secs_f64(),
            "{run:?}, {least} s"
        );
        assert!(run.throttled < calls / 2, "{run:?}");
    }
}

#[test]
fn callers_who_share_a_limit_use_it_up() {
    for (a_second, burst, calls, at_once) in [(40.0, 40.0, 1_000, 8), (5.0, 20.0, 200, 1)] {
        let run = fresh(a_second, burst, calls, at_once);
        let least = (f64::from(u32::try_from(calls).unwrap()) - burst) / a_second;
        assert!(run.seconds <= least * 1.10, "{run:?}, {least} s");
        assert!(run.throttled < calls / 2, "{run:?}");
    }
}

#[test]
fn what_is_never_throttled_never_waits() {
    let mut learned = Learned::default();
    let mut limit = Limit::new(1e9, 1e9);
    let run = run(&mut learned, &mut limit, 1_000, 1, Duration::ZERO);
    assert_eq!((run.throttled, learned.space), (0, None));
    assert!(learned.next <= Duration::from_secs_f64(run.seconds));
}

#[test]
fn a_limit_that_rises_is_found_out_and_so_is_one_that_falls() {
    let mut learned = Learned::default();
    let mut slow = Limit::new(3.0, 1.0);
    let first = run(&mut learned, &mut slow, 30, 1, Duration::ZERO);
    let mut now = Duration::from_secs_f64(first.seconds);
    for (a_second, most) in [(10.0, 2.0), (3.0, 1.1)] {
        let mut limit = Limit::new(a_second, 1.0);
        limit.filled = now;
        let run = run(&mut learned, &mut limit, 100, 1, now);
        let least = 100.0 / a_second;
        assert!(run.seconds <= least * most + SECOND, "{a_second}: {run:?}");
        now += Duration::from_secs_f64(run.seconds);
    }
}

#[test]
fn those_that_were_sent_together_slow_it_down_once() {
    let ms = Duration::from_millis;
    let mut learned = Learned::default();
    for _ in 0..8 {
        assert!(learned.wait(ms(0)).is_zero());
    }
    learned.throttled(ms(0), ms(20), 0.0);
    let once = learned;
    for _ in 0..7 {
        learned.throttled(ms(0), ms(20), 0.0);
    }
    assert_eq!(learned, once);
}
