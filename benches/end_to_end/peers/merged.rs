//! The least that a server can do for one subscriber, if it keeps the last events for those that resume:
//! events are written one after another into large buffers, of which each is a part, and hyper gets all
//! that is pending as one frame. There is no heartbeat, no look for line breaks, and no patience.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, Bytes, BytesMut};
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
    buffer: BytesMut,
    history: VecDeque<Bytes>,
    /// How many of the last events are pending, and their bytes.
    pending: (usize, usize),
    task: Option<Waker>,
}

/// How many events are kept, as by the others.
const RETAINED: usize = 2 * 1024;

/// The bytes of a buffer.
const BUFFER: usize = 64 * 1024;

#[derive(Clone, Default)]
struct Merged(Arc<Shared>);

impl Channel for Merged {
    fn send(&self, id: u64, data: String) {
        let mut state = self.0.state.lock().expect("no panic");
        let State {
            buffer,
            history,
            pending: (events, bytes),
            task,
        } = &mut *state;
        if buffer.capacity() < data.len() + 64 {
            *buffer = BytesMut::with_capacity(BUFFER.max(data.len() + 64));
        }
        buffer.put_slice(b"id: ");
        buffer.put_slice(itoa::Buffer::new().format(id).as_bytes());
        buffer.put_slice(b"\ndata: ");
        buffer.put_slice(data.as_bytes());
        buffer.put_slice(b"\n\n");
        let event = buffer.split().freeze();
        (*events, *bytes) = (*events + 1, *bytes + event.len());
        history.push_back(event);
        if history.len() > RETAINED {
            history.pop_front();
        }
        self.0.pending.store(*events, Ordering::Relaxed);
        let task = task.take();
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
        let (events, bytes) = std::mem::take(&mut state.pending);
        if events == 0 {
            state.task = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.0.pending.store(0, Ordering::Relaxed);
        let first = state.history.len() - events;
        if events == 1 {
            return Poll::Ready(Some(Ok(Frame::data(state.history[first].clone()))));
        }
        let mut frame = Vec::with_capacity(bytes);
        state
            .history
            .range(first..)
            .for_each(|event| frame.extend_from_slice(event));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(frame)))))
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
