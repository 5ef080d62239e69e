//! The CloudFormation template, embedded in the binary.

use sha2::{Digest, Sha256};

/// How the description of every stack of this template begins, whatever its version.
///
/// CloudFormation tells a stack's description in every state, a failed creation included: this is
/// how a stack of another tool is told from one of ours before anything is deleted.
pub const DESCRIPTION_PREFIX: &str = "ssmbak: ";

/// The template's parameter that names the function's processor.
pub const ARCHITECTURE: &str = "Architecture";
/// The template's parameter that names the bucket of the function's zip.
pub const CODE_BUCKET: &str = "CodeBucket";
/// The template's parameter that names the key of the function's zip.
pub const CODE_KEY: &str = "CodeKey";
/// The template's parameter that, set to `false`, lets the bucket be used over plain http.
pub const ENFORCE_TLS: &str = "EnforceTls";

/// Returns the text of the template.
pub fn template() -> &'static str {
    include_str!("../template.yaml")
}

/// Returns the template as it is sent to CloudFormation: without the lines that are comments, since a
/// request takes 51,200 bytes.
pub fn body() -> String {
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    let lines = template()
        .lines()
        .filter(|line| !is_comment(line) && !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Returns the version of the tool that this template belongs to.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Returns the SHA-256 of the template's text, in hexadecimal.
pub fn hash() -> String {
    hex(&Sha256::digest(template().as_bytes()))
}

/// Returns `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
