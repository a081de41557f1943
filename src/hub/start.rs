use crate::protocol::EventId;

/// Where a subscriber begins whose client has no last event ID:
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
    /// With what is published from now on.
    #[default]
    Now,
    /// With the oldest event of its topics that is retained.
    Oldest,
    /// With this many of its topics' retained events, the newest ones.
    Last(usize),
    /// After the event with this ID, as a client that has seen it. If that is not known, or something
    /// after it is lost, with the oldest.
    After(EventId),
}
