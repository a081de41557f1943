//! A hub on a Redis stream.
//!
//! `building` has the builder's methods, over `settings`; `publishing` and `node` those of the hub and
//! its topics, over the engine.

mod building;
mod error;
mod new_entry;
mod node;
mod publish_error;
mod publishing;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod redis;
mod redis_engine;
#[allow(dead_code, reason = "the engine is yet to come")]
mod settings;
mod status;

pub use error::RedisError;
pub use publish_error::PublishError;
pub use redis::Redis;
pub use status::RedisStatus;
