//! A hub on a Redis stream.
//!
//! `building` has the builder's methods, over `settings`; `publishing` and `node` those of the hub
//! and its topics, over the engine.
//!
//! The engine has three tasks, which share a `context` and have a `connection` each. The `reader`
//! follows the stream: what it asks Redis, and what it makes of the answers, is decided by the
//! `machine` (`exchange` has the questions and answers), and what then becomes of the hub's `ring`
//! is done there. Entries that were acknowledged and are `unread` have to be in the answers. The
//! `page_reader` reads `pages` for subscribers that are older than the ring. `transients` come on a
//! channel. The `publisher` has a connection too. Where to connect is known by the `server`. An
//! `entry` is an event as the stream has it.

mod building;
mod connection;
mod context;
mod counts;
mod doubts;
mod entry;
mod error;
mod exchange;
mod machine;
mod new_entry;
mod node;
mod page_reader;
mod pages;
mod phase;
mod publish_error;
mod publisher;
mod publishing;
mod reader;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod redis;
mod redis_engine;
mod ring;
mod server;
mod settings;
#[cfg(test)]
mod simulation;
mod status;
#[cfg(feature = "redis-tls")]
mod tls;
mod transients;
mod unread;

pub use error::RedisError;
pub use publish_error::PublishError;
pub use redis::Redis;
pub use status::RedisStatus;
#[cfg(feature = "redis-tls")]
pub use tls::RedisTls;
