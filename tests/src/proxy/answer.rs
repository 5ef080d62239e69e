//! Errors as each service of AWS writes them.

use bytes::Bytes;
use hyper::Response;
use serde_json::json;

use super::body::Body;

/// An error to answer with; the service that was called decides its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: u16,
    code: String,
    message: String,
}

impl ApiError {
    /// An error such as `(400, "AccessDeniedException", "...")`.
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The answer of a service that broke; SDKs try again.
    pub fn internal() -> Self {
        Self::new(
            500,
            "InternalServerError",
            "We encountered an internal error. Please try again.",
        )
    }

    pub(super) fn respond(&self, operation: &str) -> Response<Body> {
        let (content_type, body) = self.written_for(operation);
        Response::builder()
            .status(self.status)
            .header("content-type", content_type)
            .header("x-amzn-errortype", &self.code)
            .header("x-amzn-requestid", "00000000-0000-0000-0000-000000000000")
            .body(Body::whole(Bytes::from(body)))
            .unwrap_or_default()
    }

    fn written_for(&self, operation: &str) -> (&'static str, Vec<u8>) {
        let Self { code, message, .. } = self;
        match service(operation) {
            "s3" => (
                "application/xml",
                format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
                    .into_bytes(),
            ),
            "cloudformation" | "sts" | "iam" | "sns" => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
                     <Message>{message}</Message></Error></ErrorResponse>"
                )
                .into_bytes(),
            ),
            "cloudwatch" => {
                // A map of two entries.
                let mut body = vec![0xa2];
                for text in ["__type", code, "message", message] {
                    body.extend(cbor_text(text));
                }
                ("application/cbor", body)
            }
            "dynamodb" => {
                let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
                let body = json!({"__type": kind, "message": message});
                ("application/x-amz-json-1.0", body.to_string().into_bytes())
            }
            _ => {
                let body = json!({"__type": code, "message": message});
                ("application/x-amz-json-1.1", body.to_string().into_bytes())
            }
        }
    }
}

/// A text in CBOR: its kind with a length of four bytes, then its bytes.
fn cbor_text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or_default();
    let head = std::iter::once(0x7a).chain(length.to_be_bytes());
    head.chain(text.bytes()).collect()
}

/// What a service answers that broke; SDKs try again.
pub(super) fn broken(operation: &str) -> ApiError {
    let (code, message) = match service(operation) {
        "s3" => (
            "InternalError",
            "We encountered an internal error. Please try again.",
        ),
        "cloudformation" | "sts" | "iam" => ("InternalFailure", "An internal error occurred."),
        _ => return ApiError::internal(),
    };
    ApiError::new(500, code, message)
}

/// What a service answers that is not there for the moment; SDKs try again.
pub(super) fn unavailable(operation: &str) -> ApiError {
    let code = match service(operation) {
        "sqs" => "ServiceUnavailableException",
        _ => "ServiceUnavailable",
    };
    ApiError::new(503, code, "Service is unable to handle request.")
}

/// What no SDK tries again.
pub(super) fn refused(operation: &str) -> ApiError {
    let code = match service(operation) {
        "s3" => "InvalidRequest",
        "cloudformation" | "sts" | "iam" => "ValidationError",
        _ => "ValidationException",
    };
    ApiError::new(400, code, "Not this time.")
}

/// What AWS answers to a call too many.
pub(super) fn throttled(operation: &str) -> ApiError {
    match service(operation) {
        "s3" => ApiError::new(503, "SlowDown", "Please reduce your request rate."),
        "dynamodb" => ApiError::new(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ),
        "cloudformation" | "sts" | "iam" => ApiError::new(400, "Throttling", "Rate exceeded"),
        _ => ApiError::new(400, "ThrottlingException", "Rate exceeded"),
    }
}

/// What `DynamoDB` answers to a transaction for which its table has no capacity left: a reason for
/// each item, here the first.
pub(super) fn transaction_throttled(request: &[u8]) -> Response<Body> {
    let asked: serde_json::Value = serde_json::from_slice(request).unwrap_or_default();
    let items = asked["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({"Code": "None"}); items.max(1)];
    reasons[0] =
        json!({"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity."});
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    Response::builder()
        .status(400)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amzn-requestid", "00000000-0000-0000-0000-000000000000")
        .body(Body::whole(Bytes::from(body.to_string())))
        .unwrap_or_default()
}

fn service(operation: &str) -> &str {
    operation.split(':').next().unwrap_or_default()
}
