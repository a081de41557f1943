use std::fmt;

use bytes::Bytes;

use super::prelude::Prelude;
use crate::exclusive::Exclusive;
use crate::protocol::Block;

/// What few bodies have. Boxed, since a server keeps room for a body in several places.
#[derive(Default)]
pub(super) struct RareSettings {
    /// What goes out first, if that has been set: `Some(None)` for nothing.
    pub(super) prelude: Option<Option<Prelude>>,
    /// What a heartbeat is, if not [`Block::HEARTBEAT`].
    pub(super) heartbeat: Option<Bytes>,
    /// The last block where the stream is ended from outside.
    pub(super) farewell: Option<Block>,
    /// The last block where the stream fails.
    pub(super) on_error: Option<Block>,
    /// What is dropped when the stream ends.
    pub(super) held: Vec<Exclusive<Box<dyn Send>>>,
}

impl fmt::Debug for RareSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RareSettings")
            .field("prelude", &self.prelude)
            .field("heartbeat", &self.heartbeat)
            .field("farewell", &self.farewell)
            .field("on_error", &self.on_error)
            .field("held", &self.held.len())
            .finish()
    }
}
