//! hyper's server on a connection that swallows what is sent.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use hyper::rt::{Executor, Read, ReadBufCursor, Write};
use hyper::service::service_fn;

use crate::bodies::{BoxError, Clock};

#[derive(Clone, Copy, PartialEq)]
pub enum Version {
    Http1,
    Http2,
}

const HTTP1_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// A client that lets the server send 2 GiB, so that it has nothing more to say.
const HTTP2_REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff\
    \x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\xff\x00\x00\
    \x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x01x";

/// Serves one response with this body and returns what was written.
///
/// There is no runtime whose cost would be measured with it: the connection and what it spawns are
/// polled in turn, and each time the clock is advanced by one.
pub fn serve<B>(version: Version, body: B, clock: &Clock, keep: bool) -> Written
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    let sink = Sink::new(version, keep);
    let written = sink.written.clone();
    let body = RefCell::new(Some(body));
    let service = service_fn(|_| {
        let body = body.borrow_mut().take().expect("one request");
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let tasks = Tasks::default();
    match version {
        Version::Http1 => {
            let server = hyper::server::conn::http1::Builder::new();
            tasks.run(server.serve_connection(sink, service), clock);
        }
        Version::Http2 => {
            let server = hyper::server::conn::http2::Builder::new(tasks.clone());
            tasks.run(server.serve_connection(sink, service), clock);
        }
    }
    written.take()
}

/// What a connection has spawned.
#[derive(Clone, Default)]
struct Tasks(Rc<RefCell<Vec<Task>>>);

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Tasks {
    /// Runs until the connection or all that it has spawned is done.
    fn run<F>(&self, connection: F, clock: &Clock)
    where
        F: Future<Output = hyper::Result<()>>,
    {
        let mut connection = pin!(connection);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut running: Vec<Task> = Vec::new();
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return result.unwrap();
            }
            let spawned = running.len();
            running.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            if running.len() < spawned {
                // Sends what the last one has left.
                return assert!(connection.poll(cx).is_pending());
            }
            running.append(&mut self.0.borrow_mut());
            clock.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<F: Future + 'static> Executor<F> for Tasks {
    fn execute(&self, future: F) {
        self.0
            .borrow_mut()
            .push(Box::pin(async { _ = future.await }));
    }
}

#[derive(Default)]
pub struct Written {
    pub len: usize,
    /// The bytes, if wanted.
    pub kept: Vec<u8>,
}

struct Sink {
    request: &'static [u8],
    keep: bool,
    written: Rc<RefCell<Written>>,
}

impl Sink {
    fn new(version: Version, keep: bool) -> Self {
        let request = match version {
            Version::Http1 => HTTP1_REQUEST,
            Version::Http2 => HTTP2_REQUEST,
        };
        let written = Rc::default();
        Self {
            request,
            keep,
            written,
        }
    }
}

impl Read for Sink {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        mut to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.request.is_empty() {
            return Poll::Pending;
        }
        let (now, later) = self
            .request
            .split_at(self.request.len().min(to.remaining()));
        to.put_slice(now);
        self.request = later;
        Poll::Ready(Ok(()))
    }
}

impl Write for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = self.written.borrow_mut();
        if self.keep {
            written
                .kept
                .extend(slices.iter().flat_map(|slice| slice.iter()));
        }
        let len = slices.iter().map(|slice| slice.len()).sum();
        written.len += len;
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The body's bytes out of what was written.
pub fn body(version: Version, written: &[u8]) -> Vec<u8> {
    match version {
        Version::Http1 => dechunked(written),
        Version::Http2 => data_frames(written),
    }
}

fn dechunked(written: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let head = written
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .unwrap()
        + 4;
    let mut rest = &written[head..];
    loop {
        let line = rest.windows(2).position(|end| end == b"\r\n").unwrap();
        let len = std::str::from_utf8(&rest[..line]).unwrap();
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..][..len]);
        rest = &rest[line + 2 + len + 2..];
    }
}

fn data_frames(mut written: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let [a, b, c, kind, _flags, _, _, _, _, rest @ ..] = written {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        if *kind == 0 {
            body.extend_from_slice(&rest[..len]);
        }
        written = &rest[len..];
    }
    body
}
