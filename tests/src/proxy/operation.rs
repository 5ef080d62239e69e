//! Tells which API operation a request is.

use bytes::Bytes;
use hyper::Method;
use hyper::http::request::Parts;

/// Returns the operation as `service:Operation`.
///
/// The service is the one that the request was signed for. JSON services name
/// their operation in a header, query services in the form, CloudWatch in the
/// path, S3 in method, path and query. What is none of these is `service:METHOD /path`.
pub(crate) fn identify(head: &Parts, body: &Bytes) -> String {
    let target = header(head, "x-amz-target");
    if let Some((prefix, operation)) = target.and_then(|target| target.rsplit_once('.')) {
        return format!("{}:{operation}", json_service(prefix));
    }
    let service = signed_service(head).unwrap_or("unknown");
    if service == "s3" {
        return format!("s3:{}", s3_operation(head));
    }
    // What newer services speak: `/service/<a name of its own>/operation/<operation>`.
    if let Some((_, operation)) = head.uri.path().split_once("/operation/") {
        // CloudWatch signs with a name that IAM does not know it by.
        let service = if service == "monitoring" {
            "cloudwatch"
        } else {
            service
        };
        return format!("{service}:{operation}");
    }
    if let Some(operation) = form_action(body) {
        return format!("{service}:{operation}");
    }
    format!("{service}:{} {}", head.method, head.uri.path())
}

fn header<'head>(head: &'head Parts, name: &str) -> Option<&'head str> {
    head.headers.get(name)?.to_str().ok()
}

/// `X-Amz-Target` has a prefix of the service's own taste.
fn json_service(prefix: &str) -> String {
    match prefix {
        "AmazonSSM" => "ssm".to_owned(),
        "AmazonSQS" => "sqs".to_owned(),
        "AWSEvents" => "events".to_owned(),
        "TrentService" => "kms".to_owned(),
        _ if prefix.starts_with("DynamoDB_") => "dynamodb".to_owned(),
        _ if prefix.starts_with("Logs_") => "logs".to_owned(),
        _ => prefix.to_lowercase(),
    }
}

/// Reads the service off `Credential=<key>/<day>/<region>/<service>/aws4_request`.
fn signed_service(head: &Parts) -> Option<&str> {
    let (_, credential) = header(head, "authorization")?.split_once("Credential=")?;
    credential.split(',').next()?.split('/').nth(3)
}

fn form_action(body: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let fields = text.split('&').filter_map(|field| field.split_once('='));
    let action = fields.into_iter().find(|(name, _)| *name == "Action");
    action.map(|(_, operation)| operation.to_owned())
}

/// The subresources of S3 that have operations of their own, and what a bucket's and an object's are called.
const SUBRESOURCES: [(&str, &str, &str); 10] = [
    ("tagging", "BucketTagging", "ObjectTagging"),
    ("acl", "BucketAcl", "ObjectAcl"),
    ("versioning", "BucketVersioning", ""),
    ("lifecycle", "BucketLifecycleConfiguration", ""),
    ("encryption", "BucketEncryption", ""),
    ("policy", "BucketPolicy", ""),
    ("publicAccessBlock", "PublicAccessBlock", ""),
    ("object-lock", "ObjectLockConfiguration", ""),
    ("location", "BucketLocation", ""),
    ("attributes", "", "ObjectAttributes"),
];

fn s3_operation(head: &Parts) -> String {
    let path = head.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let fields: Vec<&str> = head.uri.query().unwrap_or_default().split('&').collect();
    let has = |wanted: &str| {
        let is_wanted = |field: &&str| field.split('=').next() == Some(wanted);
        fields.iter().any(is_wanted)
    };
    let verb = match head.method {
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        _ => "Get",
    };
    if let Some((_, of_bucket, of_object)) = SUBRESOURCES.iter().find(|(name, ..)| has(name)) {
        return format!(
            "{verb}{}",
            if key.is_empty() { of_bucket } else { of_object }
        );
    }
    let operation = match (&head.method, bucket.is_empty(), key.is_empty()) {
        (_, true, _) => "ListBuckets",
        (&Method::HEAD, _, true) => "HeadBucket",
        (&Method::HEAD, _, false) => "HeadObject",
        (&Method::PUT, _, true) => "CreateBucket",
        (&Method::PUT, _, false) if has("partNumber") => "UploadPart",
        (&Method::PUT, _, false) if header(head, "x-amz-copy-source").is_some() => "CopyObject",
        (&Method::PUT, _, false) => "PutObject",
        (&Method::DELETE, _, true) => "DeleteBucket",
        (&Method::DELETE, _, false) => "DeleteObject",
        (&Method::POST, _, true) if has("delete") => "DeleteObjects",
        (&Method::POST, _, false) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, _, false) if has("uploadId") => "CompleteMultipartUpload",
        (&Method::GET, _, true) if has("versions") => "ListObjectVersions",
        (&Method::GET, _, true) if has("list-type") => "ListObjectsV2",
        (&Method::GET, _, true) => "ListObjects",
        (&Method::GET, _, false) => "GetObject",
        _ => return format!("{} /{path}", head.method),
    };
    operation.to_owned()
}
