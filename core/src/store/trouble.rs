//! What kept a call from its answer: one telling for every service.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::error::ErrorKind;
use super::rights;

/// What stands for the profile in use in the way out: who knows its name puts it in.
pub const PROFILE: &str = "<profile>";

/// Why a call failed, in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// The service's error code, where it gave one.
    pub code: Option<String>,
    /// What the service said, or what kept the call from reaching it.
    pub told: Option<String>,
    /// The way out that goes with exactly this one, where there is one.
    pub way_out: Option<String>,
}

impl Trouble {
    /// Judges what a call ended with; `action` is the right that it takes, as IAM spells it.
    pub fn of<E>(action: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        if status.is_none() {
            return Self::without_answer(&chain(error));
        }
        Self::of_answer(action, error.code(), error.message(), status)
    }

    fn of_answer(
        action: &str,
        code: Option<&str>,
        message: Option<&str>,
        status: Option<u16>,
    ) -> Self {
        let kind = match code {
            Some(code) => kind_of_code(code, message),
            None => kind_of_status(status),
        };
        // An answer without a body, to a HEAD, does not say what was refused.
        let to = if kind == ErrorKind::AccessDenied {
            format!("{action} with ")
        } else {
            "with ".to_owned()
        };
        let by_status = || status.map(|s| format!("the service answered {to}HTTP status {s}"));
        let told = message.map(str::to_owned).or_else(by_status);
        let way_out = match kind {
            ErrorKind::AccessDenied => Some(rights::way_out(
                action,
                message.unwrap_or_default(),
                code == Some("KMSAccessDeniedException"),
            )),
            ErrorKind::Credentials => Some(refused_credentials(code.unwrap_or_default())),
            ErrorKind::Clock => Some(CLOCK.to_owned()),
            ErrorKind::Key
            | ErrorKind::KeyGone
            | ErrorKind::Missing
            | ErrorKind::Throttled
            | ErrorKind::Region
            | ErrorKind::Unreachable
            | ErrorKind::Format
            | ErrorKind::Unfinished
            | ErrorKind::Stale
            | ErrorKind::Refused => None,
        };
        Self {
            kind,
            code: code.map(str::to_owned),
            told,
            way_out,
        }
    }

    /// No answer came; `chain` is what the SDK's error and its causes say.
    fn without_answer(chain: &str) -> Self {
        let lower = chain.to_lowercase();
        let found = CAUSES
            .iter()
            .find(|cause| cause.signs.iter().all(|sign| lower.contains(sign)));
        // From "dispatch failure" to what really happened.
        let deepest = chain.rsplit(": ").next().unwrap_or(chain);
        let deepest = deepest.lines().next().unwrap_or_default();
        match found {
            Some(cause) => Self {
                kind: cause.kind,
                code: None,
                told: Some(match (cause.detail, detail(chain)) {
                    (true, Some(detail)) => format!("{}: {detail}", cause.told),
                    _ => cause.told.to_owned(),
                }),
                way_out: Some(cause.way_out.to_owned()),
            },
            None => Self {
                kind: ErrorKind::Unreachable,
                code: None,
                told: Some(format!("no answer: {deepest}")),
                way_out: None,
            },
        }
    }
}

/// What is known of a cause by the words in what the SDK says.
struct Cause {
    /// All of them occur, in lower case.
    signs: &'static [&'static str],
    kind: ErrorKind,
    told: &'static str,
    /// Whether the SDK's own words for the profile follow.
    detail: bool,
    way_out: &'static str,
}

const SSO_LOGIN: &str = "sign in: aws sso login --profile <profile>";
const PROCESS: &str = "the credential_process of the profile gave no credentials";
const RUN_PROCESS: &str = "run the command that credential_process names in ~/.aws/config by hand, \
                           and mend what it says";
const CLOCK: &str =
    "this machine's clock is wrong: set it (timedatectl set-ntp true), then try again";

