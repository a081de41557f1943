use std::time::Duration;

use super::event_source::EventSource;
use super::service::HttpService;
use crate::protocol::EventId;
use crate::timer::Timer;

impl<S: HttpService<B>, B, T: Timer> EventSource<S, B, T> {
    /// Begins after this event, as if it had been seen on an earlier connection.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let source = EventSource::new(service, request).resume_after(41u64);
    /// assert_eq!(source.last_event_id().as_str(), "41");
    /// # }
    /// ```
    pub fn resume_after(mut self, id: impl Into<EventId>) -> Self {
        self.decoder = self.decoder.resume_after(id);
        self
    }

    /// How long to wait before reconnecting, unless the server says so with `retry`; 3 s if not set.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let source = EventSource::new(service, request).initial_reconnection_time(second);
    /// assert_eq!(source.reconnection_time(), second);
    /// # }
    /// ```
    pub fn initial_reconnection_time(mut self, time: Duration) -> Self {
        self.backoff.reconnection_time = time;
        self
    }

    /// Up to what the wait is doubled while connections deliver nothing; 30 s if not set. The
    /// server's `retry` may be longer.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Err::<Response<String>, _>(std::io::Error::other("refused"))
    /// # });
    /// # let request = Request::new(String::new());
    /// use std::time::Duration;
    ///
    /// let start = tokio::time::Instant::now();
    /// let source = EventSource::new(service, request)
    ///     .max_backoff(Duration::from_secs(3))
    ///     .max_tries(11);
    /// assert_eq!(source.count().await, 11);
    /// // Ten waits of 3 s, with up to half of it on top.
    /// assert!(start.elapsed() < Duration::from_secs(46));
    /// # }
    /// ```
    pub fn max_backoff(mut self, time: Duration) -> Self {
        self.backoff.max = time;
        self
    }

    /// Fails after so many connections in a row that delivered nothing; never if not set.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Err::<Response<String>, _>(std::io::Error::other("refused"))
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).max_tries(2).into_messages();
    /// let error = messages.next().await.unwrap().unwrap_err();
    /// assert_eq!(error.to_string(), "gave up after 2 tries");
    /// # }
    /// ```
    pub fn max_tries(mut self, tries: u32) -> Self {
        self.backoff.max_tries = Some(tries);
        self
    }

    /// Takes a connection for dead on which no byte has come for so long, from the request on;
    /// never if not set.
    ///
    /// Choose more than twice the time between the server's heartbeats.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     std::future::pending::<std::io::Result<Response<String>>>().await
    /// # });
    /// # let request = Request::new(String::new());
    /// use std::time::Duration;
    ///
    /// let mut source = EventSource::new(service, request).idle_timeout(Duration::from_secs(45));
    /// let Some(SourceEvent::Error(error)) = source.next().await else {
    ///     panic!("no error");
    /// };
    /// assert_eq!(error.to_string(), "no byte came for 45s");
    /// # }
    /// ```
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.watchdog.time = Some(time);
        self
    }

    /// Reconnects after 5xx and 429 too, and not before their `Retry-After`.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().status(503).header("x-why", "no").body("because".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request).retry_server_errors();
    /// assert!(matches!(source.next().await, Some(SourceEvent::Error(_))));
    /// # }
    /// ```
    pub fn retry_server_errors(mut self) -> Self {
        self.server_error_retries = true;
        self
    }

    /// Hands out comments as well.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body(":alive\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request).comments();
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// assert!(matches!(source.next().await, Some(SourceEvent::Comment(text)) if text == "alive"));
    /// # }
    /// ```
    pub fn comments(mut self) -> Self {
        self.comments = true;
        self
    }

    /// The longest event; see [`Decoder::max_event_len`](crate::Decoder::max_event_len). 16 MiB if not set.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("data: too long\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request).max_event_len(10);
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// assert!(matches!(source.next().await, Some(SourceEvent::Error(_))));
    /// # }
    /// ```
    pub fn max_event_len(mut self, bytes: usize) -> Self {
        self.decoder = self.decoder.max_event_len(bytes);
        self
    }

    /// The longest line; see [`Decoder::max_line_len`](crate::Decoder::max_line_len). 16 MiB if not set.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("data: too long\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request).max_line_len(10);
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// assert!(matches!(source.next().await, Some(SourceEvent::Error(_))));
    /// # }
    /// ```
    pub fn max_line_len(mut self, bytes: usize) -> Self {
        self.decoder = self.decoder.max_line_len(bytes);
        self
    }
}
