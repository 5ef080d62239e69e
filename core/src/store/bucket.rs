//! The versioned bucket: values at the parameters' names, journal and facts
//! beside them.

mod listing;

pub use listing::{Days, KeptVersion, Listed, VersionsFrom};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::calls::Calls;
use super::error::{ErrorKind, StoreError};
use super::patience::patiently;
use super::whole::WholeDocuments;
use crate::domain::coverage::facts::key_after;
use crate::domain::journal::{self, FACT_BYTES_MAX, RECORD_BYTES_MAX};
use crate::domain::record::Written;
use crate::domain::stored::CoverageFact;
use crate::domain::unfinished::Unfinished;
use crate::domain::{Instant, Name, Path, Pointer, Record, Value, keys, stored};

/// Longest value of an object tag, in characters.
const TAG_VALUE_MAX: usize = 256;
/// Parameter Store takes values of 8 KB: what is longer was put there by somebody else.
pub(super) const VALUE_BYTES_MAX: u64 = 1 << 20;
/// A journal object's write that races another is tried again this often.
const MOST_RACES: usize = 8;
/// What stands for itself in the tagging header.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The bucket with values, journal and facts.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// What the journal says after a record was to be written to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Journalled {
    /// This record is in it now.
    Written,
    /// Another writer had been there: its record counts, pointer included.
    Existing(Box<Record>),
}

