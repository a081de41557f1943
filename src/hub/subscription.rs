use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::Hub;
use super::deliveries::{Deliveries, Missed};
use super::delivery::Delivery;
use super::outcome::{Lag, Outcome};
use super::reading::Taken;
use super::state::Seat;
use super::trace;
#[cfg(feature = "tokio")]
use crate::body::KeepAlive;
use crate::body::{MaxAge, Prelude, SealedSource, Source, SseBody};
use crate::protocol::{Block, Event, Writer};
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

pub(super) type Filter = Box<dyn FnMut(&Delivery) -> bool + Send>;

/// How long the client of a long poll waits before it asks again.
const SHORT_RETRY: Duration = Duration::from_millis(100);

/// A subscriber's event stream, made by [`Hub::subscribe`], [`Hub::resume`] or a
/// [`Subscriber`](super::Subscriber).
///
/// It is an [`http_body::Body`] as it is. With heartbeats it is an [`SseBody`]:
/// [`keep_alive`](Self::keep_alive); and for all the other things that body can do,
/// [`into_body`](Self::into_body).
///
/// Its first block has no data, and the ID of where it begins, unless it resumes: a client that
/// loses the connection before the first event then misses nothing either. Where something may have
/// been missed, the gap event goes before that.
///
/// ```
/// use http_body_util::BodyExt;
/// use tower_sse::Event;
/// use tower_sse::hub::Hub;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::builder().epoch(36).build();
/// let mut body = hub.subscribe().unwrap();
/// hub.publish(Event::new("a"));
/// hub.publish(Event::new("b"));
/// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "id: 10-0\n\n");
/// let pending = "id: 10-1\ndata: a\n\nid: 10-2\ndata: b\n\n";
/// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), pending);
/// # }
/// ```
#[must_use = "a body does nothing until a server polls it"]
pub struct Subscription {
    hub: Hub,
    /// `None` once it has ended.
    seat: Option<Seat>,
    outcome: Outcome,
    /// There as long as something in it is; nearly always nothing is, and a body is small.
    extra: Option<Box<Extra>>,
}

/// What a subscription that just hands out frames does not have.
#[derive(Default)]
struct Extra {
    /// What goes out before anything else.
    first: Option<Block>,
    filter: Option<Filter>,
    /// What is left of a block with a shared payload, last chunk first.
    chunks: Vec<Bytes>,
    /// Ends when it has caught up and has sent something.
    once: bool,
    served: bool,
}

impl Subscription {
    pub(super) fn new(
        hub: Hub,
        seat: Seat,
        outcome: Outcome,
        begins_after: u64,
        filter: Option<Filter>,
    ) -> Self {
        let mut subscription = Self {
            hub,
            seat: Some(seat),
            outcome,
            extra: None,
        };
        let first = match outcome {
            Outcome::Fresh => Some(subscription.position(begins_after)),
            Outcome::Resumed(_) => None,
            Outcome::Gap | Outcome::Unknown => Some(subscription.gap_at(begins_after)),
        };
        if first.is_some() || filter.is_some() {
            let extra = subscription.extra.get_or_insert_default();
            (extra.first, extra.filter) = (first, filter);
        }
        subscription
    }

    /// How it began: whether the client has missed something.
    ///
    /// ```
    /// use tower_sse::hub::{Hub, Outcome};
    /// assert_eq!(Hub::new().subscribe()?.outcome(), Outcome::Fresh);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// A block without data that moves the client's last event ID.
    fn position(&self, seq: u64) -> Block {
        Event::empty()
            .with_id(self.hub.shared.epoch.id(seq))
            .encode()
    }

    fn gap_at(&self, seq: u64) -> Block {
        Block::write(|out| {
            if let Some(gap) = &self.hub.shared.settings.gap {
                out.push(gap.clone());
            }
            out.push(self.position(seq));
        })
    }

