use std::time::Duration;

/// The state of a node's reading from Redis: [`Hub::status`](crate::hub::Hub::status).
///
/// Totals count from the creation of the hub, on this node.
///
/// ```no_run
/// use tower_sse::hub::{Hub, Redis};
///
/// fn is_healthy(hub: &Hub<Redis>) -> bool {
///     let status = hub.status();
///     status.connected && status.behind.as_secs() < 5
/// }
/// # fn test(hub: Hub<Redis>) { assert!(is_healthy(&hub)) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RedisStatus {
    /// Whether the node has a working connection on which it reads the stream.
    pub connected: bool,
    /// How long ago the node last had read all that Redis had. Zero while it waits for the next
    /// event.
    pub behind: Duration,
    /// Number of times the connection was lost.
    pub reconnects: u64,
    /// Reads of the stream's end.
    pub reads: u64,
    /// Entries read there.
    pub entries: u64,
    /// Entries that cannot be events, for instance without data or with a line break in the type.
    pub skipped: u64,
    /// Pages read for clients whose last event ID is older than what the node retains.
    pub pages: u64,
    /// Pages that were already in memory when a client needed them.
    pub page_hits: u64,
    /// Number of times Redis was found to have lost events that the node had read.
    pub losses: u64,
}
