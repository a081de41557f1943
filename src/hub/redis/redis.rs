use super::settings::RedisSettings;
use crate::hub::builder::Engine;

/// A log in a Redis stream, for hubs on any number of nodes: [`Hub::redis`](super::super::Hub::redis).
///
/// ```
/// use tower_sse::hub::{Hub, HubBuilder, Redis};
///
/// let builder: HubBuilder<Redis> = Hub::redis("redis://localhost", "feed")?;
/// # assert!(Hub::redis("", "feed").is_err());
/// # Ok::<(), tower_sse::hub::RedisError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Redis(());

impl Engine for Redis {
    type Settings = RedisSettings;
}
