//! What lies in the bucket, page by page.

use super::{Bucket, ErrorKind, StoreError, patiently, read, too_long};
use crate::domain::Pointer;

/// Keys are dated: year, month, day.
const LEVELS: usize = 3;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A version of an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVersion {
    /// The key.
    pub key: String,
    /// The S3 version id.
    pub version_id: String,
    /// Whether the key shows it.
    pub latest: bool,
    /// A delete marker, as opposed to an object.
    pub marker: bool,
}

/// Where a page of versions begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionsFrom {
    key: Option<String>,
    version_id: Option<String>,
}

/// The days under which something lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The prefix of each, oldest first: it ends in `2026/11/20/`.
    pub days: Vec<String>,
    /// Keys and prefixes that are under no day, and so nothing of ours.
    pub strays: Vec<String>,
}

impl Bucket {
    /// One page of what begins with `prefix`, in order of keys, and where the
    /// next page begins.
    ///
    /// Current versions only. Of journal and facts there are no others: they
    /// are written once, and the bucket's policy denies delete markers on them.
    pub async fn list(
        &self,
        prefix: &str,
        start: Option<String>,
    ) -> Result<(Vec<Listed>, Option<String>), StoreError> {
        let page = patiently(|| async {
            let call = self.client.list_objects_v2().bucket(&self.name);
            let call = call.prefix(prefix).set_continuation_token(start.clone());
            let answer = call.send().await;
            answer.map_err(|e| StoreError::of("s3:ListBucket", format!("list {prefix}"), e))
        })
        .await?;
        let objects = page.contents.unwrap_or_default().into_iter();
        let listed = objects.filter_map(|object| {
            Some(Listed {
                bytes: object.size.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                key: object.key?,
            })
        });
        Ok((listed.collect(), page.next_continuation_token))
    }

    /// The days under `prefix` under which something lies.
    pub async fn days(&self, prefix: &str) -> Result<Days, StoreError> {
        let mut found = Days {
            days: vec![prefix.to_owned()],
            strays: Vec::new(),
        };
        for level in 0..LEVELS {
            let digits = if level == 0 { 4 } else { 2 };
            let mut below = Vec::new();
            for parent in std::mem::take(&mut found.days) {
                for inner in self.level(&parent).await? {
                    let own = &inner[parent.len()..];
                    let number = own.strip_suffix('/').filter(|n| n.len() == digits);
                    if number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) {
                        below.push(inner);
                    } else if !own.is_empty() {
                        // An empty one is what a console leaves when it makes a folder.
                        found.strays.push(inner);
                    }
                }
            }
            found.days = below;
        }
        Ok(found)
    }

    /// What lies right under `prefix`: keys, and prefixes that end in `/`.
    async fn level(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = patiently(|| async {
                let call = self.client.list_objects_v2().bucket(&self.name);
                let call = call.prefix(prefix).delimiter("/");
                let answer = call.set_continuation_token(token.clone()).send().await;
                answer.map_err(|e| StoreError::of("s3:ListBucket", format!("list {prefix}"), e))
            })
            .await?;
            let prefixes = page.common_prefixes().iter().filter_map(|p| p.prefix());
            let keys = page.contents().iter().filter_map(|o| o.key());
            found.extend(prefixes.chain(keys).map(str::to_owned));
            token = page.next_continuation_token;
            if token.is_none() {
                found.sort();
                return Ok(found);
            }
        }
    }

    /// One page of all versions and markers of what begins with `prefix`, in
    /// order of keys, and where the next page begins.
    pub async fn versions(
        &self,
        prefix: &str,
        from: VersionsFrom,
    ) -> Result<(Vec<KeptVersion>, Option<VersionsFrom>), StoreError> {
        let page = patiently(|| async {
            let call = self.client.list_object_versions().bucket(&self.name);
            let call = call.prefix(prefix).set_key_marker(from.key.clone());
            let call = call.set_version_id_marker(from.version_id.clone());
            let answer = call.send().await;
            answer.map_err(|e| {
                StoreError::of(
                    "s3:ListBucketVersions",
                    format!("list the versions of {prefix}"),
                    e,
                )
            })
        })
        .await?;
        let objects = page.versions.unwrap_or_default().into_iter();
        let objects = objects.filter_map(|v| kept(v.key, v.version_id, v.is_latest, false));
        let markers = page.delete_markers.unwrap_or_default().into_iter();
        let markers = markers.filter_map(|v| kept(v.key, v.version_id, v.is_latest, true));
        let mut all: Vec<KeptVersion> = objects.chain(markers).collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        let more = page.is_truncated == Some(true);
        let next = more.then_some(VersionsFrom {
            key: page.next_key_marker,
            version_id: page.next_version_id_marker,
        });
        Ok((all, next))
    }

    /// Whether the value at `pointer`, which may be in another bucket, is there.
    pub async fn has_value(&self, pointer: &Pointer) -> Result<bool, StoreError> {
        let answer = patiently(|| async {
            let call = self.client.head_object().bucket(&pointer.bucket);
            let call = call.key(&pointer.key).version_id(&pointer.version_id);
            let attempted = format!("look at the stored value of {}", pointer.key);
            call.send()
                .await
                .map_err(|e| StoreError::of("s3:GetObjectVersion", attempted, e))
        })
        .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The body of the object at `key`, if there is one; of one longer than
    /// `bytes_max` only the length is looked at.
    pub async fn body(&self, key: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let attempted = format!("read {key}");
        let object = self.client.get_object().bucket(&self.name).key(key);
        let answer = read(object, &attempted, bytes_max).await;
        match answer {
            Ok(body) => Ok(Some(body)),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The body of an object that was listed; one longer than `bytes_max` is
    /// not read at all.
    pub async fn listed(&self, object: &Listed, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        let attempted = format!("read {}", object.key);
        if object.bytes > bytes_max {
            return Err(too_long(&attempted, object.bytes, bytes_max));
        }
        let get = self.client.get_object().bucket(&self.name);
        read(get.key(&object.key), &attempted, bytes_max).await
    }
}

fn kept(
    key: Option<String>,
    version_id: Option<String>,
    latest: Option<bool>,
    marker: bool,
) -> Option<KeptVersion> {
    Some(KeptVersion {
        key: key?,
        version_id: version_id?,
        latest: latest == Some(true),
        marker,
    })
}
