use std::fmt;

use super::shared::Shared;
use crate::sync::Arc;

/// A reference to a hub's shared state that keeps the hub open. Dropping the last one closes the
/// hub.
pub(super) struct KeepOpen {
    shared: Arc<Shared>,
    engine: Option<HeldEngine>,
}

/// What reads an outer log, as long as it is held.
pub(super) type HeldEngine = std::sync::Arc<dyn Send + Sync>;

impl KeepOpen {
    pub(super) fn new(shared: Arc<Shared>, engine: Option<HeldEngine>) -> Self {
        shared.enter();
        Self { shared, engine }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Clone for KeepOpen {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared), self.engine.clone())
    }
}

impl Drop for KeepOpen {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl fmt::Debug for KeepOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.shared.lock().stats();
        f.debug_struct("Hub")
            .field("stats", &stats)
            .finish_non_exhaustive()
    }
}
