use crate::protocol::EventId;

/// Where a subscription starts if the client has no last event ID:
/// [`SubscriptionBuilder::start`](super::SubscriptionBuilder::start).
///
/// ```
/// use futures_util::FutureExt;
/// use http_body_util::BodyExt;
/// use tower_sse::hub::{Hub, Start};
/// use tower_sse::Event;
///
/// let hub = Hub::builder().epoch(36).build();
/// (1..=4).for_each(|n| _ = hub.publish(Event::display(n).unwrap()));
/// let body = hub.subscriber().start(Start::Last(2)).subscribe()?;
/// hub.close();
/// assert_eq!(
///     body.collect().now_or_never().unwrap().unwrap().to_bytes(),
///     "id: 10-2\n\nid: 10-3\ndata: 3\n\nid: 10-4\ndata: 4\n\n",
/// );
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Start {
    /// With the next event published.
    #[default]
    Now,
    /// With the oldest retained event of its topics.
    Oldest,
    /// With the newest retained events of its topics, up to this many.
    Last(usize),
    /// After the event with this ID, as for a client that has seen it. If the ID is not known, or
    /// events after it are lost, with the oldest retained event.
    After(EventId),
}