/// The first that fits counts.
const CAUSES: &[Cause] = &[
    Cause {
        // What the program wrote follows: it may hold a secret, and the words of any other cause.
        signs: &["error retrieving credentials", "external process"],
        kind: ErrorKind::Credentials,
        told: PROCESS,
        detail: false,
        way_out: RUN_PROCESS,
    },
    Cause {
        signs: &["sso", "expired"],
        kind: ErrorKind::Credentials,
        told: "the single sign-on session has expired",
        detail: false,
        way_out: SSO_LOGIN,
    },
    Cause {
        signs: &["sso-session", "was not found"],
        kind: ErrorKind::Credentials,
        told: "the profile is not set up rightly",
        detail: true,
        way_out: "set it up again: aws configure sso --profile <profile>",
    },
    Cause {
        signs: &["cached sso token"],
        kind: ErrorKind::Credentials,
        told: "there is no single sign-on session",
        detail: false,
        way_out: SSO_LOGIN,
    },
    Cause {
        signs: &["/sso/cache/"],
        kind: ErrorKind::Credentials,
        told: "there is no single sign-on session",
        detail: false,
        way_out: SSO_LOGIN,
    },
    Cause {
        // Nothing else that gives credentials answers so.
        signs: &["loading credentials", "unauthorizedexception"],
        kind: ErrorKind::Credentials,
        told: "the single sign-on session has expired",
        detail: false,
        way_out: SSO_LOGIN,
    },
    Cause {
        signs: &["sso", "token"],
        kind: ErrorKind::Credentials,
        told: "there is no valid single sign-on session",
        detail: false,
        way_out: SSO_LOGIN,
    },
    Cause {
        signs: &["/login/cache/"],
        kind: ErrorKind::Credentials,
        told: "there is no session of `aws login`",
        detail: false,
        way_out: "sign in: aws login --profile <profile>",
    },
    Cause {
        signs: &["was not defined"],
        kind: ErrorKind::Credentials,
        told: "a profile is missing",
        detail: true,
        way_out: "name one that there is with --profile or AWS_PROFILE (aws configure list-profiles)",
    },
    Cause {
        signs: &["infinite loop"],
        kind: ErrorKind::Credentials,
        told: "the profiles refer to each other without end",
        detail: true,
        way_out: "mend source_profile in ~/.aws/config",
    },
    Cause {
        signs: &["credential source"],
        kind: ErrorKind::Credentials,
        told: "the profile is not set up rightly",
        detail: true,
        way_out: "mend source_profile or credential_source in ~/.aws/config",
    },
    Cause {
        signs: &["credential", "process"],
        kind: ErrorKind::Credentials,
        told: PROCESS,
        detail: false,
        way_out: RUN_PROCESS,
    },
    Cause {
        signs: &["assume", "role"],
        kind: ErrorKind::Credentials,
        told: "the role of the profile cannot be assumed",
        detail: true,
        way_out: "the source profile needs sts:AssumeRole on role_arn, and the role has to trust it: \
                  try aws sts get-caller-identity --profile <profile>",
    },
    Cause {
        signs: &["could not parse profile file"],
        kind: ErrorKind::Credentials,
        told: "the AWS configuration cannot be read",
        detail: true,
        way_out: "mend ~/.aws/config and ~/.aws/credentials",
    },
    Cause {
        signs: &["loading credentials", "io error"],
        kind: ErrorKind::Credentials,
        told: "the service that gives the credentials did not answer",
        detail: false,
        way_out: "check the network, --region and --endpoint-url; the profile says where its \
                  credentials come from",
    },
    Cause {
        signs: &["dispatch failure", "credential"],
        kind: ErrorKind::Credentials,
        told: "no usable AWS credentials were found",
        detail: false,
        way_out: "sign in (aws sso login, aws configure), or name a profile with --profile or AWS_PROFILE",
    },
    Cause {
        signs: &["credential", "not enabled"],
        kind: ErrorKind::Credentials,
        told: "no usable AWS credentials were found",
        detail: false,
        way_out: "sign in (aws sso login, aws configure), or name a profile with --profile or AWS_PROFILE",
    },
    Cause {
        signs: &["identity"],
        kind: ErrorKind::Credentials,
        told: "no usable AWS credentials were found",
        detail: false,
        way_out: "sign in (aws sso login, aws configure), or name a profile with --profile or AWS_PROFILE",
    },
    Cause {
        signs: &["region must be set"],
        kind: ErrorKind::Region,
        told: "no AWS region is set",
        detail: false,
        way_out: "set one with --region, AWS_REGION or in the profile",
    },
    Cause {
        signs: &["dns error"],
        kind: ErrorKind::Unreachable,
        told: "the name of the service's endpoint does not resolve",
        detail: false,
        way_out: "is the region one that there is (--region)? is there a network (--endpoint-url)?",
    },
    Cause {
        signs: &["lookup address"],
        kind: ErrorKind::Unreachable,
        told: "the name of the service's endpoint does not resolve",
        detail: false,
        way_out: "is the region one that there is (--region)? is there a network (--endpoint-url)?",
    },
];

