//! Empty pages: the proxy answers one with a token of its own, and sends on what was asked when the
//! client comes back with it.

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, Uri};
use serde_json::json;

use super::body::Body;

/// What every token of this proxy begins with.
const TOKEN: &str = "empty-page-of-the-proxy-";

/// What was asked when an empty page was answered; its number is in the token.
#[derive(Debug, Default)]
pub(super) struct Pages(Vec<(Uri, Bytes)>);

impl Pages {
    /// An empty page, for a client that asked for `uri` with `body`.
    pub(super) fn empty(&mut self, operation: &str, uri: &Uri, body: &Bytes) -> Response<Body> {
        self.0.push((uri.clone(), body.clone()));
        let token = format!("{TOKEN}{}-", self.0.len() - 1);
        let (content_type, text) = page(operation, &token);
        Response::builder()
            .header("content-type", content_type)
            .header("x-amzn-requestid", "00000000-0000-0000-0000-000000000000")
            .body(Body::whole(Bytes::from(text)))
            .unwrap_or_default()
    }

    /// Puts what was asked first in the place of a request that comes with a token of this proxy.
    pub(super) fn follow(&self, head: &mut Parts, body: &mut Bytes) {
        let in_body = std::str::from_utf8(body).ok().and_then(number);
        let Some(number) = in_body.or_else(|| number(&head.uri.to_string())) else {
            return;
        };
        if let Some((uri, asked)) = self.0.get(number) {
            head.uri = uri.clone();
            *body = asked.clone();
        }
    }
}

fn number(text: &str) -> Option<usize> {
    let (_, after) = text.split_once(TOKEN)?;
    after.split_once('-')?.0.parse().ok()
}

fn page(operation: &str, token: &str) -> (&'static str, String) {
    match operation {
        "dynamodb:Query" | "dynamodb:Scan" => {
            let key = json!({"scope": {"S": token}, "entry": {"S": token}});
            let page = json!({"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": key});
            ("application/x-amz-json-1.0", page.to_string())
        }
        "s3:ListObjectsV2" => (
            "application/xml",
            format!(
                "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>0</KeyCount>\
                 <NextContinuationToken>{token}</NextContinuationToken></ListBucketResult>"
            ),
        ),
        "s3:ListObjectVersions" => (
            "application/xml",
            format!(
                "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>{token}</NextKeyMarker>\
                 <NextVersionIdMarker>{token}</NextVersionIdMarker></ListVersionsResult>"
            ),
        ),
        _ => {
            let page = json!({"Parameters": [], "NextToken": token});
            ("application/x-amz-json-1.1", page.to_string())
        }
    }
}
