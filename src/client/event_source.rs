use std::fmt;
use std::time::Duration;

use http::{Request, Uri};
use http_body::Body;

use super::backoff::Backoff;
use super::connection::ConnectionState;
use super::health::Health;
use super::messages::Messages;
use super::reconnect::Reconnect;
use super::request::Template;
use super::service::HttpService;
use super::source_event::ReadyState;
use super::watchdog::Watchdog;
use crate::body::Reader;
use crate::protocol::{Decoder, EventId};
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

/// A client of an event stream that reconnects: a [`Stream`](futures_core::Stream) of
/// [`SourceEvent`](super::SourceEvent)s.
///
/// The [module documentation](super) says what reconnects and what fails, and compares it with the
/// browser's interface. Nothing is sent before the first poll, and nothing happens while it is not
/// polled. Its memory is bounded by the maximum event length and the size of the service's chunks.
///
/// ```
/// use std::time::Duration;
/// use http::Request;
/// use http_body_util::Empty;
/// use bytes::Bytes;
/// use tower_sse::EventSource;
///
/// # let client = tower::service_fn(|_: Request<Empty<Bytes>>| async {
/// #     Ok::<_, std::io::Error>(http::Response::new(Empty::<Bytes>::new()))
/// # });
/// let request = Request::get("https://example.org/feed").body(Empty::<Bytes>::new())?;
/// let source = EventSource::new(client, request)
///     .resume_after(41u64)
///     .idle_timeout(Duration::from_secs(45))
///     .retry_server_errors();
/// assert_eq!(source.url(), "https://example.org/feed");
/// # Ok::<(), http::Error>(())
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct EventSource<S: HttpService<B>, B, T: Timer> {
    pub(super) service: S,
    pub(super) template: Template<B>,
    pub(super) timer: T,
    pub(super) state: ConnectionState<S, B, T>,
    pub(super) reader: Reader<<S::ResponseBody as Body>::Data>,
    pub(super) backoff: Backoff,
    pub(super) health: Health<T>,
    pub(super) watchdog: Watchdog<T>,
    pub(super) reconnect: Reconnect,
    pub(super) server_error_retries: bool,
    /// The `Retry-After` of the response that was just rejected.
    pub(super) retry_after: Option<Duration>,
    pub(super) cut: bool,
}

#[cfg(feature = "tokio")]
impl<S: HttpService<B>, B> EventSource<S, B, TokioTimer> {
    /// Creates a client that sends this request, and again whenever it reconnects, on tokio's
    /// clock.
    ///
    /// The request may have any method, and any body that implements `Clone`. A request with an
    /// unsafe method, such as a `POST`, is [not repeated](Reconnect) after a clean end. `Accept`
    /// and `Cache-Control` are added unless they are set. A `Last-Event-ID` is used as the [initial
    /// ID](Self::resume_after), and dropped if it is not a valid ID.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// assert!(matches!(source.next().await, Some(SourceEvent::Message(_))));
    /// # }
    /// ```
    pub fn new(service: S, request: Request<B>) -> Self {
        Self::with_timer(service, request, TokioTimer)
    }
}

impl<S: HttpService<B>, B, T: Timer> EventSource<S, B, T> {
    /// Creates a client like [`new`](Self::new), with another timer.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// use tower_sse::EventSource;
    ///
    /// # let client = tower::service_fn(|_: Request<String>| async {
    /// #     Ok::<_, std::io::Error>(Response::new(String::new()))
    /// # });
    /// # let request = Request::new(String::new());
    /// let source = EventSource::with_timer(client, request, tokio::time::sleep);
    /// assert_eq!(source.url(), "/");
    /// ```
    pub fn with_timer(service: S, request: Request<B>, timer: T) -> Self {
        let reconnect = Reconnect::for_method(request.method());
        let (template, last_event_id) = Template::new(request);
        Self {
            service,
            template,
            timer,
            state: ConnectionState::Start,
            reader: Reader::new(Decoder::new().resume_after(last_event_id)),
            backoff: Backoff::new(),
            health: Health::new(),
            watchdog: Watchdog::new(),
            reconnect,
            server_error_retries: false,
            retry_after: None,
            cut: false,
        }
    }

