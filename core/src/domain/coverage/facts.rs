//! What the facts of a path, all of them together, say about its coverage.
//!
//! A fact says what the intervals were made from and what they are after it.
//! They are a plain chain, and the newest counts: a fact stands at a key that
//! what it was made from decides, so nobody can write a second one beside it.
//! Of those made from nothing there may be more: the table was lost and its
//! coverage begun anew, or two began at once. Of older programs' facts, which
//! each had a key of its own, two made from the same intervals mean that one of
//! two writers died.

use std::collections::BTreeSet;

use super::Interval;
use crate::domain::instant::Instant;
use crate::domain::keys;
use crate::domain::name::Path;
use crate::domain::record::sha256_hex;

/// The key of the one fact that can follow these intervals; none where there are none yet: each
/// fact that begins stands at a key of its own.
///
/// Invariant: coverage never comes back to intervals that it had before, since what confirmed or
/// ended them stays in them. So whoever finds a fact there is too late, and goes on from that one.
pub fn key_after(path: &Path, before: &[Interval]) -> Option<String> {
    let dated = before.last()?.confirmed;
    Some(keys::coverage_fact_key(path, dated, &fingerprint(before)))
}

/// A fact without its intervals: memory must not grow with how many facts
/// there are times how many intervals each repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where the fact is.
    pub key: String,
    /// When it was made.
    pub finished: Instant,
    before: String,
    after: String,
}

impl Link {
    /// The link of the fact at `key`.
    pub fn new(key: String, finished: Instant, before: &[Interval], after: &[Interval]) -> Self {
        Self {
            key,
            finished,
            before: fingerprint(before),
            after: fingerprint(after),
        }
    }
}

/// Puts links in order of time. Of those of the same millisecond, one follows
/// whose intervals it was made from: one reconciliation may write two.
pub fn in_order(links: &mut [Link]) {
    links.sort_by_key(|link| link.finished);
    for place in 0..links.len() {
        let instant = links[place].finished;
        let same = links[place..].iter().take_while(|l| l.finished == instant);
        let rest = &links[place..place + same.count()];
        let follows = |one: usize| {
            let mut others = rest.iter().enumerate().filter(|(i, _)| *i != one);
            others.any(|(_, other)| other.after == rest[one].before)
        };
        if let Some(first) = (0..rest.len()).find(|&one| !follows(one)) {
            links[place..=place + first].rotate_right(1);
        }
    }
}

/// A time in which the coverage of a path went on from fact to fact: the facts
/// that decide how it stood in the end. More than one where a writer died: then
/// what all of them claim counts.
pub type Life = Vec<usize>;

/// The lives of a path's coverage, newest first, as places in `links`, which
/// must be in order of time. More than one where the table was lost.
pub fn lives(links: &[Link]) -> Vec<Life> {
    let nothing = fingerprint(&[]);
    let mut lives = Vec::new();
    let mut end = links.len();
    while end > 0 {
        let newest = end - 1;
        let mut life = vec![newest];
        let rivals = (0..end).filter(|&i| i != newest && links[i].before == links[newest].before);
        for rival in rivals.filter(|&i| links[i].after != links[newest].after) {
            life.extend(last_of(&links[..end], rival).filter(|&i| i != newest));
        }
        life.sort_unstable();
        life.dedup();
        lives.push(life);
        let first = first_of(links, newest);
        if links[first].before != nothing {
            break;
        }
        end = first;
    }
    lives
}

/// The facts that the coverage went on to from `start`, and that nothing
/// followed; itself where nothing followed it.
fn last_of(links: &[Link], start: usize) -> impl Iterator<Item = usize> {
    let mut seen = BTreeSet::from([start]);
    let mut next = vec![start];
    let mut last = Vec::new();
    while let Some(at) = next.pop() {
        let followed: Vec<usize> = (0..links.len())
            .filter(|&i| {
                links[i].before == links[at].after && links[i].finished >= links[at].finished
            })
            .filter(|i| seen.insert(*i))
            .collect();
        if followed.is_empty() {
            last.push(at);
        }
        next.extend(followed);
    }
    last.into_iter()
}

