use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::subscription::Subscription;
use crate::hub::delivery::Delivery;

/// A stream of a subscription's events: [`Subscription::into_stream`].
///
/// An `Err` says that events are missing before the next item. It is the last item if the hub ends
/// streams that [lag](crate::hub::LagPolicy). The stream contains only published events: neither
/// the gap event, nor the handler's [first event](crate::hub::SubscriptionBuilder::first), nor the
/// farewell.
///
/// ```
/// use std::convert::Infallible;
/// use futures_util::StreamExt;
/// use http_body_util::BodyExt;
/// use tower_sse::hub::Hub;
/// use tower_sse::{Event, SseBody};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::new();
/// let shouts = hub.subscribe().unwrap().into_stream().map(|delivery| {
///     let data = delivery.map_or("missed something".to_owned(), |delivery| {
///         delivery.data().to_uppercase()
///     });
///     Ok::<_, Infallible>(Event::new(data))
/// });
/// hub.publish(Event::new("goal"));
/// hub.close();
/// let bytes = SseBody::new(shouts).collect().await.unwrap().to_bytes();
/// assert_eq!(bytes, "data: GOAL\n\n");
/// # }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Deliveries {
    subscription: Subscription,
    buffer: VecDeque<Delivery>,
}

impl Deliveries {
    pub(in crate::hub) fn new(subscription: Subscription) -> Self {
        Self {
            subscription,
            buffer: VecDeque::new(),
        }
    }
}

impl Stream for Deliveries {
    type Item = Result<Delivery, Missed>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.subscription.poll_each(cx, &mut this.buffer)
    }
}

/// An error returned when a stream has missed events, because they are no longer retained or the ID
/// to resume after is not known, or when a [`Watch`](crate::hub::Watch) has missed changes.
///
/// ```
/// use futures_util::{FutureExt, StreamExt};
/// use tower_sse::{EventId, hub::Hub};
///
/// let mut stream = Hub::new().resume(EventId::from_static("of yesterday"))?.into_stream();
/// let missed = stream.next().now_or_never().unwrap().unwrap().unwrap_err();
/// assert_eq!(missed.to_string(), "events were missed");
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    what: &'static str,
}

impl Missed {
    pub(in crate::hub) const fn new() -> Self {
        Self { what: "events" }
    }

    pub(in crate::hub) const fn changes() -> Self {
        Self { what: "changes" }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} were missed", self.what)
    }
}

impl Error for Missed {}
