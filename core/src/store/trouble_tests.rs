use super::*;

const NO_PROVIDER: &str = "dispatch failure: other: the credential provider was not enabled: no \
    credentials found in chain. Attempted:\n  Profile: the credential provider was not enabled";
const LOADING: &str = "dispatch failure: other: an error occurred while loading credentials";

fn answer(code: Option<&str>, message: Option<&str>, status: u16) -> Trouble {
    Trouble::of_answer("s3:GetObject", code, message, Some(status))
}

#[test]
fn the_code_decides_the_kind() {
    for (code, kind) in [
        ("AccessDenied", ErrorKind::AccessDenied),
        ("UnauthorizedOperation", ErrorKind::AccessDenied),
        ("ExpiredToken", ErrorKind::Credentials),
        ("InvalidClientTokenId", ErrorKind::Credentials),
        ("RequestTimeTooSkewed", ErrorKind::Clock),
        ("RequestExpired", ErrorKind::Clock),
        ("Throttling", ErrorKind::Throttled),
        ("SlowDown", ErrorKind::Throttled),
        ("NoSuchKey", ErrorKind::Missing),
        ("KMS.DisabledException", ErrorKind::Key),
        ("ValidationError", ErrorKind::Refused),
    ] {
        assert_eq!(answer(Some(code), None, 400).kind, kind, "{code}");
    }
    for (status, kind) in [
        (403, ErrorKind::AccessDenied),
        (404, ErrorKind::Missing),
        (500, ErrorKind::Refused),
    ] {
        assert_eq!(answer(None, None, status).kind, kind, "{status}");
    }
}

#[test]
fn a_signature_of_another_time_is_the_clocks_fault_and_no_wrong_key() {
    let of = |message| answer(Some("InvalidSignatureException"), Some(message), 403);
    let early =
        of("Signature not yet current: 20261120T120000Z is still later than 20261120T110000Z");
    let late = of("Signature expired: 20261120T100000Z is now earlier than 20261120T110000Z");
    for trouble in [early, late] {
        assert_eq!(trouble.kind, ErrorKind::Clock);
        assert!(trouble.way_out.unwrap().contains("clock"));
    }
    let wrong = of("The request signature we calculated does not match the signature you provided");
    assert_eq!(wrong.kind, ErrorKind::Credentials);
    assert!(wrong.way_out.unwrap().contains("AWS_SECRET_ACCESS_KEY"));
}

#[test]
fn without_an_answer_the_causes_decide() {
    let session = "an error occurred while loading an access token";
    let role = "service error: unhandled error (AccessDenied): Error { code: \"AccessDenied\", \
                message: \"User: arn:aws:iam::1:user/u is not authorized to perform: \
                sts:AssumeRole on resource: arn:aws:iam::1:role/r\" }";
    for (chain, kind, told, way_out) in [
        (
            NO_PROVIDER.to_owned(),
            ErrorKind::Credentials,
            "no usable AWS credentials",
            "aws sso login",
        ),
        (
            format!("{LOADING}: {session}: failed to load the cached SSO token"),
            ErrorKind::Credentials,
            "there is no single sign-on session",
            "aws sso login --profile <profile>",
        ),
        (
            format!("{LOADING}: {session}: the SSO token has expired and cannot be refreshed"),
            ErrorKind::Credentials,
            "the single sign-on session has expired",
            "aws sso login --profile <profile>",
        ),
        (
            format!("{LOADING}: failed to read `/h/.aws/sso/cache/3947.json`: No such file"),
            ErrorKind::Credentials,
            "there is no single sign-on session",
            "aws sso login --profile <profile>",
        ),
        (
            format!("{LOADING}: service error: UnauthorizedException: Session token not found"),
            ErrorKind::Credentials,
            "the single sign-on session has expired",
            "aws sso login --profile <profile>",
        ),
        (
            format!("{LOADING}: failed to read `/h/.aws/login/cache/2ff2.json`: No such file"),
            ErrorKind::Credentials,
            "there is no session of `aws login`",
            "aws login --profile <profile>",
        ),
        (
            format!("{LOADING}: {role}"),
            ErrorKind::Credentials,
            "the role of the profile cannot be assumed",
            "sts:AssumeRole",
        ),
        (
            format!("{LOADING}: dispatch failure: io error: tcp connect error: refused"),
            ErrorKind::Credentials,
            "the service that gives the credentials did not answer",
            "network",
        ),
        (
            "Invalid Configuration: A region must be set when sending requests to S3.".to_owned(),
            ErrorKind::Region,
            "no AWS region is set",
            "--region",
        ),
        (
            "dispatch failure: io error: client error (Connect): dns error: failed to lookup \
             address information: Name or service not known"
                .to_owned(),
            ErrorKind::Unreachable,
            "does not resolve",
            "--region",
        ),
    ] {
        let trouble = Trouble::without_answer(&chain);
        assert_eq!(trouble.kind, kind, "{chain}");
        let (words, way) = (trouble.told.unwrap(), trouble.way_out.unwrap());
        assert!(words.contains(told), "{words} for {chain}");
        assert!(way.contains(way_out), "{way} for {chain}");
    }
    let refused =
        "dispatch failure: io error: tcp connect error: Connection refused (os error 111)";
    let trouble = Trouble::without_answer(refused);
    assert_eq!(trouble.kind, ErrorKind::Unreachable);
    assert_eq!(
        trouble.told.unwrap(),
        "no answer: Connection refused (os error 111)"
    );
}

