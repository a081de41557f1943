use std::fmt;

use bytes::Bytes;

use super::prelude::Prelude;
use crate::exclusive::Exclusive;
use crate::protocol::Block;

/// Settings that few bodies have. Boxed, because a server reserves space for a body in several
/// places.
#[derive(Default)]
pub(super) struct RareSettings {
    /// The prelude, if set; `Some(None)` for none.
    pub(super) prelude: Option<Option<Prelude>>,
    /// The heartbeat, if not [`Block::HEARTBEAT`].
    pub(super) heartbeat: Option<Bytes>,
    /// The last block of a stream that is ended from outside.
    pub(super) farewell: Option<Block>,
    /// The last block of a stream that fails.
    pub(super) on_error: Option<Block>,
    /// Values to drop when the stream ends.
    pub(super) held: Vec<Exclusive<Box<dyn Send>>>,
}

impl RareSettings {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            prelude,
            heartbeat,
            farewell,
            on_error,
            held,
        } = self;
        prelude.is_none()
            && heartbeat.is_none()
            && farewell.is_none()
            && on_error.is_none()
            && held.is_empty()
    }
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
