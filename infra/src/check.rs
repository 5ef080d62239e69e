//! Tries a stack's function: it is invoked, and must answer that it reached everything it needs.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use serde::Deserialize;

use crate::aws::{AwsError, ErrorKind};
use crate::stack_name::StackName;

/// What the function is asked.
const TASK: &[u8] = br#"{"task":"check"}"#;
/// More than the function's own timeout.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(75);

/// How long to go on where the function is denied something: a role that has just been made is not
/// known everywhere at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The pause between two tries.
    pub pause: Duration,
    /// How long to go on in all.
    pub limit: Duration,
}

impl Patience {
    /// One try.
    pub const NONE: Self = Self {
        pause: Duration::ZERO,
        limit: Duration::ZERO,
    };
}

impl Default for Patience {
    /// Every three seconds, for a minute and a half: a policy that changed in the same update may take
    /// longer to be known everywhere than a role that is new.
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(3),
            limit: Duration::from_secs(90),
        }
    }
}

/// Invokes `function`, and returns once it has answered that it reached table, bucket and
/// Parameter Store for `stack`.
///
/// Where it was denied something it is asked again for as long as `patience` lasts. Any other
/// failure is told at once: a binary that does not start will not start later.
pub async fn function(
    sdk: &SdkConfig,
    stack: &StackName,
    function: &str,
    patience: Patience,
) -> Result<(), CheckError> {
    let client = client(sdk);
    let mut waited = Duration::ZERO;
    loop {
        match invoke(&client, stack, function).await {
            Err(error) if error.may_pass() && waited < patience.limit => {
                let pause = patience.pause.max(Duration::from_millis(10));
                tokio::time::sleep(pause).await;
                waited += pause;
            }
            result => return result,
        }
    }
}

/// A check may take as long as the function may run, and is not sent twice by itself.
fn client(sdk: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let config = aws_sdk_lambda::config::Builder::from(sdk)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .interceptor(ssmbak_core::store::Calls)
        .build();
    Client::from_conf(config)
}

async fn invoke(client: &Client, stack: &StackName, function: &str) -> Result<(), CheckError> {
    let answer = client
        .invoke()
        .function_name(function)
        .log_type(LogType::Tail)
        .payload(Blob::new(TASK))
        .send()
        .await
        .map_err(|e| AwsError::new("lambda:InvokeFunction", e))?;
    let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
    match answer.function_error() {
        None => judge(payload, stack),
        Some(_) => Err(failure(payload, answer.log_result())),
    }
}

#[derive(Deserialize)]
struct Answer {
    stack: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Failure {
    error_type: Option<String>,
    error_message: Option<String>,
}

/// What answers in another way is not the function of this stack.
fn judge(payload: &[u8], stack: &StackName) -> Result<(), CheckError> {
    match serde_json::from_slice::<Answer>(payload) {
        Ok(answer) if answer.stack == stack.as_str() => Ok(()),
        Ok(answer) => Err(CheckError::Stranger {
            answer: format!("it works for the stack {}", answer.stack),
        }),
        Err(_) => Err(CheckError::Stranger {
            answer: "its answer is not that of a function of ssmbak".into(),
        }),
    }
}

fn failure(payload: &[u8], log: Option<&str>) -> CheckError {
    let told: Failure = serde_json::from_slice(payload).unwrap_or_default();
    let log = log
        .and_then(|log| aws_smithy_types::base64::decode(log).ok())
        .and_then(|log| last_line(&String::from_utf8_lossy(&log)));
    let message = told.error_message.unwrap_or_default();
    CheckError::Failed {
        error_type: told.error_type.unwrap_or_else(|| "Unhandled".into()),
        // What the message says already is not told twice.
        log: log.filter(|line| message.is_empty() || !line.contains(&message)),
        message,
    }
}

/// Returns the last line that the function, or the runtime about its end, wrote itself.
fn last_line(log: &str) -> Option<String> {
    const FRAME: [&str; 5] = ["START ", "END ", "REPORT ", "INIT_START ", "XRAY "];
    log.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !FRAME.iter().any(|word| line.starts_with(word)))
        .map(str::to_owned)
}

