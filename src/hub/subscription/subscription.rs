use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::deliveries::Deliveries;
use super::handle::Handle;
#[cfg(feature = "tokio")]
use crate::body::KeepAlive;
use crate::body::{MaxAge, Prelude, SealedSource, Source, SseBody, WholeFrame};
use crate::exclusive::Exclusive;
use crate::hub::change::Reason;
use crate::hub::core::{Seat, State, Wakes};
use crate::hub::delivery::Delivery;
use crate::hub::outcome::Outcome;
use crate::hub::shared::Shared;
use crate::protocol::{Block, Writer};
use crate::sync::Arc;
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

pub(in crate::hub) type Filter = Exclusive<Box<dyn FnMut(&Delivery) -> bool + Send>>;

/// The time that the client of a long poll waits before its next request.
const SHORT_RETRY: Duration = Duration::from_millis(100);

/// A subscriber's event stream, returned by [`Hub::subscribe`](crate::hub::Hub::subscribe),
/// [`Hub::resume`](crate::hub::Hub::resume) or a
/// [`SubscriptionBuilder`](crate::hub::SubscriptionBuilder).
///
/// It is an [`http_body::Body`]. For heartbeats, [`keep_alive`](Self::keep_alive) turns it into an
/// [`SseBody`], and [`into_body`](Self::into_body) does so for everything else that body can do.
///
/// Unless it resumes, its first block contains only the ID of the place where it begins, so a
/// client that loses the connection before the first event misses nothing. For clients that cannot
/// handle such a block, see [`HubBuilder::announce_place`](crate::hub::HubBuilder::announce_place).
/// If events may have been missed, the first block is the gap event, with that ID.
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
    pub(super) shared: Arc<Shared>,
    /// `None` once it has ended.
    pub(super) seat: Option<Seat>,
    pub(super) outcome: Outcome,
    /// `Some` while anything in it is needed. That is rare, which keeps a body small.
    pub(super) extra: Option<Box<Extra>>,
}

/// State that a subscription needs only if it does more than hand out frames.
#[derive(Default)]
pub(in crate::hub) struct Extra {
    /// Sent before anything else.
    pub(super) first: Option<Block>,
    /// Whether that is the handler's event, for a new client.
    pub(super) begins_with_event: bool,
    pub(super) filter: Option<Filter>,
    /// The remaining chunks of a block with a shared payload, last chunk first.
    pub(super) chunks: Vec<Bytes>,
    /// Whether this is a long poll, and whether it has sent something.
    pub(super) once: bool,
    pub(super) served: bool,
    pub(super) end_at: Option<Instant>,
    /// Reads the past, until the subscription takes its place in the ring.
    #[cfg(any(test, feature = "redis"))]
    pub(super) past: Option<crate::hub::past::PastReader>,
}

impl Extra {
    /// `None` if nothing in it is needed.
    pub(super) fn new(
        first: Option<Block>,
        filter: Option<Filter>,
        end_at: Option<Instant>,
    ) -> Option<Box<Self>> {
        let some = first.is_some() || filter.is_some() || end_at.is_some();
        some.then(|| {
            Box::new(Self {
                first,
                filter,
                end_at,
                ..Self::default()
            })
        })
    }
}

impl Subscription {
    pub(super) fn new(
        shared: Arc<Shared>,
        seat: Seat,
        outcome: Outcome,
        extra: Option<Box<Extra>>,
    ) -> Self {
        Self {
            shared,
            seat: Some(seat),
            outcome,
            extra,
        }
    }

    /// Returns how the subscription began: whether the client has missed events.
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

