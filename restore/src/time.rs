//! The TIME argument: what people write for an instant.

use std::time::Duration;

use chrono::DateTime;
use ssmbak_core::domain::Instant;

/// The forms of TIME, as shown in hints.
const FORMS: &str = "write 2024-06-15T17:56:58 (UTC), 2024-06-15T17:56:58+02:00, 2024-06-15, \
                     \"2h30m ago\", -2h or now";

/// The instants that a TIME stands for: one, or the whole second that was
/// written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The first instant that belongs to it: where a range begins.
    pub(crate) first: Instant,
    /// The last one: the instant whose state is asked, and where a range ends.
    pub(crate) last: Instant,
}

impl Moment {
    fn exact(at: Instant) -> Self {
        Self {
            first: at,
            last: at,
        }
    }
}

/// Why a text is no TIME. Each names the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    /// In none of the accepted forms.
    #[error("{0:?} is not a time")]
    Unreadable(String),
    /// A duration without `ago` or a leading `-`.
    #[error("{0:?} is a duration, not a time")]
    Duration(String),
    /// Before 1970 or after 9999.
    #[error("{0:?} lies outside the years 1970 to 9999")]
    OutOfRange(String),
    /// Nobody can know.
    #[error("{text:?} is in the future (it is {now} now)")]
    Future {
        /// What was given.
        text: String,
        /// The present.
        now: Instant,
    },
}

impl TimeError {
    /// The way out.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Duration(text) => format!("write \"{text} ago\" or -{text}"),
            Self::Future { .. } => {
                "a time without an offset is UTC; for another zone write one, as in \
                 2024-06-15T17:56:58+02:00"
                    .into()
            }
            Self::Unreadable(_) | Self::OutOfRange(_) => FORMS.into(),
        }
    }
}

/// Reads a TIME; `now` is the present.
///
/// Accepted are any RFC 3339 instant, one without an offset (UTC) or with a
/// space for the `T`, a date (its first instant), a duration before now
/// (`2h30m ago`, `-2h`), and `now`. An instant written in whole seconds means
/// that whole second, and so does `now`, or a deletion made in it, which stands
/// at its end, would not count yet; everything else is exact, cut to
/// milliseconds.
///
/// An instant in the future is refused; a second that has begun is not.
pub(crate) fn parse(text: &str, now: Instant) -> Result<Moment, TimeError> {
    let shown = || text.chars().take(80).collect::<String>();
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("now") {
        return Ok(Moment {
            first: now,
            last: now.second_end(),
        });
    }
    if let Some(before) = before_now(trimmed) {
        let ms = i64::try_from(before.as_millis()).ok();
        let at = ms.and_then(|ms| now.millis().checked_sub(ms));
        return match at {
            Some(ms) if ms >= 0 => Ok(Moment::exact(Instant::from_millis(ms))),
            _ => Err(TimeError::OutOfRange(shown())),
        };
    }
    if humantime::parse_duration(trimmed).is_ok() {
        return Err(TimeError::Duration(shown()));
    }
    let moment = absolute(trimmed, &shown)?;
    if moment.first > now {
        return Err(TimeError::Future { text: shown(), now });
    }
    Ok(moment)
}

