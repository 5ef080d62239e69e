//! What a client gets that one of the [faults](super::Fault) befalls.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Response, header};

use super::body::Body;
use super::faults::DELAY;
use super::{ApiError, Fault, Outcome, Shared, answer, lock, memory};
use crate::serve::HangUp;

impl Shared {
    /// Carries out a call that `fault` befalls; a silence lasts `silence`.
    pub(super) async fn befall(
        &self,
        fault: Fault,
        silence: Duration,
        operation: &str,
        request: Request<Bytes>,
    ) -> Outcome {
        if fault == Fault::Stale {
            return self.answer_stale(operation, request).await;
        }
        self.note(fault);
        let told = |error: ApiError| Ok((error.respond(operation), true));
        match fault {
            Fault::Delayed => {
                tokio::time::sleep(DELAY).await;
                self.pass(operation, request).await
            }
            Fault::Refused => told(answer::refused(operation)),
            Fault::Broken => told(answer::broken(operation)),
            Fault::BrokenAfterWork => {
                self.forward(request).await?;
                told(answer::broken(operation))
            }
            Fault::Unavailable => told(answer::unavailable(operation)),
            Fault::UnavailableAfterWork => {
                self.forward(request).await?;
                told(answer::unavailable(operation))
            }
            Fault::Throttled if operation == "dynamodb:TransactWriteItems" => {
                Ok((answer::transaction_throttled(request.body()), true))
            }
            Fault::Throttled => told(answer::throttled(operation)),
            Fault::HungUp => Err(HangUp),
            Fault::HungUpAfterWork => {
                self.forward(request).await?;
                Err(HangUp)
            }
            Fault::Silent => {
                tokio::time::sleep(silence).await;
                Err(HangUp)
            }
            Fault::SilentAfterWork => {
                self.forward(request).await?;
                tokio::time::sleep(silence).await;
                Err(HangUp)
            }
            Fault::CutBody | Fault::CutDocument => self.answer_cut(fault, request).await,
            Fault::EmptyPage => {
                let (head, body) = request.into_parts();
                let pages = &mut lock(&self.state).pages;
                Ok((pages.empty(operation, &head.uri, &body), true))
            }
            Fault::Stale => self.pass(operation, request).await,
        }
    }

    /// The first half of what the emulator answers, as the whole or with more promised.
    async fn answer_cut(&self, fault: Fault, request: Request<Bytes>) -> Outcome {
        let (mut head, body) = self.forward(request).await?;
        // Of the whole that is not sent.
        head.headers.remove(header::CONTENT_LENGTH);
        let body = if fault == Fault::CutBody {
            Body::cut(&body)
        } else {
            Body::whole(body.slice(..body.len() / 2))
        };
        Ok((Response::from_parts(head, body), true))
    }

    /// What was true before, or what is true where nothing is known that was.
    async fn answer_stale(&self, operation: &str, request: Request<Bytes>) -> Outcome {
        let (head, body) = request.into_parts();
        let asked = memory::asked(&head, &body);
        let (head, body) = self.forward(Request::from_parts(head, body)).await?;
        let stale = {
            let memory = &mut lock(&self.state).memory;
            let stale = memory.stale(&asked, operation, (head.status, &body));
            memory.keep(asked, head.status, &body);
            stale
        };
        if let Some(stale) = stale {
            self.note(Fault::Stale);
            return Ok((stale, true));
        }
        Ok((Response::from_parts(head, Body::whole(body)), false))
    }

    fn note(&self, fault: Fault) {
        *lock(&self.state).struck.entry(fault).or_default() += 1;
    }
}
