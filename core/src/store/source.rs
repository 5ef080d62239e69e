//! The original tool's bucket: only read.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::DateTime;

use super::bucket::{self, VALUE_BYTES_MAX, read};
use super::error::{ErrorKind, StoreError};
use super::patience::patiently;
use crate::domain::{Instant, Value};

/// A bucket from which values are imported. Nothing here writes.
#[derive(Clone, Debug)]
pub struct SourceBucket {
    client: Client,
    name: String,
}

/// An object version or delete marker, as S3 lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceObject {
    /// The object's key.
    pub key: String,
    /// The S3 version id.
    pub version_id: String,
    /// When it was stored.
    pub stored: Instant,
    /// Whether it is what the key shows now.
    pub latest: bool,
}

/// One page of a listing: keys in order, each key's newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedPage {
    /// The object versions.
    pub versions: Vec<SourceObject>,
    /// The delete markers.
    pub markers: Vec<SourceObject>,
    /// Where the next page begins; none after the last.
    pub next: Option<ListedPlace>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPlace {
    /// In this key...
    pub key: String,
    /// ...after this version of it.
    pub version_id: Option<String>,
}

impl SourceBucket {
    /// The bucket `name`, reached with `config`. Nothing is sent yet.
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self {
            client: bucket::client(config),
            name,
        }
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes sure that the bucket is there and its versions can be listed.
    pub async fn check(&self) -> Result<(), StoreError> {
        let call = self.client.list_object_versions().bucket(&self.name);
        let answer = call.max_keys(1).send().await;
        answer.map(|_| ()).map_err(|e| {
            StoreError::of(
                "s3:ListBucketVersions",
                format!("list the versions in the bucket {}", self.name),
                e,
            )
        })
    }

    /// One page of the versions and markers of all keys that begin with `prefix`.
    pub async fn page(
        &self,
        prefix: &str,
        start: Option<&ListedPlace>,
    ) -> Result<ListedPage, StoreError> {
        let attempted = format!("list the versions in the bucket {}", self.name);
        let answer = patiently(|| async {
            let call = self
                .client
                .list_object_versions()
                .bucket(&self.name)
                .prefix(prefix)
                .set_key_marker(start.map(|s| s.key.clone()))
                .set_version_id_marker(start.and_then(|s| s.version_id.clone()));
            let answer = call.send().await;
            answer.map_err(|e| StoreError::of("s3:ListBucketVersions", &*attempted, e))
        })
        .await?;
        let lacks = || StoreError::new(&*attempted, ErrorKind::Format, "a row lacks its key");
        let listed = |key: Option<String>, id: Option<String>, stored: Option<DateTime>, latest| {
            Ok(SourceObject {
                key: key.ok_or_else(lacks)?,
                version_id: id.ok_or_else(lacks)?,
                stored: instant(stored.ok_or_else(lacks)?),
                latest,
            })
        };
        let versions = answer.versions.unwrap_or_default().into_iter();
        let versions = versions
            .map(|v| {
                let latest = v.is_latest.unwrap_or_default();
                listed(v.key, v.version_id, v.last_modified, latest)
            })
            .collect::<Result<_, StoreError>>()?;
        let markers = answer.delete_markers.unwrap_or_default().into_iter();
        let markers = markers
            .map(|m| {
                let latest = m.is_latest.unwrap_or_default();
                listed(m.key, m.version_id, m.last_modified, latest)
            })
            .collect::<Result<_, StoreError>>()?;
        let more = answer.is_truncated.unwrap_or_default();
        let next = answer.next_key_marker.filter(|_| more);
        Ok(ListedPage {
            versions,
            markers,
            next: next.map(|key| ListedPlace {
                key,
                version_id: answer.next_version_id_marker,
            }),
        })
    }

    /// The tags of an object version.
    pub async fn tags(
        &self,
        key: &str,
        version_id: &str,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let answer = patiently(|| async {
            let call = self.client.get_object_tagging().bucket(&self.name);
            let answer = call.key(key).version_id(version_id).send().await;
            let attempted = || format!("read the tags of {key} in the bucket {}", self.name);
            answer.map_err(|e| StoreError::of("s3:GetObjectVersionTagging", attempted(), e))
        })
        .await?;
        let tags = answer.tag_set.into_iter();
        Ok(tags.map(|tag| (tag.key, tag.value)).collect())
    }

    /// The value of an object version, byte for byte.
    pub async fn value(&self, key: &str, version_id: &str) -> Result<Value, StoreError> {
        let attempted = format!("read the value of {key} in the bucket {}", self.name);
        let object = self.client.get_object().bucket(&self.name);
        let bytes = read(
            object.key(key).version_id(version_id),
            &attempted,
            VALUE_BYTES_MAX,
        )
        .await?;
        String::from_utf8(bytes)
            .map(Value::new)
            .map_err(|_| StoreError::new(attempted, ErrorKind::Format, "it is not UTF-8"))
    }
}

fn instant(time: DateTime) -> Instant {
    Instant::from_float_parts(time.secs(), time.subsec_nanos())
}