/// The fact with which the life began that `newest` belongs to.
fn first_of(links: &[Link], newest: usize) -> usize {
    let mut first = newest;
    while let Some(earlier) = (0..first).rfind(|&i| links[i].after == links[first].before) {
        first = earlier;
    }
    first
}

/// What every one of several claims says.
pub fn common(claims: &[Vec<Interval>]) -> Vec<Interval> {
    let mut claims = claims.iter();
    let Some(first) = claims.next() else {
        return Vec::new();
    };
    claims.fold(first.clone(), |common, claim| both(&common, claim))
}

fn both(one: &[Interval], other: &[Interval]) -> Vec<Interval> {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    pairs
        .filter_map(|(a, b)| {
            let from = a.from.max(b.from);
            let to = [a.to, b.to].into_iter().flatten().min();
            let confirmed = a.confirmed.min(b.confirmed).max(from);
            to.is_none_or(|to| from <= to).then_some(Interval {
                from,
                to,
                confirmed: to.map_or(confirmed, |to| confirmed.min(to)),
            })
        })
        .collect()
}

/// The coverage of a path from how each of its lives ended, newest first.
///
/// What was known before the table was lost is still known, up to the last
/// reconciliation that confirmed it.
pub fn joined(lives: &[Vec<Interval>]) -> Vec<Interval> {
    let mut joined: Vec<Interval> = Vec::new();
    for life in lives {
        let begun = joined.first().map(|i| i.from);
        let earlier = super::closed(life).into_iter().filter_map(|mut interval| {
            let Some(begun) = begun else {
                return Some(interval);
            };
            let to = interval.to?.min(begun.plus_millis(-1));
            interval.to = Some(to);
            interval.confirmed = interval.confirmed.min(to);
            // An interval of one instant is that of a writer that came second.
            (interval.from < to).then_some(interval)
        });
        let mut earlier: Vec<Interval> = match begun {
            Some(_) => earlier.collect(),
            None => life.clone(),
        };
        earlier.append(&mut joined);
        joined = earlier;
    }
    joined
}

