//! A hub on a Redis stream.
//!
//! `building` has the builder's methods, over `settings`.

mod building;
mod error;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod redis;
#[allow(dead_code, reason = "the engine is yet to come")]
mod settings;

pub use error::RedisError;
pub use redis::Redis;
