use std::sync::Arc;
use std::time::Duration;

use super::error::RedisError;
use super::redis::Redis;
use super::redis_engine::RedisEngine;
use super::settings::{RedisSettings, Trim};
use crate::hub::keep_open::HeldEngine;
use crate::hub::{Hub, HubBuilder, Retention};

impl Hub<Redis> {
    /// Creates a builder for a hub on a Redis stream. All hubs on the same stream share their
    /// events: an event that one of them publishes reaches the subscribers of all.
    ///
    /// The URL is `redis://[user][:password@]host[:port][/database]`, or `rediss://` for TLS with
    /// the feature `redis-tls`. This only parses it; the hub connects once it is built. `stream` is
    /// the stream's key in Redis.
    ///
    /// # Errors
    ///
    /// If the URL is invalid.
    ///
    /// ```
    /// use tower_sse::Hub;
    ///
    /// assert!(Hub::redis("redis://localhost", "feed").is_ok());
    /// assert!(Hub::redis("http://localhost", "feed").is_err());
    /// ```
    pub fn redis(url: &str, stream: &str) -> Result<HubBuilder<Redis>, RedisError> {
        RedisSettings::new(url, stream).map(HubBuilder::with_engine)
    }
}

impl HubBuilder<Redis> {
    /// Sets how many of each topic's newest events this node keeps in memory; 4,096 by default. A
    /// client that resumes from one of them is served without asking Redis. All topics together
    /// stay within [`ring_bytes`](Self::ring_bytes).
    ///
    /// A node begins with this many of the stream's newest events, regardless of topic.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// let builder = Hub::redis("redis://localhost", "feed")?.ring_events(50_000);
    /// # assert!(format!("{builder:?}").contains("50000"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn ring_events(mut self, events: usize) -> Self {
        self.rules().all(Retention::new().events(events));
        self
    }

    /// Sets the maximum bytes of the events that this node keeps in memory, of all topics together;
    /// 4 MiB by default.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// let builder = Hub::redis("redis://localhost", "feed")?.ring_bytes(64 << 20);
    /// # assert!(format!("{builder:?}").contains("67108864"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn ring_bytes(mut self, bytes: usize) -> Self {
        self.rules().bytes(bytes);
        self
    }

    /// Sets about how many events the stream retains; 100,000 by default. They take about 12 MB of
    /// Redis' memory if an event has 90 bytes of data, and 120 MB if it has 1,000. A client that
    /// resumes from an older event is told of a gap.
    ///
    /// The stream is trimmed (`MAXLEN ~`) whenever a node publishes, so set the same value on all
    /// nodes. Replaces [`max_age`](Self::max_age).
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// let builder = Hub::redis("redis://localhost", "feed")?.max_events(1_000_000);
    /// # assert!(format!("{builder:?}").contains("Events(1000000)"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn max_events(mut self, events: u64) -> Self {
        self.engine.trim = Trim::Events(events);
        self
    }

    /// Sets the minimum time for which the stream retains an event, instead of the [number of
    /// events](Self::max_events). The memory that this takes depends on how much is published.
    ///
    /// The stream is trimmed (`MINID ~`) whenever a node publishes, by that node's clock.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// use std::time::Duration;
    ///
    /// let builder = Hub::redis("redis://localhost", "feed")?.max_age(Duration::from_secs(3600));
    /// # assert!(format!("{builder:?}").contains("Age(3600s)"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn max_age(mut self, age: Duration) -> Self {
        self.engine.trim = Trim::Age(age);
        self
    }

    /// Sets how long to wait for Redis' reply to a published event; 5 s by default. After that,
    /// publishing fails, and the event [may be stored](crate::hub::PublishError::may_be_stored).
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// use std::time::Duration;
    ///
    /// let builder = Hub::redis("redis://localhost", "feed")?;
    /// let builder = builder.response_timeout(Duration::from_secs(1));
    /// # assert!(format!("{builder:?}").contains("response_timeout: 1s"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn response_timeout(mut self, time: Duration) -> Self {
        self.engine.response_timeout = time;
        self
    }

    /// Sets how long Redis remembers the name of an event that is [published
    /// once](crate::hub::Topic::publish_once); one day by default.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// use std::time::Duration;
    ///
    /// let builder = Hub::redis("redis://localhost", "feed")?.once_for(Duration::from_secs(60));
    /// # assert!(format!("{builder:?}").contains("once_for: 60s"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn once_for(mut self, time: Duration) -> Self {
        self.engine.once_for = time;
        self
    }

    /// Sets the certificates of the connection to Redis, whose URL starts with `rediss://`.
    ///
    /// # Errors
    ///
    /// If the URL starts with anything else, or a certificate or key is invalid.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// use tower_sse::hub::RedisTls;
    ///
    /// let builder = Hub::redis("rediss://localhost", "feed")?.tls(&RedisTls::new())?;
    /// assert!(Hub::redis("redis://localhost", "feed")?.tls(&RedisTls::new()).is_err());
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    #[cfg(feature = "redis-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis-tls")))]
    pub fn tls(mut self, tls: &super::RedisTls) -> Result<Self, RedisError> {
        self.engine.server = self.engine.server.with_tls(tls).map_err(RedisError::tls)?;
        Ok(self)
    }

    /// Builds the hub and starts to read the stream. This does not fail if Redis is unreachable:
    /// the hub retries until it is connected. Meanwhile, subscribers wait with heartbeats, and
    /// publishing fails.
    ///
    /// # Errors
    ///
    /// If called outside of a tokio runtime.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// # #[tokio::main(flavor = "current_thread")] async fn test() {
    /// // Nobody listens there.
    /// let hub = Hub::redis("redis://localhost:1", "feed").unwrap().build().unwrap();
    /// assert!(hub.subscribe().is_ok());
    /// # }
    /// # test();
    /// let error = Hub::redis("redis://localhost", "feed")?.build().unwrap_err();
    /// assert!(error.to_string().contains("tokio"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn build(self) -> Result<Hub<Redis>, RedisError> {
        let (settings, rules, hub) = self.into_parts();
        let (engine, shared) = RedisEngine::start(settings, rules, hub)?;
        let engine = Arc::new(engine);
        // A service of the hub, which knows no engine, needs it as well.
        let held: HeldEngine = engine.clone();
        Ok(Hub::on(Redis::new(engine), shared, Some(held)))
    }
}