fn fingerprint(intervals: &[Interval]) -> String {
    let texts: Vec<String> = intervals
        .iter()
        .map(|i| {
            let to = i.to.map_or(String::new(), |to| to.to_string());
            format!("{}/{to}/{}", i.from, i.confirmed)
        })
        .collect();
    sha256_hex(&texts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_millis(ms)
    }

    fn open(from: i64, confirmed: i64) -> Interval {
        Interval {
            from: at(from),
            to: None,
            confirmed: at(confirmed),
        }
    }

    fn closed(from: i64, to: i64) -> Interval {
        Interval {
            from: at(from),
            to: Some(at(to)),
            confirmed: at(to),
        }
    }

    type Fact = (Vec<Interval>, Vec<Interval>);

    /// What facts, in order of time, say.
    fn told(facts: &[Fact]) -> Vec<Interval> {
        let links: Vec<Link> = facts
            .iter()
            .zip(0..)
            .map(|((before, after), n)| Link::new(format!("{n}"), at(n), before, after))
            .collect();
        let ended: Vec<Vec<Interval>> = lives(&links)
            .iter()
            .map(|life| {
                let claims: Vec<_> = life.iter().map(|&i| facts[i].1.clone()).collect();
                common(&claims)
            })
            .collect();
        joined(&ended)
    }

    #[test]
    fn of_a_chain_the_newest_counts() {
        let (a, b) = (vec![open(10, 10)], vec![open(10, 20)]);
        let (c, d) = (vec![closed(10, 20)], vec![closed(10, 20), open(30, 30)]);
        let chain = [
            (vec![], a.clone()),
            (a, b.clone()),
            (b, c.clone()),
            (c.clone(), d.clone()),
        ];
        assert_eq!(told(&chain), d);
        assert_eq!(told(&chain[..3]), c);
        assert_eq!(told(&[]), vec![]);
    }

    #[test]
    fn of_two_from_the_same_intervals_the_one_that_claims_less_counts() {
        let a = vec![open(10, 10)];
        let (more, less) = (vec![open(10, 40)], vec![closed(10, 10)]);
        let begun = (vec![], a.clone());
        for pair in [[&more, &less], [&less, &more]] {
            let [one, other] = pair.map(|after| (a.clone(), after.clone()));
            assert_eq!(told(&[begun.clone(), one, other]), less);
        }
    }

    #[test]
    fn a_writer_that_died_long_ago_no_longer_matters() {
        let (a, b) = (vec![open(10, 10)], vec![open(10, 20)]);
        let (died, c) = (vec![closed(10, 10)], vec![open(10, 30)]);
        let facts = [
            (vec![], a.clone()),
            (a.clone(), died),
            (a, b.clone()),
            (b, c.clone()),
        ];
        assert_eq!(told(&facts), c);
    }

    #[test]
    fn what_a_loser_repeats_of_the_row_counts() {
        let (a, b) = (vec![open(10, 10)], vec![open(10, 20)]);
        let lost = vec![open(10, 19)];
        let facts = [
            (vec![], a.clone()),
            (a.clone(), b.clone()),
            (a, lost),
            (b.clone(), b.clone()),
        ];
        assert_eq!(told(&facts), b);
    }

    #[test]
    fn a_loser_that_died_does_not_undo_what_the_winner_went_on_to() {
        let (a, b) = (vec![open(10, 10)], vec![open(10, 20)]);
        let surprised = vec![closed(10, 20)];
        let lost = vec![open(10, 19)];
        let facts = [
            (vec![], a.clone()),
            (a.clone(), b.clone()),
            (b, surprised),
            (a, lost),
        ];
        let mut least = closed(10, 20);
        least.confirmed = at(19);
        assert_eq!(told(&facts), vec![least]);
    }

    #[test]
    fn what_was_known_before_the_table_was_lost_is_known_still() {
        let (a, b) = (vec![open(10, 10)], vec![open(10, 20)]);
        let (anew, on) = (vec![open(50, 50)], vec![open(50, 60)]);
        let facts = [
            (vec![], a.clone()),
            (a, b),
            (vec![], anew.clone()),
            (anew.clone(), on.clone()),
        ];
        assert_eq!(told(&facts), vec![closed(10, 20), open(50, 60)]);
        assert_eq!(told(&facts[..3]), vec![closed(10, 20), open(50, 50)]);
    }

    #[test]
    fn two_facts_of_one_millisecond_are_in_the_order_they_were_made_in() {
        let (a, b) = (vec![open(10, 10)], vec![closed(10, 10)]);
        let c = vec![closed(10, 10), open(30, 30)];
        let link =
            |key: &str, ms, before: &[_], after: &[_]| Link::new(key.into(), at(ms), before, after);
        let begun = link("1", 10, &[], &a);
        let (closes, opens) = (link("3", 30, &a, &b), link("2", 30, &b, &c));
        let right = [begun.clone(), closes.clone(), opens.clone()];
        for mut links in
            [[&opens, &closes, &begun], [&closes, &begun, &opens]].map(|l| l.map(Clone::clone))
        {
            in_order(&mut links);
            assert_eq!(links, right);
        }
    }

    #[test]
    fn two_that_began_at_once_are_one_life() {
        let (slow, row) = (vec![open(10, 10)], vec![open(11, 11)]);
        let facts = [
            (vec![], slow),
            (vec![], row.clone()),
            (row.clone(), row.clone()),
        ];
        assert_eq!(told(&facts), row);
    }
}
