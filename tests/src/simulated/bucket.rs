//! S3: versioned buckets, addressed by path.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::connector::Answered;
use super::parameters::Refused;

/// Keys of a page of a listing.
const PAGE: usize = 1_000;
const TAGS: usize = 10;
const TAG_VALUE_CHARS: usize = 256;

/// A version of an object, or a delete marker.
#[derive(Debug, Clone)]
struct Version {
    id: String,
    /// None: a delete marker.
    body: Option<Vec<u8>>,
    tags: Vec<(String, String)>,
}

/// The versions of each key, oldest first.
type Objects = BTreeMap<String, Vec<Version>>;

/// The buckets of an account.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    all: BTreeMap<String, Objects>,
    written: u64,
}

/// One request.
struct Asked<'a> {
    head: &'a Parts,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
}

type Answer = Result<Answered, Refused>;

impl Buckets {
    pub(super) fn make(&mut self, bucket: &str) {
        self.all.insert(bucket.to_owned(), Objects::new());
    }

    pub(super) fn objects(&self, bucket: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let objects = self.all.get(bucket).into_iter().flatten();
        let current = objects.filter(|(key, _)| key.starts_with(prefix));
        current
            .filter_map(|(key, versions)| Some((key.clone(), versions.last()?.body.clone()?)))
            .collect()
    }

    /// `most` is how many keys a page has at most, where that is fewer than S3's own.
    pub(super) fn answer(
        &mut self,
        operation: &str,
        head: &Parts,
        body: &[u8],
        most: Option<usize>,
    ) -> Answer {
        let asked = Asked::of(head);
        if operation == "CreateBucket" {
            self.make(&asked.bucket);
            return Ok(Answered::xml(String::new()));
        }
        let id = format!("id-{:08}", self.written);
        self.written += 1;
        let objects = self.all.get_mut(&asked.bucket);
        let told = "The specified bucket does not exist";
        let objects = objects.ok_or_else(|| Refused::new(404, "NoSuchBucket", told))?;
        let most = most.unwrap_or(PAGE).min(PAGE);
        match operation {
            "HeadBucket" | "PutBucketVersioning" => Ok(Answered::xml(String::new())),
            "PutObject" => put(objects, &asked, body, id),
            "DeleteObject" => Ok(mark_deleted(objects, &asked, id)),
            "GetObject" => get(objects, &asked, true),
            "HeadObject" => get(objects, &asked, false),
            "GetObjectTagging" => tagging(objects, &asked),
            "ListObjectsV2" => Ok(list(objects, &asked, most)),
            "ListObjectVersions" => Ok(list_versions(objects, &asked, most)),
            other => Err(Refused::not_simulated(other)),
        }
    }
}

