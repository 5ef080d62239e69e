//! No answer that ends in its middle is taken for a shorter one.
//!
//! The SDK reads XML as far as it goes: of a listing that breaks off it makes one with fewer
//! entries, and no way to the next page.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Fails a call of the client that it is given to where the document that it was answered breaks
/// off. What is streamed, or no XML, is left to others: JSON that breaks off cannot be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct WholeDocuments;

/// The answer is XML, and has no end.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off in its middle")]
struct BrokenOff;

#[dyn_dispatch_hint]
impl Intercept for WholeDocuments {
    fn name(&self) -> &'static str {
        "WholeDocuments"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // What failed already has said so.
        if context.output_or_error().is_err() {
            return Ok(());
        }
        match context.response().body().bytes() {
            Some(body) if !is_whole(body) => Err(BrokenOff.into()),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a body is no XML, or its last tag ends its first one.
fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    if body.first() != Some(&b'<') {
        return true;
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let root = match text.strip_prefix("<?") {
        Some(declared) => declared.split_once("?>").map(|(_, root)| root.trim_start()),
        None => Some(text),
    };
    let Some(root) = root.and_then(|root| root.strip_prefix('<')) else {
        return false;
    };
    let name = root.split(|c: char| c.is_whitespace() || c == '>' || c == '/');
    let name = name.into_iter().next().unwrap_or_default();
    let ended = root.strip_suffix('>').map(str::trim_end);
    let ended = ended.and_then(|inner| inner.strip_suffix(name));
    let alone = root
        .strip_suffix("/>")
        .is_some_and(|tag| !tag.contains('>'));
    !name.is_empty() && (alone || ended.is_some_and(|inner| inner.ends_with("</")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
        <IsTruncated>true</IsTruncated><Contents><Key>\u{e9}</Key></Contents></ListBucketResult>\n";

    #[test]
    fn a_document_is_whole_where_its_last_tag_ends_its_first() {
        for whole in [
            LISTING,
            "",
            "{\"json\":",
            "<a/>",
            "<a b=\"c\" />",
            "<?xml version=\"1.0\"?><a></a>",
            "<a></a >",
        ] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
    }

    #[test]
    fn wherever_a_document_is_cut_it_is_not_whole() {
        let end = LISTING.trim_end().len();
        for cut in 1..end {
            assert!(!is_whole(&LISTING.as_bytes()[..cut]), "{cut}");
        }
        assert!(!is_whole(b"<a><a/>"));
    }
}
