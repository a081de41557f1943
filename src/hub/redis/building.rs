use std::sync::Arc;
use std::time::Duration;

use super::error::RedisError;
use super::redis::Redis;
use super::redis_engine::RedisEngine;
use super::settings::{RedisSettings, Trim};
use crate::hub::keep_open::HeldEngine;
use crate::hub::{Hub, HubBuilder, Retention};

impl Hub<Redis> {
    /// Settings for a hub on a Redis stream. All hubs with the same server and stream are one: an
    /// event that one of them publishes reaches the subscribers of all.
    ///
    /// The URL is `redis://[user][:password@]host[:port][/database]`. Nothing is sent to it before
    /// the hub is built.
    ///
    /// # Errors
    ///
    /// If the URL is not valid.
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
    /// Sets how many of the stream's newest events each node keeps in its memory; 4,096 by default.
    /// A client that resumes from one of them costs Redis nothing.
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

    /// Sets the bytes that these events may take in a node's memory; 4 MiB by default.
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

    /// Sets how many events the stream retains; about 100,000 by default, which take about 12 MB of
    /// Redis' memory if an event has 90 bytes, and 120 MB if it has 1,000. A client that resumes from
    /// an older one is told of a gap.
    ///
    /// Publishers trim the stream, by `MAXLEN ~`, so set the same on all nodes. This replaces
    /// [`max_age`](Self::max_age).
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

    /// Sets how long the stream retains an event, at least, instead of [how many](Self::max_events) it
    /// retains. How much memory that takes depends on how much is published.
    ///
    /// Publishers trim the stream, by `MINID ~` and their own clocks.
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

    /// Sets how long Redis may take to answer; 5 s by default. After that, publishing fails with an
    /// error that says that the event may be stored.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// use std::time::Duration;
    ///
    /// let builder = Hub::redis("redis://localhost", "feed")?.response_timeout(Duration::from_secs(1));
    /// # assert!(format!("{builder:?}").contains("response_timeout: 1s"));
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    pub fn response_timeout(mut self, time: Duration) -> Self {
        self.engine.response_timeout = time;
        self
    }

    /// Sets how long the name of an event that was published once is remembered; one day by default.
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

    /// Builds the hub, and begins to read the stream. Redis need not be there: the hub tries again
    /// until it is. Subscribers wait meanwhile, with heartbeats, and publishing fails.
    ///
    /// # Errors
    ///
    /// If this is not called inside a tokio runtime.
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