/// The duration of `2h ago` or `-2h`; none for other texts.
fn before_now(text: &str) -> Option<Duration> {
    let amount = match (text.strip_prefix('-'), text.strip_suffix("ago")) {
        (Some(amount), None) | (None, Some(amount)) => amount.trim(),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    humantime::parse_duration(amount).ok()
}

fn absolute(text: &str, shown: &dyn Fn() -> String) -> Result<Moment, TimeError> {
    let unreadable = || TimeError::Unreadable(shown());
    if !text.is_ascii() {
        return Err(unreadable());
    }
    let is_date = text.len() == 10;
    let full = match text.as_bytes().get(10) {
        None if is_date => format!("{text}T00:00:00Z"),
        Some(b'T' | b't' | b' ') => {
            let (date, time) = (&text[..10], &text[11..]);
            let has_offset = time.contains(['Z', 'z', '+', '-']);
            format!("{date}T{time}{}", if has_offset { "" } else { "Z" })
        }
        _ => return Err(unreadable()),
    };
    DateTime::parse_from_rfc3339(&full).map_err(|_| unreadable())?;
    let at: Instant = full.parse().map_err(|_| TimeError::OutOfRange(shown()))?;
    Ok(if is_date || text.contains('.') {
        Moment::exact(at)
    } else {
        Moment {
            first: at.second_start(),
            last: at.second_end(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Instant {
        "2026-11-20T10:23:30.649Z".parse().unwrap()
    }

    fn last(text: &str) -> String {
        parse(text, now()).unwrap().last.to_string()
    }

    fn first(text: &str) -> String {
        parse(text, now()).unwrap().first.to_string()
    }

    #[test]
    fn whole_seconds_mean_the_whole_second() {
        for text in [
            "2024-06-15T17:56:58",
            "2024-06-15 17:56:58",
            "2024-06-15T17:56:58Z",
            "2024-06-15t17:56:58z",
            "2024-06-15 19:56:58+02:00",
            " 2024-06-15T12:56:58-05:00 ",
        ] {
            assert_eq!(last(text), "2024-06-15T17:56:58.999Z", "{text}");
            assert_eq!(first(text), "2024-06-15T17:56:58.000Z", "{text}");
        }
    }

    #[test]
    fn a_fraction_is_exact() {
        for text in ["2024-06-15T17:56:58.5", "2024-06-15T19:56:58.500999+02:00"] {
            assert_eq!(last(text), "2024-06-15T17:56:58.500Z");
            assert_eq!(first(text), last(text));
        }
        assert_eq!(last("2024-06-15T17:56:58.0"), "2024-06-15T17:56:58.000Z");
    }

    #[test]
    fn a_date_is_its_first_instant() {
        assert_eq!(last("2024-06-15"), "2024-06-15T00:00:00.000Z");
        assert_eq!(last("2024-02-29"), "2024-02-29T00:00:00.000Z");
    }

    #[test]
    fn relative_times_and_now_are_exact() {
        assert_eq!(last("now"), now().second_end().to_string());
        for text in ["-2h", "2h ago", "2 hours ago", "-120m", "2hours ago"] {
            assert_eq!(last(text), "2026-11-20T08:23:30.649Z", "{text}");
        }
        assert_eq!(last("2h30m ago"), "2026-11-20T07:53:30.649Z");
        assert_eq!(last("1day 1h ago"), "2026-11-19T09:23:30.649Z");
    }

    #[test]
    fn the_future_is_refused_and_the_running_second_is_not() {
        assert_eq!(last("2026-11-20T10:23:30"), "2026-11-20T10:23:30.999Z");
        for text in [
            "2026-11-20T10:23:31",
            "2026-11-20T10:23:30.650",
            "2026-11-21",
            "2099-01-01T00:00:00Z",
        ] {
            let refused = parse(text, now()).unwrap_err();
            assert!(matches!(refused, TimeError::Future { .. }), "{text}");
        }
    }

    #[test]
    fn a_bare_duration_is_refused_with_the_way_out() {
        let refused = parse("2h", now()).unwrap_err();
        assert_eq!(refused.hint(), "write \"2h ago\" or -2h");
    }

    #[test]
    fn what_is_no_time_is_refused_by_name() {
        for text in [
            "",
            "yesterday",
            "2024-06-15T17:56",
            "2024-13-01",
            "2023-02-29",
            "2024-6-5",
            "2024-06-15T25:00:00",
            "2024-06-15T17:56:58+0200",
            "15.06.2024",
            "-2h ago",
            "ago",
            "-",
            "--reveal",
            "-R",
            "2024\u{2013}06-15",
        ] {
            let refused = parse(text, now()).unwrap_err();
            assert_eq!(refused, TimeError::Unreadable(text.into()));
            assert!(refused.hint().contains("2024-06-15"));
        }
    }

    #[test]
    fn before_1970_is_out_of_range() {
        for text in ["1969-12-31", "1969-12-31T23:59:59Z", "-100years"] {
            let refused = parse(text, now()).unwrap_err();
            assert!(matches!(refused, TimeError::OutOfRange(_)), "{text}");
        }
    }

    #[test]
    fn the_ends_of_all_numbers_are_refused_by_name() {
        for text in [
            "-999999999999y",
            "999999999999y ago",
            "-99999999999999999999999s",
            "-18446744073709551615s",
            "-9223372036854775807ms",
            "-100y 18446744073709551615s",
            "0000-01-01",
            "-0001-01-01",
            "10000-01-01",
            "+12345-01-01",
            "9999-12-31T23:59:60Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-23:59",
            "2024-06-15T17:56:58+99:99",
            "2024-06-15T17:56:61",
            "2024-06-15T17:56:58.",
            "2024-06-15T17:56:58.99999999999999999999Z0",
            "2024-06-15\u{0}",
            "2024-06-15T17:56:5\u{661}",
        ] {
            let refused = parse(text, now()).unwrap_err();
            assert!(!refused.hint().is_empty(), "{text}");
            let named = format!("{text:?}");
            assert!(refused.to_string().contains(&named), "{refused}");
        }
        // Of a text without end its beginning is told.
        let refused = parse(&"9".repeat(1_000_000), now()).unwrap_err();
        assert!(refused.to_string().len() < 200);
    }

    #[test]
    fn a_leap_second_is_the_first_of_the_next_minute() {
        assert_eq!(last("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.999Z");
        assert_eq!(first("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = parse(&text, now());
        }

        #[test]
        fn near_misses_are_read_or_refused(text in "[-0-9TZtz:+. hmsdago]{0,30}") {
            if let Ok(moment) = parse(&text, now()) {
                prop_assert!(moment.first <= moment.last);
                prop_assert!(moment.first <= now());
            }
        }

        #[test]
        fn every_past_instant_reads_back(ms in 0..=1_763_634_210_649_i64) {
            let at = Instant::from_millis(ms);
            prop_assert_eq!(parse(&at.to_string(), now()).unwrap(), Moment::exact(at));
        }

        #[test]
        fn an_offset_changes_the_text_not_the_instant(
            ms in 86_400_000..=1_763_000_000_000_i64,
            minutes in -14 * 60..=14 * 60_i32,
        ) {
            let at = Instant::from_millis(ms);
            let offset = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
            let text = at.to_datetime().with_timezone(&offset).to_rfc3339_opts(
                chrono::SecondsFormat::Secs,
                false,
            );
            prop_assert_eq!(parse(&text, now()).unwrap().last, at.second_end());
        }

        #[test]
        fn so_many_seconds_ago(secs in 0..1_000_000_000_u64) {
            let ago = parse(&format!("{secs}s ago"), now()).unwrap();
            let minus = parse(&format!("-{secs}s"), now()).unwrap();
            prop_assert_eq!(ago, minus);
            prop_assert_eq!(
                now().millis() - ago.last.millis(),
                i64::try_from(secs).unwrap() * 1000
            );
        }
    }
}
