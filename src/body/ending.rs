use std::fmt;

use crate::exclusive::Exclusive;
use crate::protocol::Block;

/// What to do when a stream ends. Boxed in a body, since few set it.
#[derive(Default)]
pub(super) struct Ending {
    /// The last block where the stream is ended from outside.
    pub(super) farewell: Option<Block>,
    /// The last block where the stream fails.
    pub(super) on_error: Option<Block>,
    /// What is dropped then.
    pub(super) held: Vec<Exclusive<Box<dyn Send>>>,
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending")
            .field("farewell", &self.farewell)
            .field("on_error", &self.on_error)
            .field("held", &self.held.len())
            .finish()
    }
}
