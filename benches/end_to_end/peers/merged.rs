//! The least that a server can do for one subscriber at full speed: events are written to the end of one
//! buffer, and hyper gets all of it as one frame. There is no history, no heartbeat, no look for line
//! breaks, and no patience.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{Channel, Flags};
use crate::Outcome;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// How many events are in the buffer.
    pending: AtomicUsize,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    task: Option<Waker>,
}

#[derive(Clone, Default)]
struct Merged(Arc<Shared>);

impl Channel for Merged {
    fn send(&self, id: u64, data: String) {
        let mut state = self.0.state.lock().expect("no panic");
        let buffer = &mut state.buffer;
        buffer.extend_from_slice(b"id: ");
        buffer.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
        buffer.extend_from_slice(b"\ndata: ");
        buffer.extend_from_slice(data.as_bytes());
        buffer.extend_from_slice(b"\n\n");
        self.0.pending.fetch_add(1, Ordering::Relaxed);
        let task = state.task.take();
        drop(state);
        task.inspect(Waker::wake_by_ref);
    }

    async fn send_soon(&self, id: u64, data: String) {
        self.send(id, data);
    }

    fn behind(&self) -> usize {
        self.0.pending.load(Ordering::Relaxed)
    }
}

impl Body for Merged {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut state = self.0.state.lock().expect("no panic");
        if state.buffer.is_empty() {
            state.task = Some(cx.waker().clone());
            return Poll::Pending;
        }
        // The next is probably as long.
        let room = Vec::with_capacity(state.buffer.len());
        let bytes = mem::replace(&mut state.buffer, room);
        self.0.pending.store(0, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes)))))
    }
}

async fn answer(
    merged: Merged,
    request: Request<Incoming>,
) -> Response<Either<Merged, Full<Bytes>>> {
    if request.method() == Method::POST {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let said = super::publish(merged, query).await;
        return Response::new(Either::Right(Full::from(said)));
    }
    Response::new(Either::Left(merged))
}

async fn serve(flags: Flags) -> std::io::Result<()> {
    let merged = Merged::default();
    let listener = TcpListener::bind(("127.0.0.1", flags.port)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let merged = merged.clone();
        tokio::spawn(async move {
            _ = socket.set_nodelay(true);
            let service = service_fn(move |request| {
                let answer = answer(merged.clone(), request);
                async { Ok::<_, Infallible>(answer.await) }
            });
            _ = http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

pub(crate) fn run(flags: Flags) -> Outcome<()> {
    Ok(flags.runtime()?.block_on(serve(flags))?)
}