    /// With heartbeats and a prelude, on tokio's clock.
    ///
    /// ```
    /// use tower_sse::KeepAlive;
    /// use tower_sse::hub::Hub;
    ///
    /// let hub = Hub::new();
    /// let response = hub.subscribe()?.keep_alive(KeepAlive::default()).into_response();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn keep_alive(self, keep_alive: KeepAlive) -> SseBody<Self, TokioTimer> {
        self.into_body().keep_alive(keep_alive)
    }

    /// As an [`SseBody`], for heartbeats on any clock, prelude, maximum age, and the rest.
    ///
    /// ```
    /// use tower_sse::KeepAlive;
    /// use tower_sse::hub::Hub;
    ///
    /// let hub = Hub::new();
    /// let body = hub.subscribe()?.into_body().keep_alive_with(KeepAlive::default(), smol::Timer::after);
    /// assert_eq!(hub.stats().subscribers, 1);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn into_body(self) -> SseBody<Self> {
        SseBody::from_source(Some(self), crate::timer::NoTimer)
    }

    /// As a long poll, for where streaming is not possible: the body ends as soon as it has sent
    /// something and nothing more is pending, or when `wait` has passed, and tells the client to come
    /// back after 100 ms. The next request resumes, so nothing is lost in between.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    /// use tower_sse::timer::TokioTimer;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// let body = hub.subscribe().unwrap().long_poll(Duration::from_secs(25), TokioTimer);
    /// hub.publish(Event::new("goal"));
    /// assert_eq!(
    ///     body.collect().await.unwrap().to_bytes(),
    ///     ":\nretry: 100\n\nid: 10-0\n\nid: 10-1\ndata: goal\n\n",
    /// );
    /// # }
    /// ```
    pub fn long_poll<T: Timer>(mut self, wait: Duration, timer: T) -> SseBody<Self, T> {
        self.extra.get_or_insert_default().once = true;
        self.into_body()
            .prelude(Prelude::new().retry(SHORT_RETRY))
            .timer(timer)
            .max_age(MaxAge::new(wait))
    }

    /// As a stream of events one by one, to map them or to send them elsewhere.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use futures_util::{FutureExt, StreamExt};
    ///
    /// let hub = Hub::new();
    /// let mut stream = hub.subscribe()?.into_stream();
    /// hub.publish(Event::new("goal"));
    /// let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.data(), "goal");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn into_stream(self) -> Deliveries {
        Deliveries::new(self)
    }

    /// A response with this body, without heartbeats, and an event stream's headers; see
    /// [`SseBody::into_response`].
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let response = Hub::new().subscribe()?.into_response();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn into_response(self) -> Response<SseBody<Self>> {
        self.into_body().into_response()
    }

    /// The next frame's bytes.
    #[inline]
    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        if self.extra.is_some() {
            return self.poll_extra(cx);
        }
        let Some(seat) = &mut self.seat else {
            return Poll::Ready(None);
        };
        if seat.is_waiting(cx.waker()) {
            return Poll::Pending;
        }
        if let Some(block) = self.hub.shared.lock().take_merged(seat, cx.waker()) {
            return Poll::Ready(Some(block));
        }
        self.poll_hub(cx)
    }

    #[inline(never)]
    fn poll_hub(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        let Some(seat) = &mut self.seat else {
            return Poll::Ready(None);
        };
        let shared = &self.hub.shared;
        match shared.with(|state, wakes| state.take(seat, cx.waker(), wakes)) {
            Taken::Frame(block) => Poll::Ready(Some(block)),
            other => self.settle(&other),
        }
    }

    /// The same where something is out of the ordinary.
    #[cold]
    fn poll_extra(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        let Some(extra) = &mut self.extra else {
            return self.poll_hub(cx);
        };
        if let Some(first) = extra.first.take() {
            if extra.filter.is_none() && extra.chunks.is_empty() && !extra.once {
                self.extra = None;
            } else {
                extra.served = self.outcome.is_lossy();
            }
            return Poll::Ready(Some(first));
        }
        let (filtered, once) = (extra.filter.is_some(), extra.once);
        let seat = self.seat.as_ref();
        if !once && seat.is_some_and(|seat| seat.is_waiting(cx.waker())) {
            return Poll::Pending;
        }
        let block = if filtered {
            self.poll_filtered(cx)
        } else {
            self.poll_hub(cx)
        };
        if let (Poll::Ready(Some(_)), Some(extra)) = (&block, &mut self.extra) {
            extra.served = true;
        }
        block
    }

    fn poll_filtered(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        let mut deliveries = Vec::new();
        loop {
            if let Err(other) = self.collect(cx, |delivery| deliveries.push(delivery)) {
                return self.settle(&other);
            }
            let block = Block::write(|out| {
                for delivery in deliveries.drain(..) {
                    out.push(delivery.into_block());
                }
            });
            if !block.is_empty() {
                return Poll::Ready(Some(block));
            }
        }
    }

    /// Some of what is pending and allowed, one by one.
    fn collect(&mut self, cx: &mut Context<'_>, each: impl FnMut(Delivery)) -> Result<(), Taken> {
        let Some(seat) = &mut self.seat else {
            return Err(Taken::Closed);
        };
        let mut taken = Vec::new();
        self.hub.shared.with(|state, wakes| {
            state.take_each(seat, cx.waker(), wakes, |delivery| taken.push(delivery))
        })?;
        let filter = self.extra.as_mut().and_then(|extra| extra.filter.as_mut());
        match filter {
            None => taken.into_iter().for_each(each),
            Some(allows) => taken.into_iter().filter(|one| allows(one)).for_each(each),
        }
        Ok(())
    }

    /// What to do where there is no event.
    fn settle(&mut self, taken: &Taken) -> Poll<Option<Block>> {
        let settings = &self.hub.shared.settings;
        match taken {
            Taken::Lagged => self.lag(),
            Taken::Closed => {
                let farewell = settings.farewell.clone();
                self.leave();
                Poll::Ready(farewell)
            }
            _ if self
                .extra
                .as_ref()
                .is_some_and(|extra| extra.once && extra.served) =>
            {
                self.leave();
                Poll::Ready(None)
            }
            _ => Poll::Pending,
        }
    }

    fn lag(&mut self) -> Poll<Option<Block>> {
        match self.skip() {
            None => Poll::Ready(None),
            Some(begins_after) => Poll::Ready(Some(self.gap_at(begins_after))),
        }
    }

    /// Ends a stream that has lagged, or moves it on; gives what it goes on after.
    fn skip(&mut self) -> Option<u64> {
        let (seat, lag) = (self.seat.as_ref()?, self.hub.shared.settings.lag);
        trace::lagged(lag == Lag::End);
        let begins_after = self
            .hub
            .shared
            .with(|state, wakes| state.skip(seat, lag == Lag::Newest, wakes));
        if lag == Lag::End {
            self.leave();
            return None;
        }
        Some(begins_after)
    }

    /// One event for a stream of them; `Err` where some were missed.
    pub(super) fn poll_each(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut VecDeque<Delivery>,
    ) -> Poll<Option<Result<Delivery, Missed>>> {
        let first = self.extra.as_mut().and_then(|extra| extra.first.take());
        if first.is_some() && self.outcome.is_lossy() {
            return Poll::Ready(Some(Err(Missed::new())));
        }
        loop {
            if let Some(delivery) = buffer.pop_front() {
                return Poll::Ready(Some(Ok(delivery)));
            }
            if self.seat.is_none() {
                return Poll::Ready(None);
            }
            match self.collect(cx, |delivery| buffer.push_back(delivery)) {
                Ok(()) => {}
                Err(Taken::Lagged) => {
                    return Poll::Ready(self.skip().map(|_| Err(Missed::new())));
                }
                Err(Taken::Closed) => self.leave(),
                Err(_) => return Poll::Pending,
            }
        }
    }

    fn leave(&mut self) {
        if let Some(mut seat) = self.seat.take() {
            let waker = self
                .hub
                .shared
                .with(|state, wakes| state.leave(&mut seat, wakes));
            // Here, where the lock is free.
            drop(waker);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.leave();
    }
}

impl SealedSource for Subscription {}

impl Source for Subscription {
    type Error = Infallible;

    #[inline]
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), Infallible>>> {
        let block = ready!(self.get_mut().poll_block(cx));
        Poll::Ready(block.map(|block| {
            out.push_whole(block);
            Ok(())
        }))
    }
}

impl Body for Subscription {
    type Data = Bytes;
    type Error = Infallible;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(extra) = &mut this.extra {
            if let Some(chunk) = extra.chunks.pop() {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
        }
        let Some(block) = ready!(this.poll_block(cx)) else {
            return Poll::Ready(None);
        };
        if block.parts().1.is_none() {
            return Poll::Ready(Some(Ok(Frame::data(block.into_parts().0))));
        }
        let chunks = &mut this.extra.get_or_insert_default().chunks;
        chunks.extend(block.into_chunks());
        chunks.reverse();
        Poll::Ready(chunks.pop().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        let extra = self.extra.as_ref();
        self.seat.is_none()
            && extra.is_none_or(|extra| extra.first.is_none() && extra.chunks.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("outcome", &self.outcome)
            .field("ended", &self.seat.is_none())
            .finish_non_exhaustive()
    }
}