impl<'a> Asked<'a> {
    fn of(head: &'a Parts) -> Self {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = head.uri.path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let fields = head.uri.query().unwrap_or_default().split('&');
        let fields = fields.map(|field| field.split_once('=').unwrap_or((field, "")));
        Self {
            head,
            bucket: decode(bucket),
            key: decode(key),
            query: fields.map(|(k, v)| (decode(k), decode(v))).collect(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    fn text(&self, field: &str) -> &str {
        self.query.get(field).map_or("", String::as_str)
    }
}

fn put(objects: &mut Objects, asked: &Asked<'_>, body: &[u8], id: String) -> Answer {
    if asked.header("content-encoding") == Some("aws-chunked") {
        return Err(Refused::not_simulated("a body in chunks"));
    }
    let versions = objects.entry(asked.key.clone()).or_default();
    let shown = versions.last().is_some_and(|v| v.body.is_some());
    if asked.header("if-none-match") == Some("*") && shown {
        let told = "At least one of the pre-conditions you specified did not hold";
        return Err(Refused::new(412, "PreconditionFailed", told));
    }
    let tags = tags(asked.header("x-amz-tagging").unwrap_or_default())?;
    let answer = Answered::xml(String::new()).with("x-amz-version-id", &id);
    let body = Some(body.to_vec());
    versions.push(Version { id, body, tags });
    Ok(answer.with("etag", "\"0\""))
}

/// As S3 takes them: ten at most, of the characters that it allows.
fn tags(header: &str) -> Result<Vec<(String, String)>, Refused> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let fields = header.split('&').filter(|field| !field.is_empty());
    let fields = fields.map(|field| field.split_once('=').unwrap_or((field, "")));
    let tags: Vec<(String, String)> = fields.map(|(k, v)| (decode(k), decode(v))).collect();
    let allowed = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    let fits = |(_, value): &(String, String)| {
        value.chars().count() <= TAG_VALUE_CHARS && value.chars().all(allowed)
    };
    if tags.len() > TAGS || !tags.iter().all(fits) {
        let told = "The TagValue you have provided is invalid";
        return Err(Refused::bad("InvalidTag", told));
    }
    Ok(tags)
}

fn mark_deleted(objects: &mut Objects, asked: &Asked<'_>, id: String) -> Answered {
    let mut answer = Answered::xml(String::new()).with("x-amz-version-id", &id);
    answer.status = 204;
    let marker = Version {
        id,
        body: None,
        tags: Vec::new(),
    };
    objects.entry(asked.key.clone()).or_default().push(marker);
    answer.with("x-amz-delete-marker", "true")
}

/// The version that is asked for; the newest where none is.
fn version<'o>(objects: &'o Objects, asked: &Asked<'_>) -> Result<&'o Version, Refused> {
    let versions = objects.get(&asked.key);
    let missing = |code| Refused::new(404, code, "it is not there");
    let versions = versions.ok_or_else(|| missing("NoSuchKey"))?;
    let found = match asked.query.get("versionId") {
        Some(id) => versions.iter().find(|v| v.id == *id),
        None => versions.last(),
    };
    let found = found.ok_or_else(|| missing("NoSuchVersion"))?;
    match (&found.body, asked.query.contains_key("versionId")) {
        (Some(_), _) => Ok(found),
        (None, true) => Err(Refused::new(405, "MethodNotAllowed", "a delete marker")),
        (None, false) => Err(missing("NoSuchKey")),
    }
}

fn get(objects: &Objects, asked: &Asked<'_>, whole: bool) -> Answer {
    let version = version(objects, asked)?;
    let body = version.body.clone().unwrap_or_default();
    let length = body.len().to_string();
    let mut answer = Answered::xml(String::new());
    if whole {
        answer.body = body;
    }
    Ok(answer
        .with("content-length", &length)
        .with("etag", "\"0\"")
        .with("x-amz-version-id", &version.id))
}

fn tagging(objects: &Objects, asked: &Asked<'_>) -> Answer {
    let mut body = "<Tagging><TagSet>".to_owned();
    for (key, value) in &version(objects, asked)?.tags {
        let (key, value) = (escaped(key), escaped(value));
        let _ = write!(body, "<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    }
    body.push_str("</TagSet></Tagging>");
    Ok(Answered::xml(body))
}

fn list(objects: &Objects, asked: &Asked<'_>, most: usize) -> Answered {
    let (prefix, delimiter) = (asked.text("prefix"), asked.text("delimiter"));
    let after = asked.text("continuation-token");
    // What is told of a key: itself, or what it has in common with others.
    let told = |key: &str| -> (String, bool) {
        let below = &key[prefix.len()..];
        let end = below.find(delimiter).filter(|_| !delimiter.is_empty());
        match end {
            Some(end) => (format!("{prefix}{}", &below[..end + delimiter.len()]), true),
            None => (key.to_owned(), false),
        }
    };
    let shown = objects.range(prefix.to_owned()..);
    let shown = shown.take_while(|(key, _)| key.starts_with(prefix));
    let shown = shown.filter_map(|(key, versions)| {
        let size = versions.last()?.body.as_ref()?.len();
        Some((told(key), size))
    });
    let rows: BTreeMap<(String, bool), usize> =
        shown.filter(|((key, _), _)| key.as_str() > after).collect();
    let truncated = rows.len() > most;
    let (mut body, mut last) = (String::new(), String::new());
    for ((key, common), size) in rows.into_iter().take(most) {
        let text = escaped(&key);
        let _ = if common {
            write!(
                body,
                "<CommonPrefixes><Prefix>{text}</Prefix></CommonPrefixes>"
            )
        } else {
            write!(
                body,
                "<Contents><Key>{text}</Key><Size>{size}</Size></Contents>"
            )
        };
        last = key;
    }
    if truncated {
        let token = escaped(&last);
        let _ = write!(
            body,
            "<NextContinuationToken>{token}</NextContinuationToken>"
        );
    }
    let head = format!("<IsTruncated>{truncated}</IsTruncated>");
    Answered::xml(format!("<ListBucketResult>{head}{body}</ListBucketResult>"))
}

fn list_versions(objects: &Objects, asked: &Asked<'_>, most: usize) -> Answered {
    let prefix = asked.text("prefix");
    let (after, after_id) = (asked.text("key-marker"), asked.text("version-id-marker"));
    let mut rows = Vec::new();
    for (key, versions) in objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        // Newest first within a key.
        let mut of_key: Vec<(&str, &Version, bool)> = versions
            .iter()
            .enumerate()
            .rev()
            .map(|(n, v)| (key.as_str(), v, n + 1 == versions.len()))
            .collect();
        if key == after {
            let at = of_key.iter().position(|(_, v, _)| v.id == after_id);
            // Without an id of its own the marker stands behind all of its key.
            of_key.drain(..at.map_or(of_key.len(), |at| at + 1));
        }
        if key.as_str() >= after {
            rows.extend(of_key);
        }
    }
    let truncated = rows.len() > most;
    let mut body = format!("<IsTruncated>{truncated}</IsTruncated>");
    for (key, version, latest) in rows.iter().take(most) {
        let kind = if version.body.is_some() {
            "Version"
        } else {
            "DeleteMarker"
        };
        let (key, id) = (escaped(key), &version.id);
        let _ = write!(
            body,
            "<{kind}><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest></{kind}>"
        );
    }
    if let Some((key, version, _)) = rows.get(most - 1).filter(|_| truncated) {
        let (key, id) = (escaped(key), &version.id);
        let _ = write!(
            body,
            "<NextKeyMarker>{key}</NextKeyMarker><NextVersionIdMarker>{id}</NextVersionIdMarker>"
        );
    }
    Answered::xml(format!("<ListVersionsResult>{body}</ListVersionsResult>"))
}

fn escaped(text: &str) -> String {
    let special: BTreeSet<char> = ['&', '<', '>', '\r', '\n', '\t'].into();
    text.chars()
        .map(|c| match c {
            c if special.contains(&c) => format!("&#{};", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}
