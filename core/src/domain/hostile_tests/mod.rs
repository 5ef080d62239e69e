//! What nobody well-meaning would send: shared strategies, and what each
//! decoder makes of them. The rule is the same for all: no panic, no work
//! without end, an error that tells no value, and what is accepted reads back.

mod events;
mod facts;
mod keys;
mod names;
mod plans;
mod records;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use crate::domain::record::{Attributes, Change, Deleter, Pointer, Record, ValueState, Written};
use crate::domain::{EventRef, Instant, Name, Source};

/// Stands in every original where a value could be: no error may tell it. Its
/// blanks keep it from being a name.
pub(super) const SECRET: &str = "hunter2 in flight";

/// Any text, and what has broken readers of text before.
pub(super) fn text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        " ",
        "\0",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{feff}",
        "/",
        "//",
        "/..",
        "-R",
        "--yes",
        "null",
        "1e999",
        "-0",
        "{{ssm:/a}}",
        "9999-12-31T23:59:59.999Z",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "v0000000001",
        "+#",
        "#",
        "Create",
        "Delete",
    ]);
    let long = (1..40_000_usize).prop_map(|length| "x".repeat(length));
    prop_oneof![4 => any::<String>(), 4 => known.prop_map(str::to_owned), 1 => long]
}

/// Any JSON, nested a little, with numbers at the ends of all ranges.
pub(super) fn json() -> impl Strategy<Value = Json> {
    let number = prop::sample::select(vec![
        "0",
        "-1",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "1e308",
        "4294967295",
        "4294967296",
        "0.1",
    ]);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number.prop_map(|text| serde_json::from_str(text).unwrap()),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let fields = vec((text(), inner.clone()), 0..5);
        prop_oneof![
            vec(inner, 0..5).prop_map(Json::from),
            fields.prop_map(|fields| Json::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One change of an original, made at a place in it.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Cut(usize),
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Repeat(usize, usize),
}

/// Some changes of an original.
pub(super) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let place = any::<usize>();
    let length = 1..200_usize;
    let edit = prop_oneof![
        place.prop_map(Edit::Cut),
        (place, 1..=255_u8).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        (place, vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (place, length.clone()).prop_map(|(at, length)| Edit::Remove(at, length)),
        (place, length).prop_map(|(at, length)| Edit::Repeat(at, length)),
    ];
    vec(edit, 1..4)
}

/// The original with these changes.
pub(super) fn edited(original: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for edit in edits {
        let place = |at: usize, bytes: &[u8]| at % (bytes.len() + 1);
        match edit {
            Edit::Cut(at) => bytes.truncate(place(*at, &bytes)),
            Edit::Flip(at, bits) => {
                let at = place(*at, &bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Edit::Insert(at, more) => {
                let at = place(*at, &bytes);
                bytes.splice(at..at, more.iter().copied());
            }
            Edit::Remove(at, length) => {
                let at = place(*at, &bytes);
                let end = bytes.len().min(at + length);
                bytes.drain(at..end);
            }
            Edit::Repeat(at, length) => {
                let at = place(*at, &bytes);
                let part = bytes[at..bytes.len().min(at + length)].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

/// Texts that nest deeper than any reader follows, closed and not.
pub(super) fn deep() -> Vec<String> {
    let mut texts = Vec::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"detail\":[", "]}")] {
        for depth in [100, 10_000, 200_000] {
            texts.push(open.repeat(depth));
            texts.push(format!("{}1{}", open.repeat(depth), close.repeat(depth)));
        }
    }
    texts
}

pub(super) fn name() -> impl Strategy<Value = Name> {
    "(/[ab]{1,2}){1,4}|(/[a-zA-Z0-9_.-]{1,8}){1,15}".prop_map(|text| Name::parse(&text).unwrap())
}

pub(super) fn instant() -> impl Strategy<Value = Instant> {
    let any_ms = 0..=Instant::LATEST.millis();
    // Close together, so that neighbours meet.
    let near_ms = 1_700_000_000_000..1_700_000_003_000_i64;
    prop_oneof![any_ms, near_ms].prop_map(Instant::from_millis)
}

fn written() -> impl Strategy<Value = Written> {
    let attributes = (text(), prop::option::of("[^\0]{1,20}"), vec(text(), 0..3));
    let attributes = attributes.prop_map(|(parameter_type, description, labels)| Attributes {
        parameter_type,
        description,
        labels,
        ..Attributes::default()
    });
    let value = prop_oneof![
        Just(ValueState::Lost),
        (text(), text()).prop_map(|(key, version_id)| ValueState::Stored(Pointer {
            bucket: "bucket".into(),
            key,
            version_id,
        })),
    ];
    let number = prop_oneof![(1..=9_999_999_999_u64).prop_map(Some), Just(None)];
    (number, "[a-z0-9-]{1,12}", attributes, value, any::<bool>()).prop_map(
        |(version, discriminator, attributes, value, creates)| Written {
            creates: creates && version.is_some(),
            discriminator: version.map_or(discriminator, |_| String::new()),
            version,
            attributes,
            modified_by: None,
            value,
        },
    )
}

/// Records of every kind.
pub(super) fn record() -> impl Strategy<Value = Record> {
    let change = prop_oneof![
        4 => written().prop_map(Change::Written),
        1 => written().prop_filter("version 1 has created", |w| w.version.is_some()).prop_map(|w| {
            let creates = w.version == Some(1);
            Change::StillThere(Written { creates, ..w })
        }),
        2 => prop::option::of(instant()).prop_map(|not_before| Change::Deleted {
            not_before,
            parameter_type: None,
        }),
        1 => (text(), prop::option::of(any::<u64>()), any::<u64>())
            .prop_map(|(label, from, to)| Change::Labelled { label, from, to }),
        1 => prop::collection::btree_map(text(), text(), 0..3)
            .prop_map(|tags| Change::Tagged { tags }),
        1 => prop::option::of(text()).prop_map(|by| Change::DeletedBy(Deleter { by, from: None })),
    ];
    (name(), instant(), change, "[a-f0-9-]{1,36}").prop_map(|(name, at, change, id)| Record {
        name,
        at,
        change,
        source: Source::Event,
        event: Some(EventRef {
            id,
            time: at.second_start(),
        }),
        recorded_at: at,
    })
}