    /// Returns a handle that can end the stream or change its topics, even after the response was
    /// returned.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// # let hub = Hub::new();
    /// let body = hub.subscriber().topic("lobby").subscribe()?;
    /// let handle = body.handle();
    /// let response = body.into_http_response();
    /// assert!(handle.move_to(["game/7"]));
    /// # drop(response);
    /// assert!(handle.is_gone());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn handle(&self) -> Handle {
        let seat = self.seat.as_ref();
        let name = seat.map(|seat| self.shared.lock().name(seat));
        Handle::new(&self.shared, name)
    }

    /// Adds heartbeats and a [prelude](crate::Prelude), on tokio's clock.
    ///
    /// ```
    /// use tower_sse::KeepAlive;
    /// use tower_sse::hub::Hub;
    ///
    /// let hub = Hub::new();
    /// let response = hub.subscribe()?.keep_alive(KeepAlive::default()).into_http_response();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn keep_alive(self, keep_alive: KeepAlive) -> SseBody<Self, TokioTimer> {
        self.into_body().keep_alive(keep_alive)
    }

    /// Converts it into an [`SseBody`], to set a prelude, a shutdown signal, and more. For
    /// heartbeats and a maximum age on another clock, use [`SseBody::with_timer`].
    ///
    /// ```
    /// use tower_sse::hub::Hub;
    /// use tower_sse::{KeepAlive, SseBody};
    ///
    /// let hub = Hub::new();
    /// let first = hub.subscribe()?.into_body().end_when(std::future::pending());
    /// let second = SseBody::with_timer(hub.subscribe()?, tokio::time::sleep);
    /// let second = second.keep_alive(KeepAlive::default());
    /// assert_eq!(hub.stats().subscribers, 2);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn into_body(self) -> SseBody<Self> {
        SseBody::new(self)
    }

    /// Converts it into a long poll, for clients that cannot stream. The body ends once it has sent
    /// a gap event, the handler's [first event](crate::hub::SubscriptionBuilder::first) or the first
    /// pending events, or when `wait` has passed, and tells the client to reconnect after 100 ms.
    /// The next request resumes, so nothing is lost in between. For that, the body begins with its
    /// place even if [`announce_place`](crate::hub::HubBuilder::announce_place) is off.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use http_body_util::BodyExt;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// let body = hub.subscribe().unwrap().long_poll(Duration::from_secs(25));
    /// hub.publish(Event::new("goal"));
    /// assert_eq!(
    ///     body.collect().await.unwrap().to_bytes(),
    ///     ":\nretry: 100\nid: 10-0\n\nid: 10-1\ndata: goal\n\n",
    /// );
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn long_poll(self, wait: Duration) -> SseBody<Self, TokioTimer> {
        self.long_poll_with_timer(wait, TokioTimer)
    }

    /// Calls [`long_poll`](Self::long_poll) with another timer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower_sse::hub::Refused> {
    /// let hub = Hub::builder().epoch(36).build();
    /// let body = hub.subscribe()?.long_poll_with_timer(Duration::ZERO, tokio::time::sleep);
    /// let bytes = body.collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, ":\nretry: 100\nid: 10-0\n\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn long_poll_with_timer<T: Timer>(mut self, wait: Duration, timer: T) -> SseBody<Self, T> {
        let place = self.seat.as_ref().and_then(|seat| {
            // With an event to send at once, there is no need to wait for another.
            let now = self.begins_with_event();
            let find =
                |state: &mut State, wakes: &mut Wakes| Some(state.end_soon(seat, now, wakes));
            self.shared.find_id(find)
        });
        let place = place.map(|id| self.shared.place_block(&id));
        let resumed = matches!(self.outcome, Outcome::Resumed(_));
        let extra = self.extra.get_or_insert_default();
        extra.once = true;
        #[cfg(any(test, feature = "redis"))]
        let resumed = resumed || extra.past.is_some();
        if extra.first.as_ref().map_or(!resumed, Block::is_empty) {
            extra.first = place;
        }
        SseBody::with_timer(self, timer)
            .prelude(Prelude::new().retry(SHORT_RETRY))
            .max_age(MaxAge::new(wait))
    }

    /// Converts it into a stream of single events, to map them or to send them elsewhere. The
    /// handler's [first event](crate::hub::SubscriptionBuilder::first) is not one of them.
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

    /// Converts it into a response with an event stream's headers, without heartbeats; see
    /// [`SseBody::into_http_response`].
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let response = Hub::new().subscribe()?.into_http_response();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn into_http_response(self) -> Response<SseBody<Self>> {
        self.into_body().into_http_response()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.leave(Reason::Left);
    }
}

impl SealedSource for Subscription {
    const HAS_WHOLE: bool = true;

    #[inline]
    fn poll_whole(self: Pin<&mut Self>, cx: &mut Context<'_>) -> WholeFrame {
        self.get_mut().poll_shared(cx)
    }

    /// Advances a client whose topics are silent, so that it does not fall out of the log.
    fn place(self: Pin<&mut Self>) -> Option<Block> {
        let this = self.get_mut();
        let extra = this.extra.as_ref();
        if !this.shared.announces_places() && !extra.is_some_and(|extra| extra.once) {
            return None;
        }
        if extra.is_some_and(|extra| extra.first.is_some()) {
            return None;
        }
        #[cfg(any(test, feature = "redis"))]
        if extra.is_some_and(|extra| extra.past.is_some()) {
            return None;
        }
        let seat = this.seat.as_ref()?;
        // A filter may have dropped events up to that place.
        let by_events = extra.is_none_or(|extra| extra.filter.is_none());
        let find = |state: &mut State, wakes: &mut Wakes| state.move_place(seat, by_events, wakes);
        let id = this.shared.find_id(find)?;
        Some(this.shared.place_block(&id))
    }
}

impl Source for Subscription {
    type Error = Infallible;

    #[inline]
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), Infallible>>> {
        let this = self.get_mut();
        let block = match this.poll_shared(cx) {
            WholeFrame::Ready(frame) => Some(Block::from_shared(frame)),
            WholeFrame::Pending => return Poll::Pending,
            WholeFrame::Written => ready!(this.poll_block(cx)),
        };
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
        match this.poll_shared(cx) {
            WholeFrame::Ready(frame) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            WholeFrame::Pending => Poll::Pending,
            WholeFrame::Written => this
                .poll_chunk(cx)
                .map(|chunk| chunk.map(Frame::data).map(Ok)),
        }
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
