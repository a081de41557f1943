use std::error::Error;
use std::fmt;

/// An error returned when a hub on Redis cannot be built.
///
/// ```
/// use std::error::Error;
/// use tower_sse::Hub;
///
/// let error = Hub::redis("http://localhost", "feed").unwrap_err();
/// assert_eq!(error.to_string(), "the Redis URL is invalid");
/// assert!(error.source().is_some());
/// ```
#[derive(Debug)]
pub struct RedisError {
    mistake: Mistake,
}

#[derive(Debug)]
enum Mistake {
    Url(redis::RedisError),
    #[cfg(feature = "redis-tls")]
    Tls(redis::RedisError),
    NoRuntime,
}

impl RedisError {
    pub(super) const fn url(error: redis::RedisError) -> Self {
        let mistake = Mistake::Url(error);
        Self { mistake }
    }

    #[cfg(feature = "redis-tls")]
    pub(super) const fn tls(error: redis::RedisError) -> Self {
        let mistake = Mistake::Tls(error);
        Self { mistake }
    }

    pub(super) const fn no_runtime() -> Self {
        let mistake = Mistake::NoRuntime;
        Self { mistake }
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mistake {
            Mistake::Url(_) => "the Redis URL is invalid",
            #[cfg(feature = "redis-tls")]
            Mistake::Tls(_) => "the TLS settings are invalid",
            Mistake::NoRuntime => "a hub on Redis must be built inside a tokio runtime",
        })
    }
}

impl Error for RedisError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.mistake {
            Mistake::Url(error) => Some(error),
            #[cfg(feature = "redis-tls")]
            Mistake::Tls(error) => Some(error),
            Mistake::NoRuntime => None,
        }
    }
}
