//! The body of an answer: whole, or broken off before its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::serve::HangUp;

/// What is sent of a body, and what was promised of it.
#[derive(Debug, Default)]
pub(super) struct Body {
    left: Option<Bytes>,
    /// The length that the head tells.
    promised: usize,
    is_cut: bool,
}

impl Body {
    /// All of it.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self {
            promised: bytes.len(),
            left: Some(bytes).filter(|bytes| !bytes.is_empty()),
            is_cut: false,
        }
    }

    /// The first half; then the connection breaks. Of an empty body something is promised all the same.
    pub(super) fn cut(bytes: &Bytes) -> Self {
        let sent = bytes.slice(..bytes.len() / 2);
        Self {
            left: Some(sent).filter(|bytes| !bytes.is_empty()),
            promised: bytes.len().max(1),
            is_cut: true,
        }
    }

    /// The length that the head tells.
    pub(super) fn length(&self) -> usize {
        self.promised
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = HangUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        Poll::Ready(match self.left.take() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None => self.is_cut.then_some(Err(HangUp)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && !self.is_cut
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.promised).unwrap_or(u64::MAX))
    }
}