/// The part of a chain that tells of a profile. What a program wrote or a service answered is
/// not part of it.
fn detail(chain: &str) -> Option<String> {
    let of_a_profile = |part: &&str| part.contains("profile") || part.contains("sso-session");
    let parts: Vec<&str> = chain.split(": ").collect();
    let at = parts.iter().position(of_a_profile)?;
    let words = parts[at..].join(": ");
    // A chain of providers goes on with the next one in a line of its own.
    let words = words.lines().next().unwrap_or_default().trim_end();
    Some(words.chars().take(DETAIL_MAX).collect())
}

/// Characters.
const DETAIL_MAX: usize = 200;

fn refused_credentials(code: &str) -> String {
    match code {
        "ExpiredToken" | "ExpiredTokenException" => {
            "the temporary credentials have expired: get new ones (aws sso login --profile <profile>), \
             and unset AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN if they are old"
                .into()
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            "the secret key does not belong to the access key: check AWS_SECRET_ACCESS_KEY, or the \
             profile <profile> in ~/.aws/credentials"
                .into()
        }
        _ => "AWS does not know these credentials: sign in (aws sso login --profile <profile>), or \
              name another profile with --profile or AWS_PROFILE"
            .into(),
    }
}

/// What `error` and its causes say, each once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        cause = error.source();
    }
    parts.join(": ")
}

fn kind_of_code(code: &str, told: Option<&str>) -> ErrorKind {
    // Parameter Store wraps what KMS said in a code of its own.
    let told_of = |text: &str| told.is_some_and(|t| t.contains(text));
    match code {
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "KMSAccessDeniedException" => ErrorKind::AccessDenied,
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => ErrorKind::Clock,
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if told_of("not yet current") || told_of("Signature expired") =>
        {
            ErrorKind::Clock
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidToken"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => ErrorKind::Credentials,
        "KMS.NotFoundException" => ErrorKind::KeyGone,
        "InvalidKeyId" if told_of("NotFoundException") => ErrorKind::KeyGone,
        "InvalidKeyId"
        | "KMSInvalidStateException"
        | "KMS.DisabledException"
        | "KMSKeyInvalidStateException"
        | "KMS.KMSInvalidStateException" => ErrorKind::Key,
        "ResourceNotFoundException"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchVersion"
        | "NotFound"
        | "ParameterNotFound" => ErrorKind::Missing,
        "ThrottlingException"
        | "Throttling"
        | "TooManyUpdates"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        // Another writer's transaction holds the row for a moment.
        | "TransactionConflictException"
        | "ProvisionedThroughputExceededException"
        | "SlowDown" => ErrorKind::Throttled,
        "ValidationException"
            if told_of("key element")
                || told_of("Key element")
                || told_of("key schema")
                || told_of("key attributes") =>
        {
            ErrorKind::Format
        }
        _ => ErrorKind::Refused,
    }
}

/// A HEAD request has no body and so no code: its status must do.
fn kind_of_status(status: Option<u16>) -> ErrorKind {
    match status {
        Some(403) => ErrorKind::AccessDenied,
        Some(404) => ErrorKind::Missing,
        _ => ErrorKind::Refused,
    }
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
