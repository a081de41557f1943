use std::time::Duration;

use super::error::RedisError;
use super::server::Server;

/// The settings of a hub on Redis.
#[derive(Debug, Clone)]
pub(in crate::hub) struct RedisSettings {
    pub(super) server: Server,
    /// The stream's key.
    pub(super) stream: String,
    pub(super) trim: Trim,
    /// How long a publisher waits for a reply.
    pub(super) response_timeout: Duration,
    /// How long Redis remembers the name of an event that is published once.
    pub(super) once_for: Duration,
}

/// How the stream is trimmed when an event is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trim {
    /// To about this number of entries.
    Events(u64),
    /// To entries of about this age at most.
    Age(Duration),
}

impl RedisSettings {
    pub(super) fn new(url: &str, stream: &str) -> Result<Self, RedisError> {
        Ok(Self {
            server: Server::parse(url).map_err(RedisError::url)?,
            stream: stream.to_owned(),
            trim: Trim::Events(100_000),
            response_timeout: Duration::from_secs(5),
            once_for: Duration::from_secs(24 * 60 * 60),
        })
    }

    /// Returns the name of a key that belongs to the stream, in the same slot of a cluster.
    pub(super) fn companion(&self, name: &str) -> String {
        let stream = &self.stream;
        let tag = stream
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'));
        if tag.is_some_and(|(tag, _)| !tag.is_empty()) || stream.contains('}') {
            format!("{stream}:{name}")
        } else {
            format!("{{{stream}}}:{name}")
        }
    }
}
