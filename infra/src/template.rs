//! The CloudFormation template, embedded in the binary.

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

/// Returns the template as it is sent to CloudFormation, which takes 51,200 bytes in a request.
pub fn body() -> String {
    without_comments(template())
}

/// Returns a template without the lines that are comments, and with no more indentation than YAML
/// needs. It must have no text that goes over several lines.
pub fn without_comments(template: &str) -> String {
    let mut body = String::with_capacity(template.len());
    // The levels around a line: the column where each begins, and where it begins in what is sent.
    let mut levels: Vec<(usize, usize)> = Vec::new();
    for line in template.lines() {
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let column = line.len() - text.len();
        levels.retain(|(begins, _)| *begins <= column);
        let level = match levels.last() {
            Some((begins, sent)) if *begins == column => *sent,
            around => around.map_or(0, |(_, sent)| sent + 1),
        };
        // What an item of a list holds begins two columns after its hyphen.
        let mut item = text;
        for depth in (0..).step_by(2) {
            levels.push((column + depth, level + depth));
            match item.strip_prefix("- ") {
                Some(held) => item = held,
                None => break,
            }
        }
        levels.dedup();
        body.extend([&line[..level], text, "\n"]);
    }
    body
}

/// Returns the version of the tool that this template belongs to.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
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

#[cfg(test)]
#[path = "granted_tests.rs"]
mod granted_tests;
