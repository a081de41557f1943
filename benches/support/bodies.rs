//! The contestants' bodies, all with a keep-alive of 15 seconds, of typical events.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ::axum::response::{IntoResponse, Sse as AxumSse, sse::KeepAlive as AxumKeepAlive};
use actix_web::body::MessageBody;
use actix_web_lab::sse::Sse as ActixSse;
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tower_sse::{Data, KeepAlive, SseBody};

use crate::events::{TYPE, Typical};
use crate::peers;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How often the task has been woken so far.
pub type Clock = Arc<AtomicU64>;

/// When events are ready.
#[derive(Clone, Copy, PartialEq)]
pub enum Pace {
    /// All of them at once.
    Ready,
    /// This many each time the task is woken.
    PerWake(u32),
}

/// The numbers up to an end, at a pace.
pub struct Numbers {
    next: u64,
    end: u64,
    pace: Pace,
    clock: Clock,
}

impl Numbers {
    pub fn new(end: u64, pace: Pace, clock: Clock) -> Self {
        Self {
            next: 0,
            end,
            pace,
            clock,
        }
    }

    /// None, and no end.
    pub fn idle() -> Self {
        Self::new(1, Pace::PerWake(1), Clock::default())
    }
}

impl Stream for Numbers {
    type Item = u64;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        if self.next == self.end {
            return Poll::Ready(None);
        }
        if let Pace::PerWake(count) = self.pace
            && self.clock.load(Ordering::Relaxed) * u64::from(count) <= self.next
        {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.next += 1;
        Poll::Ready(Some(self.next - 1))
    }
}

pub fn axum(
    numbers: Numbers,
    events: Typical,
) -> impl Body<Data = Bytes, Error: Into<BoxError>> + Unpin {
    let events = numbers.map(move |n| ok(peers::axum(events.id(n), events.data(n))));
    AxumSse::new(events)
        .keep_alive(AxumKeepAlive::default())
        .into_response()
        .into_body()
}

pub fn sse_stream(
    numbers: Numbers,
    events: Typical,
) -> impl Body<Data = Bytes, Error: Into<BoxError>> {
    let events = numbers.map(move |n| ok(peers::sse_stream(events.id(n), events.data(n))));
    sse_stream::SseBody::<_, TokioSleep>::new_keep_alive(events, sse_stream::KeepAlive::default())
}

pub fn actix(numbers: Numbers, events: Typical) -> impl Body<Data = Bytes, Error: Into<BoxError>> {
    let events = numbers.map(move |n| ok(peers::actix(events.id(n), events.data(n)).into()));
    Actix::new(ActixSse::from_stream(events).with_keep_alive(Duration::from_secs(15)))
}

pub fn ours(numbers: Numbers, events: Typical) -> impl Body<Data = Bytes, Error: Into<BoxError>> {
    let events = numbers.map(move |n| ok(peers::ours(events.id(n), events.data(n).to_owned())));
    SseBody::new(events).keep_alive(KeepAlive::default())
}

pub fn ours_fixed(
    numbers: Numbers,
    events: Typical,
) -> impl Body<Data = Bytes, Error: Into<BoxError>> {
    let events =
        numbers.map(move |n| ok(peers::ours(events.id(n), Data::from_static(events.data(n)))));
    SseBody::new(events).keep_alive(KeepAlive::default())
}

pub fn ours_written(
    numbers: Numbers,
    events: Typical,
) -> impl Body<Data = Bytes, Error: Into<BoxError>> {
    SseBody::writer(numbers.map(ok), move |n, out| {
        peers::ours_written(out, events.id(n), events.data(n));
        Ok(())
    })
    .keep_alive(KeepAlive::default())
}

/// The least that a body can do: no heartbeats, no checks, and each event's bytes written once, into a
/// frame of their own or of 8 KiB.
pub struct Least {
    numbers: Numbers,
    events: Typical,
    frame: usize,
    /// The length of the last frame, for which the next one has room.
    usual: usize,
    owns: bool,
}

/// Events of a `String`, one in each frame.
pub fn least(numbers: Numbers, events: Typical) -> Least {
    Least {
        numbers,
        events,
        frame: 0,
        usual: 0,
        owns: true,
    }
}

/// From borrowed text, as many as there are or fill 8 KiB.
pub fn least_written(numbers: Numbers, events: Typical) -> Least {
    Least {
        numbers,
        events,
        frame: 8 << 10,
        usual: 0,
        owns: false,
    }
}

impl Least {
    fn write(&self, n: u64, out: &mut Vec<u8>) {
        let (id, data) = (self.events.id(n), self.events.data(n));
        // What its user would give away.
        let owned = self.owns.then(|| data.to_owned());
        let data = std::hint::black_box(owned.as_deref().unwrap_or(data));
        if out.capacity() == 0 {
            out.reserve_exact(
                self.usual
                    .max(7 + TYPE.len() + 5 + id.len() + 7 + data.len() + 2),
            );
        }
        for part in ["event: ", TYPE, "\nid: ", id, "\ndata: ", data, "\n\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

impl Body for Least {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut out = Vec::new();
        loop {
            match Pin::new(&mut self.numbers).poll_next(cx) {
                Poll::Ready(Some(n)) => self.write(n, &mut out),
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Ready(None) if out.is_empty() => return Poll::Ready(None),
                // The stream ends or is pending again when it is next polled.
                _ => break,
            }
            if out.len() + 256 > self.frame {
                break;
            }
        }
        if self.frame > 0 {
            self.usual = out.len();
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(out)))))
    }
}

fn ok<T>(value: T) -> Result<T, Infallible> {
    Ok(value)
}

pin_project! {
    /// What sse-stream asks its user for.
    pub struct TokioSleep {
        #[pin]
        sleep: tokio::time::Sleep,
    }
}

impl Future for TokioSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl sse_stream::Timer for TokioSleep {
    fn from_duration(time: Duration) -> Self {
        Self {
            sleep: tokio::time::sleep(time),
        }
    }

    fn reset(self: Pin<&mut Self>, instant: Instant) {
        self.project().sleep.reset(instant.into());
    }
}

pin_project! {
    /// actix's own kind of body as an `http_body::Body`.
    pub struct Actix<B> {
        #[pin]
        body: B,
    }
}

impl<B> Actix<B> {
    pub fn new(body: B) -> Self {
        Self { body }
    }
}

impl<B: MessageBody> Body for Actix<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let bytes = self.project().body.poll_next(cx).map_ok(Frame::data);
        // actix's errors stay on their thread.
        bytes.map_err(|error| error.into().to_string().into())
    }
}
