use std::borrow::Cow;
use std::time::Duration;

use http::request::Parts;

use super::event_source::EventSource;
use super::reconnect::Reconnect;
use super::service::HttpService;
use crate::body::Terminator;
use crate::protocol::EventId;
use crate::timer::Timer;

impl<S: HttpService<B>, B, T: Timer> EventSource<S, B, T> {
    /// Resumes after the event with this ID, as if it had arrived on an earlier connection.
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
        self.reader = self.reader.map_decoder(|decoder| decoder.resume_after(id));
        self
    }

    /// Sets how long to wait before reconnecting, unless the server sets a `retry`; 3 s by default.
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

    /// Sets the minimum reconnection time that the server can set with `retry`; 100 ms by default.
    ///
    /// Without a minimum, a server that sends `retry: 0` and ends each response gets hundreds of
    /// requests per second. Firefox's minimum is 500 ms; Chromium and Safari have none. With 100
    /// ms, [long polls](crate::hub::Subscription::long_poll) can follow each other closely. The
    /// minimum does not apply to the [initial reconnection time](Self::initial_reconnection_time).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use futures_util::StreamExt;
    /// use http::{Request, Response};
    /// use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = tower::service_fn(|_: Request<String>| async {
    ///     let response = Response::builder().header("content-type", "text/event-stream");
    ///     response.body("retry: 0\ndata: x\n\n".to_owned())
    /// });
    /// let request = Request::new(String::new());
    ///
    /// let second = Duration::from_secs(1);
    /// let source = EventSource::new(service, request).min_reconnection_time(second);
    /// let mut messages = source.into_messages();
    /// messages.next().await;
    /// assert_eq!(messages.get_ref().reconnection_time(), second);
    /// # }
    /// ```
    pub fn min_reconnection_time(mut self, time: Duration) -> Self {
        self.backoff.min = time;
        self
    }

    /// Sets the maximum wait to which failing connections double the reconnection time; 30 s by
    /// default. The server's `retry` may be longer, and the jitter is added to it.
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
    /// // Ten waits of 3 s, each with a jitter of up to 3 s.
    /// assert!(start.elapsed() < Duration::from_secs(61));
    /// # }
    /// ```
    pub fn max_backoff(mut self, time: Duration) -> Self {
        self.backoff.max = time;
        self
    }

    /// Fails after this many consecutive failed connections; never by default.
    ///
    /// The [module documentation](super#waiting) says which connections fail.
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

    /// Treats a connection as dead if nothing arrives for this long, counted from the request on;
    /// never by default.
    ///
    /// Choose more than twice the interval of the server's heartbeats.
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
    /// assert_eq!(error.to_string(), "no data received for 45 s");
    /// # }
    /// ```
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.watchdog.time = Some(time);
        self
    }

    /// Sets when it reconnects; by default, that [depends on the request's method](Reconnect).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use http::{Request, Response};
    /// use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = tower::service_fn(|_: Request<String>| async {
    ///     let response = Response::builder().header("content-type", "text/event-stream");
    ///     response.body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// });
    /// let request = Request::new(String::new());
    /// use tower_sse::client::Reconnect;
    ///
    /// let mut messages = EventSource::new(service, request)
    ///     .reconnect_when(Reconnect::AfterErrors)
    ///     .into_messages();
    /// assert_eq!(messages.next().await.unwrap().unwrap().data(), "x");
    /// // The server has ended the stream.
    /// assert!(messages.next().await.is_none());
    /// # }
    /// ```
    pub fn reconnect_when(mut self, policy: Reconnect) -> Self {
        self.reconnect = policy;
        self
    }

    /// Changes the head of each request before it is sent, including the first one: to set a fresh
    /// token or a trace ID.
    ///
    /// Each request starts as a clone of the request passed to the constructor. `Last-Event-ID` is
    /// set afterwards. To await a token, wrap the client in a service [that fetches
    /// it](super#tokens-and-other-headers).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use http::{Request, Response};
    /// use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = tower::service_fn(|request: Request<String>| async move {
    ///     let data = format!("data: {}\n\n", request.headers()["authorization"].to_str().unwrap());
    ///     Response::builder().header("content-type", "text/event-stream").body(data)
    /// });
    /// let request = Request::new(String::new());
    /// let mut tokens = ["Bearer 1", "Bearer 2"].into_iter();
    /// let mut messages = EventSource::new(service, request)
    ///     .on_request(move |request| {
    ///         if let Some(token) = tokens.next() {
    ///             request.headers.insert("authorization", token.parse().unwrap());
    ///         }
    ///     })
    ///     .into_messages();
    /// assert_eq!(messages.next().await.unwrap().unwrap().data(), "Bearer 1");
    /// assert_eq!(messages.next().await.unwrap().unwrap().data(), "Bearer 2");
    /// # }
    /// ```
    pub fn on_request(mut self, f: impl FnMut(&mut Parts) + Send + Sync + 'static) -> Self {
        self.template.on_request = Some(Box::new(f));
        self
    }

    /// Closes the source at the event with this data, such as `[DONE]`, which is not yielded. A
    /// response that ends without it is an [error](super::ClientError::Unterminated).
    ///
    /// If this or [`until_type`](Self::until_type) is called several times, the last call counts.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use http::{Request, Response};
    /// use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = tower::service_fn(|_: Request<String>| async {
    ///     let response = Response::builder().header("content-type", "text/event-stream");
    ///     response.body("data: x\n\ndata: [DONE]\n\n".to_owned())
    /// });
    /// let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).until("[DONE]").into_messages();
    /// assert_eq!(messages.next().await.unwrap().unwrap().data(), "x");
    /// assert!(messages.next().await.is_none());
    /// # }
    /// ```
    pub fn until(mut self, data: impl Into<Cow<'static, str>>) -> Self {
        self.reader = self.reader.until(Terminator::Data(data.into()));
        self
    }

    /// Closes the source at the event of this type, such as `message_stop`, which is not yielded. A
    /// response that ends without it is an [error](super::ClientError::Unterminated).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use http::{Request, Response};
    /// use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = tower::service_fn(|_: Request<String>| async {
    ///     let response = Response::builder().header("content-type", "text/event-stream");
    ///     response.body("data: x\n\nevent: bye\ndata:\n\n".to_owned())
    /// });
    /// let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).until_type("bye").into_messages();
    /// assert_eq!(messages.next().await.unwrap().unwrap().data(), "x");
    /// assert!(messages.next().await.is_none());
    /// # }
    /// ```
    pub fn until_type(mut self, event_type: impl Into<Cow<'static, str>>) -> Self {
        self.reader = self.reader.until(Terminator::Type(event_type.into()));
        self
    }

    /// Reconnects after 5xx and 429 as well, but not before their `Retry-After`: seconds, or a date
    /// in any of HTTP's three forms.
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

    /// Yields comments as well.
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
        self.reader = self.reader.comments();
        self
    }

    /// Sets the maximum length of an event; 16 MiB by default. See
    /// [`Decoder::max_event_len`](crate::Decoder::max_event_len).
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
        self.reader = self
            .reader
            .map_decoder(|decoder| decoder.max_event_len(bytes));
        self
    }

    /// Sets the maximum length of a line; 16 MiB by default. See
    /// [`Decoder::max_line_len`](crate::Decoder::max_line_len).
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
        self.reader = self
            .reader
            .map_decoder(|decoder| decoder.max_line_len(bytes));
        self
    }
}