/// Why a function is not known to work.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It did not answer, or answered that it cannot work.
    #[error("{error_type}: {message}{}", in_log(log.as_deref()))]
    Failed {
        /// What kind of failure it was, as Lambda or the function says.
        error_type: String,
        /// What was told of it.
        message: String,
        /// The last line of its log, where it tells more.
        log: Option<String>,
    },
    /// Something else answered.
    #[error("{answer}")]
    Stranger {
        /// What is wrong with the answer.
        answer: String,
    },
    /// It could not be asked: nothing is known of it.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

fn in_log(line: Option<&str>) -> String {
    line.map(|line| format!(" (its log ends: {line})"))
        .unwrap_or_default()
}

impl CheckError {
    /// Returns whether the function was asked, and does not work.
    pub fn is_verdict(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Stranger { .. } => true,
            Self::Aws(_) => false,
        }
    }

    /// Returns whether it may pass with time: a role or a function that is not known everywhere.
    fn may_pass(&self) -> bool {
        match self {
            Self::Failed {
                error_type,
                message,
                ..
            } => {
                let told = format!("{error_type} {message}").to_lowercase();
                ["accessdenied", "access denied", "not authorized"]
                    .iter()
                    .any(|word| told.contains(word))
            }
            Self::Stranger { .. } => false,
            // The caller's own lack of a permission does not pass.
            Self::Aws(error) => match error.code.as_deref() {
                Some("ResourceConflictException" | "KMSAccessDeniedException") => true,
                _ => error.kind == ErrorKind::Throttled,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> StackName {
        "prod".parse().unwrap()
    }

    fn failed(payload: &str, log: Option<&str>) -> CheckError {
        let log = log.map(aws_smithy_types::base64::encode);
        failure(payload.as_bytes(), log.as_deref())
    }

    #[test]
    fn a_function_answers_for_its_own_stack() {
        let answer = br#"{"version":"0.1.0","stack":"prod"}"#;
        assert!(judge(answer, &stack()).is_ok());
        let other = judge(br#"{"version":"0.1.0","stack":"test"}"#, &stack()).unwrap_err();
        assert_eq!(other.to_string(), "it works for the stack test");
        for strange in [&b"null"[..], b"", br#"{"batchItemFailures":[]}"#] {
            assert!(judge(strange, &stack()).unwrap_err().is_verdict());
        }
    }

    #[test]
    fn a_failure_tells_type_message_and_the_last_line_that_says_more() {
        let payload = r#"{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}"#;
        let log = "START RequestId: 1\nno such library\nEND RequestId: 1\nREPORT RequestId: 1\n";
        assert_eq!(
            failed(payload, Some(log)).to_string(),
            "Runtime.ExitError: exit status 1 (its log ends: no such library)"
        );
        let same = "START RequestId: 1\nError: exit status 1\nEND RequestId: 1\n";
        for log in [None, Some(same), Some("")] {
            let told = failed(payload, log).to_string();
            assert_eq!(told, "Runtime.ExitError: exit status 1");
        }
    }

    #[test]
    fn a_failure_that_tells_nothing_is_still_told() {
        let told = failed("", Some("last words")).to_string();
        assert_eq!(told, "Unhandled:  (its log ends: last words)");
    }

    #[test]
    fn only_what_is_denied_is_worth_another_try() {
        for denied in ["AccessDeniedException: no", "is not authorized to perform"] {
            let payload = format!(r#"{{"errorType":"x","errorMessage":"{denied}"}}"#);
            assert!(failed(&payload, None).may_pass(), "{denied}");
        }
        let dead = r#"{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}"#;
        assert!(!failed(dead, None).may_pass());
        assert!(!judge(b"null", &stack()).unwrap_err().may_pass());
    }
}
