//! An HTTP server on a free loopback port, on a thread and runtime of its own.
//!
//! Its own, because each test has a runtime that ends with the test, while an
//! instrument may be shared by many.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What a handler returns when the connection is to be closed without an answer.
#[derive(Debug)]
pub(crate) struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("connection closed on purpose")
    }
}

impl std::error::Error for HangUp {}

/// An answer, or the wish to hang up.
pub(crate) type Answer<B = Full<Bytes>> = Result<Response<B>, HangUp>;

/// What a body may break off with.
type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A running server; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that answers each request with what `handler` returns.
    pub(crate) fn start<H, F, B>(name: &str, handler: H) -> io::Result<Self>
    where
        H: Fn(Request<Incoming>, SocketAddr) -> F + Send + Sync + 'static,
        F: Future<Output = Answer<B>> + Send + 'static,
        B: Body<Data: Send, Error: Into<BodyError>> + Send + 'static,
    {
        Self::start_over(name, None, handler)
    }

    /// As [`Server::start`], over TLS where there is an acceptor.
    pub(crate) fn start_over<H, F, B>(
        name: &str,
        tls: Option<TlsAcceptor>,
        handler: H,
    ) -> io::Result<Self>
    where
        H: Fn(Request<Incoming>, SocketAddr) -> F + Send + Sync + 'static,
        F: Future<Output = Answer<B>> + Send + 'static,
        B: Body<Data: Send, Error: Into<BodyError>> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(accept(listener, stopped, tls, Arc::new(handler))))?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Server({})", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn accept<H, F, B>(
    listener: TcpListener,
    stopped: oneshot::Receiver<Infallible>,
    tls: Option<TlsAcceptor>,
    handler: Arc<H>,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Answer<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<BodyError>> + Send + 'static,
{
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let accepting = async {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                continue;
            };
            stream.set_nodelay(true).ok();
            let handler = Arc::clone(&handler);
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    None => serve(stream, peer, handler).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, peer, handler).await;
                        }
                    }
                }
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = stopped => {}
    }
}

async fn serve<S, H, F, B>(stream: S, peer: SocketAddr, handler: Arc<H>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Request<Incoming>, SocketAddr) -> F,
    F: Future<Output = Answer<B>>,
    B: Body<Error: Into<BodyError>> + 'static,
{
    let service = service_fn(|request| handler(request, peer));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that hangs up, or is hung up on, is nobody's error.
    connection.await.ok();
}