    /// Converts the source into a stream of its messages, without connection events.
    ///
    /// The stream ends when the source does, or when the server answers 204. It yields the error of
    /// a [`Failed`](super::SourceEvent::Failed) as an `Err`.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// # use http::{Request, Response, header::CONTENT_TYPE};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(move |request: Request<String>| {
    /// #     let id = request.headers().get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
    /// #     let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
    /// #     let response = match id.as_deref() {
    /// #         None => response.body("id: 1\ndata: a\n\n".to_owned()),
    /// #         Some("1") => response.body("id: 2\ndata: b\n\n".to_owned()),
    /// #         _ => response.status(204).body(String::new()),
    /// #     };
    /// #     std::future::ready(response)
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).into_messages();
    /// let mut data = String::new();
    /// while let Some(message) = messages.next().await {
    ///     data.push_str(message.unwrap().data());
    /// }
    /// assert_eq!(data, "ab");
    /// # }
    /// ```
    pub fn into_messages(self) -> Messages<S, B, T> {
        Messages::new(self)
    }

    /// Drops the connection, or the wait for one, and connects at once.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// # use tower_sse::client::ReadyState;
    /// let mut source = EventSource::new(service, request);
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// source.reconnect();
    /// assert_eq!(source.ready_state(), ReadyState::Connecting);
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// # }
    /// ```
    pub fn reconnect(&mut self) {
        if !matches!(self.state, ConnectionState::Closed) {
            self.disconnect();
            self.state = ConnectionState::Start;
        }
    }

    /// Closes the connection and ends the stream. This is the browser's `close`.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// source.close();
    /// assert!(source.next().await.is_none());
    /// # }
    /// ```
    pub fn close(&mut self) {
        self.disconnect();
        self.state = ConnectionState::Closed;
    }

    /// Returns the request's URI. This is the browser's `url`.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let source = EventSource::new(service, request);
    /// assert_eq!(source.url(), "/");
    /// # }
    /// ```
    pub fn url(&self) -> &Uri {
        self.template.uri()
    }

    /// Returns whether it is connecting, open or closed. This is the browser's `readyState`.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// # use tower_sse::client::ReadyState;
    /// let mut source = EventSource::new(service, request);
    /// assert_eq!(source.ready_state(), ReadyState::Connecting);
    /// source.next().await;
    /// assert_eq!(source.ready_state(), ReadyState::Open);
    /// # }
    /// ```
    pub fn ready_state(&self) -> ReadyState {
        match self.state {
            ConnectionState::Open(_) => ReadyState::Open,
            ConnectionState::Closed => ReadyState::Closed,
            ConnectionState::Start
            | ConnectionState::Requesting(_)
            | ConnectionState::Rejecting(_)
            | ConnectionState::Waiting(_) => ReadyState::Connecting,
        }
    }

    /// Returns the last event ID, which the next connection will send; empty if there is none.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).into_messages();
    /// messages.next().await;
    /// assert_eq!(messages.get_ref().last_event_id().as_str(), "7");
    /// # }
    /// ```
    pub fn last_event_id(&self) -> EventId {
        self.reader.decoder().last_event_id()
    }

    /// Returns the reconnection time: the server's last `retry`, raised to the
    /// [minimum](Self::min_reconnection_time), or else the [initial reconnection
    /// time](Self::initial_reconnection_time).
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).into_messages();
    /// assert_eq!(messages.get_ref().reconnection_time().as_millis(), 3_000);
    /// messages.next().await;
    /// assert_eq!(messages.get_ref().reconnection_time().as_millis(), 500);
    /// # }
    /// ```
    pub fn reconnection_time(&self) -> Duration {
        self.backoff.base(self.reader.decoder().reconnection_time())
    }

    /// Returns `true` if the last connection ended in the middle of an event, which is lost unless
    /// the server sends it again; `false` while the first connection is open.
    ///
    /// A clean end in the middle of an event is also reported as [`Cut`](super::ClientError::Cut).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use http::{Request, Response};
    /// use tower_sse::EventSource;
    /// use tower_sse::client::{ClientError, SourceEvent};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = tower::service_fn(|_: Request<String>| async {
    ///     Response::builder().header("content-type", "text/event-stream").body("data: ha".to_owned())
    /// });
    /// let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// assert!(matches!(source.next().await, Some(SourceEvent::Error(ClientError::Cut))));
    /// assert!(source.was_cut());
    /// # }
    /// ```
    #[must_use]
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    /// Returns a reference to the service.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let request = Request::new(String::new());
    /// let answer = async |_| Ok::<_, std::io::Error>(Response::new(String::new()));
    /// let service = tower::service_fn(answer);
    /// let source = EventSource::new(service, request);
    /// let _: &tower::util::ServiceFn<_> = source.get_ref();
    /// assert!(source.last_event_id().is_empty());
    /// # }
    /// ```
    pub fn get_ref(&self) -> &S {
        &self.service
    }

    /// Returns a mutable reference to the service.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let request = Request::new(String::new());
    /// let answer = async |_| Ok::<_, std::io::Error>(Response::new(String::new()));
    /// let service = tower::service_fn(answer);
    /// let mut source = EventSource::new(service, request);
    /// let _: &mut tower::util::ServiceFn<_> = source.get_mut();
    /// assert!(source.last_event_id().is_empty());
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.service
    }
}

impl<S: HttpService<B>, B, T: Timer> fmt::Debug for EventSource<S, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource")
            .field("url", self.url())
            .field("ready_state", &self.ready_state())
            .field("last_event_id", &self.last_event_id())
            .field("reconnect", &self.reconnect)
            .field("backoff", &self.backoff)
            .field("health", &self.health)
            .field("watchdog", &self.watchdog)
            .finish_non_exhaustive()
    }
}
