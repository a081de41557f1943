/// Counts of what a hub has done and what it holds: [`Hub::stats`](super::Hub::stats).
///
/// Totals count from the creation of the hub.
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
    /// Current subscriptions.
    pub subscribers: usize,
    /// Current topics: those with a follower or a retained event.
    pub topics: usize,
    /// Events published, transient ones included.
    pub published: u64,
    /// Events delivered, counted once for each subscriber.
    pub delivered: u64,
    /// Bytes of events delivered.
    pub bytes: u64,
    /// Number of times a subscriber fell behind what the hub retains.
    pub lagged: u64,
    /// Resumptions with events missing: gaps and unknown IDs.
    pub gaps: u64,
    /// Subscriptions refused.
    pub refused: u64,
    /// Events retained.
    pub retained: usize,
    /// Bytes of events retained, including overhead; see
    /// [`retain_bytes`](super::HubBuilder::retain_bytes).
    pub retained_bytes: usize,
}
