/// What a hub has done, and what it holds: [`Hub::stats`](super::Hub::stats).
///
/// Counts run from the hub's beginning.
///
/// ```
/// use tower_sse::{Event, hub::Hub};
///
/// let hub = Hub::new();
/// let _one = hub.subscribe()?;
/// hub.topic("a").publish(Event::new("x"));
/// let stats = hub.stats();
/// assert_eq!((stats.subscribers, stats.topics, stats.published), (1, 2, 1));
/// assert_eq!((stats.delivered, stats.retained), (0, 1));
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Subscriptions there are now.
    pub subscribers: usize,
    /// Topics there are now: followed, or with a retained event.
    pub topics: usize,
    /// Events published, transient ones included.
    pub published: u64,
    /// Events handed out, once for each subscriber.
    pub delivered: u64,
    /// Bytes of events handed out.
    pub bytes: u64,
    /// How often a subscriber fell behind further than the hub retains.
    pub lagged: u64,
    /// Resumptions after which events were missing: gaps and unknown IDs.
    pub gaps: u64,
    /// Subscriptions refused.
    pub refused: u64,
    /// Events retained.
    pub retained: usize,
    /// Bytes of events retained, and of what holds them; see
    /// [`retain_bytes`](super::HubBuilder::retain_bytes).
    pub retained_bytes: usize,
}
