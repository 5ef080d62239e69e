//! What a version changed: it, and the version before it, with their values.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::differing::differing;
use crate::domain::{Record, Value, ValueState, Written};
use crate::store::{ErrorKind, StoreError, Stores};

/// How many versions are compared at once.
const AT_ONCE: usize = 8;
/// A version, the one before it, and between them perhaps an imported one that
/// is the same as the first.
const ROWS: i32 = 3;

/// A version that was written, beside the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The names of the fields that differ, `Value` first, which is also named
    /// where one of the two values is not known; none where there is no version
    /// before it in this life of the parameter.
    pub changed: Option<Vec<&'static str>>,
    /// Its value; none where that is lost, or deleted from the bucket.
    pub value: Option<Value>,
    /// The value before.
    pub previous: Option<Value>,
    /// One of the two is a secret. Whoever may not see it may see neither: the
    /// one would tell the other.
    pub is_secret: bool,
}

/// Compares each record of a written version with the one before it; none for
/// records of another kind. One query of the index each, and up to two reads
/// of values.
pub async fn compared(
    stores: &Stores,
    records: &[&Record],
) -> Result<Vec<Option<Compared>>, StoreError> {
    stream::iter(records.iter().copied())
        .map(|record| one(stores, record))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn one(stores: &Stores, record: &Record) -> Result<Option<Compared>, StoreError> {
    if record.written().is_none() {
        return Ok(None);
    }
    // A slim record lacks what is compared: its own row is read with those before.
    let rows = stores.index.up_to(record, ROWS).await?;
    let Some((own, earlier)) = rows.split_first().filter(|(own, _)| own.at == record.at) else {
        return Ok(None);
    };
    let Some(written) = own.written() else {
        return Ok(None);
    };
    let before = before(own, earlier);
    let (value, previous) =
        tokio::try_join!(value_of(stores, Some(written)), value_of(stores, before))?;
    let changed = before.map(|before| {
        let value = may_differ(value.as_ref(), previous.as_ref()).then_some("Value");
        let rest = differing(&before.attributes, &written.attributes);
        value.into_iter().chain(rest).collect()
    });
    let is_secret = |written: &Written| written.attributes.is_secret();
    Ok(Some(Compared {
        changed,
        value,
        previous,
        is_secret: is_secret(written) || before.is_some_and(is_secret),
    }))
}

/// Nobody knows that a value which is lost was the same.
fn may_differ(value: Option<&Value>, previous: Option<&Value>) -> bool {
    value.is_none() || value != previous
}

/// The version before: none after a deletion. An imported version that lies in
/// the second of a captured one is that one, known less exactly.
fn before<'a>(own: &Record, earlier: &'a [Record]) -> Option<&'a Written> {
    let same = |r: &&Record| {
        own.numbered().is_some() && r.is_imported_version() && r.at.same_second(own.at)
    };
    earlier.iter().find(|r| !same(r))?.present()
}

async fn value_of(stores: &Stores, written: Option<&Written>) -> Result<Option<Value>, StoreError> {
    let Some(ValueState::Stored(pointer)) = written.map(|w| &w.value) else {
        return Ok(None);
    };
    match stores.bucket.value(pointer).await {
        Ok(value) => Ok(Some(value)),
        // It expired, or somebody deleted it.
        Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_known_counts_as_another_one() {
        let (a, b) = (Value::new("a"), Value::new("b"));
        assert!(!may_differ(Some(&a), Some(&a)));
        assert!(may_differ(Some(&a), Some(&b)));
        assert!(may_differ(Some(&a), None));
        assert!(may_differ(None, Some(&a)));
        assert!(may_differ(None, None));
    }
}
