/// How a subscription began, and whether the client has missed events.
///
/// ```
/// use tower_sse::hub::{Hub, Outcome};
/// use tower_sse::{Event, EventId};
///
/// let hub = Hub::new();
/// let kick_off = hub.publish(Event::new("kick-off"));
/// hub.publish(Event::new("goal"));
///
/// assert_eq!(hub.subscribe()?.outcome(), Outcome::Fresh);
/// assert_eq!(hub.resume(kick_off)?.outcome(), Outcome::Resumed(1));
/// let stranger = EventId::from_static("from-another-life-7");
/// assert_eq!(hub.resume(stranger)?.outcome(), Outcome::Unknown);
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The client did not send an ID. It starts with the next event published, unless the handler
    /// lets it [start](super::SubscriptionBuilder::start) elsewhere or its topics are
    /// [finished](super::Topic::finish).
    Fresh,
    /// Nothing was lost. This many missed events are replayed first.
    Resumed(u64),
    /// Some events after the ID are no longer retained. The client is sent the [gap event], then
    /// the retained events, or under [`LagPolicy::Newest`] the next event published.
    ///
    /// [gap event]: super::HubBuilder::gap_event
    Gap,
    /// The ID is not one of this hub's, or no longer known: for instance, it is from before a
    /// restart, or forged. The client is sent the [gap event], then the next event published, or
    /// for [finished](super::Topic::finish) topics, everything retained.
    ///
    /// [gap event]: super::HubBuilder::gap_event
    Unknown,
    /// The hub's log is in Redis, which has yet to say what came after the ID. What the client has
    /// missed comes first; if something is lost, the stream tells.
    #[cfg(any(test, feature = "redis"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    Pending,
}

impl Outcome {
    /// Returns `true` if events may be missing, so that a page should fetch its state again.
    ///
    /// ```
    /// use tower_sse::hub::Outcome;
    /// assert!(Outcome::Gap.is_lossy() && Outcome::Unknown.is_lossy());
    /// assert!(!Outcome::Resumed(3).is_lossy());
    /// ```
    #[must_use]
    pub const fn is_lossy(self) -> bool {
        matches!(self, Self::Gap | Self::Unknown)
    }
}

/// What happens to a subscriber that falls behind what the hub retains.
///
/// With the default, it continues with the retained events: a burst larger than the retention then
/// costs subscribers some events, of which they are told, whereas [`End`](Self::End) would make all
/// of them reconnect at once.
///
/// ```
/// use tower_sse::hub::LagPolicy;
/// assert_eq!(LagPolicy::default(), LagPolicy::Oldest);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LagPolicy {
    /// Its stream ends. The client reconnects with its last event ID, and is told of the gap.
    End,
    /// It is sent the gap event, then all retained events.
    #[default]
    Oldest,
    /// It is sent the gap event, then the next event published. This also applies to clients that
    /// resume after a loss.
    Newest,
}