#[test]
fn what_a_credential_process_wrote_is_not_told() {
    for chain in [
        format!(
            "{LOADING}: Error retrieving credentials: external process exited with code exit \
             status: 3. Stderr: hush, profile x"
        ),
        format!(
            "{LOADING}: Error retrieving credentials from external process, could not parse \
             response: invalid JSON in response: hush"
        ),
    ] {
        let trouble = Trouble::without_answer(&chain);
        let told = trouble.told.unwrap();
        assert!(
            told.contains("credential_process") && !told.contains("hush"),
            "{told}"
        );
    }
}

#[test]
fn what_a_credential_process_wrote_chooses_no_other_cause() {
    for wrote in [
        "no credential source for profile p (token hush)",
        "the sso token has expired: hush",
        "profile hush was not defined",
        "infinite loop in profile hush",
        "cannot assume the role of profile hush",
        "could not parse profile file hush",
        "no identity hush",
        "dns error: hush",
    ] {
        for said in [
            format!(
                "Error retrieving credentials: external process exited with code 3. Stderr: {wrote}"
            ),
            format!(
                "Error retrieving credentials from external process, could not parse response: {wrote}"
            ),
        ] {
            let trouble = Trouble::without_answer(&format!("{LOADING}: {said}"));
            assert_eq!(trouble.told.as_deref(), Some(PROCESS), "{wrote}");
            assert_eq!(trouble.way_out.as_deref(), Some(RUN_PROCESS), "{wrote}");
        }
    }
}

#[test]
fn what_the_sdk_says_of_a_profile_is_told_without_what_follows() {
    let chain = format!(
        "{NO_PROVIDER}: profile `none` was not defined: could not find source profile none \
         referenced from badsource\n  Default: the credential provider was not enabled"
    );
    let told = Trouble::without_answer(&chain).told.unwrap();
    assert_eq!(
        told,
        "a profile is missing: profile `none` was not defined: could not find source profile none \
         referenced from badsource"
    );
}

fn way_out(action: &str, message: &str) -> String {
    let denied = Trouble::of_answer(action, Some("AccessDenied"), Some(message), Some(403));
    denied.way_out.unwrap()
}

#[test]
fn a_refusal_names_the_action_even_where_the_service_does_not() {
    let hint = way_out("s3:GetObjectVersion", "Access Denied");
    assert!(
        hint.starts_with("your credentials need s3:GetObjectVersion: "),
        "{hint}"
    );
    assert!(hint.contains("restorers or operators"), "{hint}");
    // The restorer's own policy may ask for a second factor.
    let factor = " (or sign in with a second factor, where the stack asks for one)";
    assert!(hint.ends_with(factor), "{hint}");
    let deployer = way_out("dynamodb:DescribeTable", "Access Denied");
    assert!(deployer.ends_with("policy deployer` prints"), "{deployer}");
    // A HEAD has no body at all.
    let head = Trouble::of_answer("s3:ListBucket", None, None, Some(403));
    assert!(head.way_out.unwrap().contains("need s3:ListBucket: "));
    let unknown = way_out("dynamodb:CreateTable", "Access Denied");
    assert!(
        unknown.ends_with("add it to your user or role"),
        "{unknown}"
    );
}

#[test]
fn what_the_service_names_counts() {
    let hint = way_out(
        "ssm:GetParameterHistory",
        "User: arn:aws:sts::1:assumed-role/r/me is not authorized to perform: kms:Decrypt on \
         resource: arn:aws:kms:eu-west-1:1:key/k because no identity-based policy allows it",
    );
    let expected = "your credentials (arn:aws:sts::1:assumed-role/r/me) need kms:Decrypt on \
                    arn:aws:kms:eu-west-1:1:key/k: ";
    assert!(hint.starts_with(expected), "{hint}");
    let sealed = "The ciphertext refers to a customer master key that does not exist, does not \
                  exist in this region, or you are not allowed to access.";
    assert!(way_out("s3:GetObject", sealed).contains("need kms:Decrypt"));
    let denied = way_out(
        "ssm:PutParameter",
        "User: arn:aws:iam::1:user/u is not authorized to perform: ssm:PutParameter on resource: \
         arn:aws:ssm:eu-west-1:1:parameter/app/db with an explicit deny in an identity-based policy",
    );
    assert!(
        denied.contains("denies ssm:PutParameter on arn:aws:ssm"),
        "{denied}"
    );
    assert!(!denied.contains("attach"), "{denied}");
}

#[test]
fn a_refusal_without_a_body_names_the_action() {
    let refused = Trouble::of_answer("s3:ListBucket", None, None, Some(403));
    assert_eq!(refused.kind, ErrorKind::AccessDenied);
    let told = refused.told.unwrap();
    assert_eq!(
        told,
        "the service answered s3:ListBucket with HTTP status 403"
    );
    let other = Trouble::of_answer("s3:ListBucket", None, None, Some(500));
    let told = other.told.unwrap();
    assert_eq!(told, "the service answered with HTTP status 500");
}
