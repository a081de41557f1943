//! A hub on a Redis stream.
//!
//! `building` has the builder's methods, over `settings`; `publishing` and `node` those of the hub
//! and its topics, over the engine.
//!
//! The engine has three tasks, which share a `context` and have a `connection` each:
//!
//! - The `reader` follows the stream. The `machine` decides what to ask Redis and how to change the
//!   hub's `ring` (`phase` has its states, `exchange` the requests and the replies, `started` a
//!   request in flight). It expects to find the entries in `unread`: those that Redis has
//!   acknowledged and no read has returned yet.
//! - The `page_reader` reads `pages` for subscribers whose place is before the ring. Those whose
//!   last event may be lost wait in `doubts`.
//! - `transients` receives transient events from a channel.
//!
//! The `publisher` has a connection of its own. Both it and the reader `begin` a stream that does not
//! exist. `server` finds the address to connect to. An
//! `entry` is an event in its form in the stream.

mod begin;
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
mod started;
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
