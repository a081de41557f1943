use std::time::Duration;

use crate::protocol::{Block, Event};

#[derive(Debug)]
pub(super) struct HubSettings {
    pub(super) gap: Option<Event>,
    pub(super) farewell: Option<Block>,
    pub(super) max_subscribers: usize,
    pub(super) max_per_owner: usize,
    pub(super) retry_after: Duration,
    pub(super) keep_event_ids: bool,
    pub(super) announce_place: bool,
    #[cfg(feature = "compression")]
    pub(super) compression: crate::compression::Compression,
    /// IDs are those of an outer log.
    #[cfg(any(test, feature = "redis"))]
    pub(super) foreign: bool,
    #[cfg(any(test, feature = "redis"))]
    pub(super) past: Option<std::sync::Arc<dyn super::outer::Past>>,
}
