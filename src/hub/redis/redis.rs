use std::sync::Arc;

use super::redis_engine::RedisEngine;
use super::settings::RedisSettings;
use crate::hub::builder::Engine;

/// A hub's log in a Redis stream, shared by any number of nodes:
/// [`Hub::redis`](crate::hub::Hub::redis).
///
/// ```
/// use tower_sse::hub::{Hub, HubBuilder, Redis};
///
/// let builder: HubBuilder<Redis> = Hub::redis("redis://localhost", "feed")?;
/// # assert!(Hub::redis("", "feed").is_err());
/// # Ok::<(), tower_sse::hub::RedisError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Redis {
    engine: Arc<RedisEngine>,
}

impl Redis {
    pub(super) fn new(engine: Arc<RedisEngine>) -> Self {
        Self { engine }
    }

    pub(super) fn engine(&self) -> &RedisEngine {
        &self.engine
    }
}

impl Engine for Redis {
    type Settings = RedisSettings;
}
