use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo};

use super::error::RedisError;

/// What a hub on Redis has to know.
#[derive(Debug, Clone)]
pub(in crate::hub) struct RedisSettings {
    pub(super) server: ConnectionInfo,
    pub(super) stream: String,
    pub(super) trim: Trim,
    pub(super) response_timeout: Duration,
    /// How long the name of an event is remembered that is published once.
    pub(super) once_for: Duration,
}

/// What is removed from the stream as events are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trim {
    /// About what exceeds this number.
    Events(u64),
    /// About what is older.
    Age(Duration),
}

impl RedisSettings {
    pub(super) fn new(url: &str, stream: &str) -> Result<Self, RedisError> {
        Ok(Self {
            server: url.into_connection_info().map_err(RedisError::url)?,
            stream: stream.to_owned(),
            trim: Trim::Events(100_000),
            response_timeout: Duration::from_secs(5),
            once_for: Duration::from_secs(24 * 60 * 60),
        })
    }
}