/// A client of S3: an emulator has no host name for each bucket.
pub(super) fn client(config: &SdkConfig) -> Client {
    let path_style = config.endpoint_url().is_some();
    let builder = Builder::from(config).force_path_style(path_style);
    let builder = builder.interceptor(Calls).interceptor(WholeDocuments);
    Client::from_conf(builder.build())
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, name: String) -> Self {
        Self {
            client: client(config),
            name,
        }
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes sure that the bucket is there and can be reached.
    pub async fn check(&self) -> Result<(), StoreError> {
        let answer = self.client.head_bucket().bucket(&self.name).send().await;
        answer.map(|_| ()).map_err(|e| {
            let attempted = format!("reach the bucket {}", self.name);
            StoreError::of("s3:ListBucket", attempted, e)
        })
    }

    /// Stores a value as a new version of the object at the name, tagged as
    /// the original tool tags it and with the version's number, and returns
    /// where it is.
    pub async fn put_value(
        &self,
        record: &Record,
        written: &Written,
        value: &Value,
    ) -> Result<Pointer, StoreError> {
        let name = &record.name;
        let body = value.expose().as_bytes().to_vec();
        let answer = patiently(|| async {
            let call = self
                .client
                .put_object()
                .bucket(&self.name)
                .key(name.as_str())
                .tagging(tagging(record, written))
                .body(ByteStream::from(body.clone()));
            let answer = call.send().await;
            answer.map_err(|e| {
                StoreError::of("s3:PutObject", format!("store the value of {name}"), e)
                    .without(value.expose(), written.attributes.is_secret())
            })
        })
        .await?;
        let version_id = answer.version_id.ok_or_else(|| {
            StoreError::new(
                format!("store the value of {name}"),
                ErrorKind::Format,
                format!("the bucket {} keeps no versions", self.name),
            )
        })?;
        Ok(Pointer {
            bucket: self.name.clone(),
            key: name.to_string(),
            version_id,
        })
    }

    /// Reads the value at `pointer`, byte for byte.
    pub async fn value(&self, pointer: &Pointer) -> Result<Value, StoreError> {
        let attempted = format!("read the stored value of {}", pointer.key);
        let object = self.client.get_object().bucket(&pointer.bucket);
        let object = object.key(&pointer.key).version_id(&pointer.version_id);
        let bytes = read(object, &attempted, VALUE_BYTES_MAX).await?;
        String::from_utf8(bytes)
            .map(Value::new)
            .map_err(|_| StoreError::new(attempted, ErrorKind::Format, "it is not UTF-8"))
    }

    /// Whether the value at `pointer` is still there.
    pub async fn holds(&self, pointer: &Pointer) -> Result<bool, StoreError> {
        let answer = patiently(|| async {
            let call = self.client.head_object().bucket(&pointer.bucket);
            let call = call.key(&pointer.key).version_id(&pointer.version_id);
            let attempted = || format!("look at the stored value of {}", pointer.key);
            call.send()
                .await
                .map_err(|e| StoreError::of("s3:GetObjectVersion", attempted(), e))
        })
        .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the key of `name` shows an object, as opposed to a delete
    /// marker or nothing.
    pub async fn shows_value(&self, name: &Name) -> Result<bool, StoreError> {
        let answer = patiently(|| async {
            let call = self.client.head_object().bucket(&self.name);
            let answer = call.key(name.as_str()).send().await;
            answer.map_err(|e| {
                StoreError::of("s3:GetObject", format!("look at the object of {name}"), e)
            })
        })
        .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts a delete marker on the key of `name`. No version goes away.
    pub async fn put_marker(&self, name: &Name) -> Result<(), StoreError> {
        self.mark_deleted(name.as_str(), &format!("mark {name} as deleted"))
            .await
    }

    async fn mark_deleted(&self, key: &str, attempted: &str) -> Result<(), StoreError> {
        patiently(|| async {
            let call = self.client.delete_object().bucket(&self.name);
            let answer = call.key(key).send().await;
            answer.map_err(|e| StoreError::of("s3:DeleteObject", attempted, e))
        })
        .await
        .map(drop)
    }

    /// Writes a record to the journal, unless that change is in it already;
    /// then the record that is in it is returned, and is the one that counts.
    pub async fn put_record(&self, record: &Record) -> Result<Journalled, StoreError> {
        let key = keys::journal_key(record);
        let body = stored::to_journal(record)?;
        if self.put_new(&key, body).await? {
            return Ok(Journalled::Written);
        }
        let attempted = format!("read the journal's record of {}", record.name);
        let existing =
            stored::from_journal(&self.object(&key, &attempted, RECORD_BYTES_MAX).await?)?;
        if existing.name != record.name || existing.entry() != record.entry() {
            let told = format!("{key} holds another record, of {}", existing.name);
            return Err(StoreError::new(attempted, ErrorKind::Format, told));
        }
        Ok(Journalled::Existing(Box::new(existing)))
    }

    /// The records of `name` that the journal has in one second, oldest first.
    pub async fn records_in_second(
        &self,
        name: &Name,
        second: Instant,
    ) -> Result<Vec<Record>, StoreError> {
        let attempted = format!("look for {name} in the journal");
        let mut records = Vec::new();
        let (prefix, mut start) = (keys::journal_second(second), None);
        loop {
            let (page, next) = self.list(&prefix, start).await?;
            let keys = page.iter().map(|object| object.key.as_str());
            for key in keys.filter(|key| keys::is_journal_of(key, name)) {
                let body = self.object(key, &attempted, RECORD_BYTES_MAX).await?;
                records.push(stored::from_journal(&body)?);
            }
            start = next;
            if start.is_none() {
                return Ok(records);
            }
        }
    }

    /// Writes a fact; one that is there already stays as it is.
    pub async fn put_fact(&self, key: &str, body: Vec<u8>) -> Result<(), StoreError> {
        self.put_new(key, body).await.map(|_| ())
    }

    /// Writes a change of coverage; returns the one that is there already, where another writer had
    /// been there. Whoever begins has a key of its own.
    pub async fn put_coverage_fact(
        &self,
        fact: &CoverageFact,
    ) -> Result<Option<CoverageFact>, StoreError> {
        let body = stored::to_fact(fact)?;
        let Some(key) = key_after(&fact.path, &fact.before) else {
            let id = uuid::Uuid::new_v4().to_string();
            let key = keys::coverage_fact_key(&fact.path, fact.finished, &id);
            return self.put_fact(&key, body).await.map(|()| None);
        };
        if self.put_new(&key, body).await? {
            return Ok(None);
        }
        let attempted = format!("read the coverage of {} at {key}", fact.path);
        let existing = self.object(&key, &attempted, FACT_BYTES_MAX).await?;
        let existing = journal::coverage_at(&key, &existing)
            .map_err(|told| StoreError::new(attempted, ErrorKind::Format, told.to_string()))?;
        Ok(Some(existing))
    }

    /// What the last reconciliation of `path` left to be done; none where it finished.
    ///
    /// What cannot be understood counts as none: it is only work that is done again.
    pub async fn unfinished(&self, path: &Path) -> Result<Option<Unfinished>, StoreError> {
        let attempted = format!("look for an unfinished reconciliation of {path}");
        let key = keys::unfinished_key(path);
        match self.object(&key, &attempted, FACT_BYTES_MAX).await {
            Ok(body) => Ok(serde_json::from_slice(&body).ok()),
            Err(error) if matches!(error.kind(), ErrorKind::Missing | ErrorKind::Format) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps what a reconciliation leaves to be done.
    pub async fn put_unfinished(&self, work: &Unfinished) -> Result<(), StoreError> {
        let attempted = format!("keep the unfinished reconciliation of {}", work.path);
        let body = stored::to_fact(work)?;
        patiently(|| async {
            let call = self
                .client
                .put_object()
                .bucket(&self.name)
                .key(keys::unfinished_key(&work.path))
                .content_type("application/json")
                .body(ByteStream::from(body.clone()));
            call.send()
                .await
                .map_err(|e| StoreError::of("s3:PutObject", &*attempted, e))
        })
        .await
        .map(drop)
    }

    /// Marks what a reconciliation had left as done.
    pub async fn forget_unfinished(&self, path: &Path) -> Result<(), StoreError> {
        self.mark_deleted(&keys::unfinished_key(path), &format!("finish {path}"))
            .await
    }

    /// Writes an object that must not exist. False where it does.
    async fn put_new(&self, key: &str, body: Vec<u8>) -> Result<bool, StoreError> {
        let put = || async {
            let call = self
                .client
                .put_object()
                .bucket(&self.name)
                .key(key)
                .if_none_match("*")
                .content_type("application/json")
                .body(ByteStream::from(body.clone()));
            let answer = call.send().await;
            answer.map_err(|e| {
                StoreError::of("s3:PutObject", format!("write {key} to the journal"), e)
            })
        };
        for _ in 1..MOST_RACES {
            match patiently(put).await {
                Ok(_) => return Ok(true),
                Err(error) if error.code() == Some("PreconditionFailed") => return Ok(false),
                // Another write of the same key is under way: 409.
                Err(error) if error.code() == Some("ConditionalRequestConflict") => {}
                Err(error) => return Err(error),
            }
        }
        patiently(put).await.map(|_| true)
    }

    async fn object(
        &self,
        key: &str,
        attempted: &str,
        bytes_max: u64,
    ) -> Result<Vec<u8>, StoreError> {
        let object = self.client.get_object().bucket(&self.name).key(key);
        read(object, attempted, bytes_max).await
    }
}

/// The whole body of an object; one that breaks off is an error, and so is one
/// of more than `bytes_max`.
pub(super) async fn read(
    object: GetObjectFluentBuilder,
    attempted: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, StoreError> {
    let action = match object.get_version_id() {
        Some(_) => "s3:GetObjectVersion",
        None => "s3:GetObject",
    };
    patiently(|| async {
        let answer = object.clone().send().await;
        let answer = answer.map_err(|e| StoreError::of(action, attempted, e))?;
        whole(answer, attempted, bytes_max).await
    })
    .await
}

/// The body of an answer. Whoever may write to the bucket decides how long it
/// is, so never more than `bytes_max` of it is held.
async fn whole(
    answer: GetObjectOutput,
    attempted: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, StoreError> {
    let told = answer.content_length.and_then(|n| u64::try_from(n).ok());
    let mut body = answer.body;
    let mut bytes = Vec::new();
    let mut length = told.unwrap_or(0);
    while length <= bytes_max {
        let part = body.try_next().await;
        let cut = |_| StoreError::new(attempted, ErrorKind::Unreachable, "it broke off");
        let Some(part) = part.map_err(cut)? else {
            return Ok(bytes);
        };
        bytes.extend_from_slice(&part);
        // An answer may have more than it claimed.
        length = length.max(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
    Err(too_long(attempted, length, bytes_max))
}

fn too_long(attempted: &str, bytes: u64, bytes_max: u64) -> StoreError {
    let told = format!("its {bytes} bytes are more than {bytes_max}");
    StoreError::new(attempted, ErrorKind::Format, told)
}

/// The tags of a value object, as the original tool writes them, plus the
/// version.
fn tagging(record: &Record, written: &Written) -> String {
    let description = written.attributes.description.as_deref().unwrap_or("");
    let mut tags = vec![
        ("ssmbakTime", record.at.epoch_seconds().to_string()),
        ("ssmbakType", written.attributes.parameter_type.clone()),
    ];
    let description = allowed_in_tag(description);
    if !description.is_empty() {
        tags.push(("ssmbakDescription", description));
    }
    if let Some(version) = written.version {
        tags.push(("ssmbakVersion", version.to_string()));
    }
    let pairs: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, PLAIN)))
        .collect();
    pairs.join("&")
}

/// Characters that a tag forbids are dropped, then the text is cut.
fn allowed_in_tag(text: &str) -> String {
    let allowed = |c: &char| c.is_alphanumeric() || " +-=._:/@".contains(*c);
    let text: String = text.chars().filter(allowed).take(TAG_VALUE_MAX).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_cut_to_what_a_tag_allows() {
        assert_eq!(allowed_in_tag("a{b}c, d"), "abc d");
        assert_eq!(allowed_in_tag(&"x".repeat(300)).len(), 256);
    }
}
