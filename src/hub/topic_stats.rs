/// Counts of what a topic holds and of its followers: [`Topic::stats`](super::Topic::stats).
///
/// ```
/// use tower_sse::{Event, hub::Hub};
///
/// let hub = Hub::new();
/// let _one = hub.subscriber().topic("match/7").subscribe()?;
/// let _all = hub.subscriber().prefix("match/").subscribe()?;
/// hub.topic("match/7").publish(Event::new("goal"));
/// let stats = hub.topic("match/7").stats();
/// assert_eq!((stats.followers, stats.prefix_followers), (1, 1));
/// assert_eq!((stats.retained, stats.lag), (1, 1));
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopicStats {
    /// Subscriptions that follow the topic by name.
    pub followers: usize,
    /// Subscriptions that follow it by a prefix.
    pub prefix_followers: usize,
    /// Events retained.
    pub retained: usize,
    /// Bytes of events retained, including overhead; see
    /// [`retain_bytes`](super::HubBuilder::retain_bytes).
    pub retained_bytes: usize,
    /// Whether the topic is [finished](super::Topic::finish).
    pub finished: bool,
    /// Number of retained events not yet delivered to the slowest follower, whether it follows by
    /// name or by a prefix.
    pub lag: usize,
}
