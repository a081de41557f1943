use std::sync::Arc;

use tower_layer::Layer;

use super::service::SseService;
use crate::body::KeepAlive;
use crate::headers::EventStreamHeaders;
use crate::last_event_id::LastEventId;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;
use crate::timer::{NoTimer, Timer};

/// Makes what a service answers an event stream that browsers and proxies understand, and tells it
/// what a reconnecting client saw last; see the [module](super).
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_sse::{Event, LastEventId, SseBody, SseLayer};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let service = ServiceBuilder::new().layer(SseLayer::new()).service_fn(
///     async |request: Request<()>| {
///         let last = request.extensions().get::<LastEventId>().map(ToString::to_string);
///         let event = Event::new(last.unwrap_or_default());
///         let events = futures_util::stream::iter([Ok::<_, Infallible>(event)]);
///         Ok::<_, Infallible>(Response::new(SseBody::new(events)))
///     },
/// );
/// let request = Request::get("/").header("last-event-id", "7").body(()).unwrap();
/// let response = service.oneshot(request).await.unwrap();
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// assert_eq!(response.headers()["x-accel-buffering"], "no");
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SseLayer<T = NoTimer> {
    pub(super) settings: Arc<Settings>,
    pub(super) timer: T,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) headers: EventStreamHeaders,
    pub(super) detect_only: bool,
    pub(super) query: bool,
    pub(super) ignore_invalid: bool,
    pub(super) max_len: usize,
    pub(super) require_accept: bool,
    pub(super) keep_alive: Option<KeepAlive>,
}

impl SseLayer {
    /// The layer with its defaults: it labels what is not labelled, sets all headers, answers a bad
    /// `Last-Event-ID` with 400, and adds no heartbeats.
    pub fn new() -> Self {
        let settings = Settings {
            headers: EventStreamHeaders::new(),
            detect_only: false,
            query: false,
            ignore_invalid: false,
            max_len: LastEventId::MAX_LEN,
            require_accept: false,
            keep_alive: None,
        };
        Self {
            settings: Arc::new(settings),
            timer: NoTimer,
        }
    }

    /// Adds heartbeats to every event stream that passes, on tokio's clock.
    ///
    /// For streams made elsewhere, such as proxied ones; an [`SseBody`](crate::SseBody) has its own.
    /// Compressed streams pass as they are.
    #[cfg(feature = "tokio")]
    pub fn keep_alive(self, keep_alive: KeepAlive) -> SseLayer<TokioTimer> {
        self.keep_alive_with(keep_alive, TokioTimer)
    }

    /// Adds heartbeats to every event stream that passes, on any runtime's clock.
    pub fn keep_alive_with<T: Timer>(self, keep_alive: KeepAlive, timer: T) -> SseLayer<T> {
        let Self { settings, .. } = self.set(|settings| settings.keep_alive = Some(keep_alive));
        SseLayer { settings, timer }
    }
}

impl<T> SseLayer<T> {
    /// Other headers than the default ones.
    pub fn headers(self, headers: EventStreamHeaders) -> Self {
        self.set(|settings| settings.headers = headers)
    }

    /// Touches only what is labelled as an event stream already: the mode for a layer around a whole
    /// application. Without it, a 200 that has no `Content-Type` and a body is labelled.
    pub fn detect_only(self) -> Self {
        self.set(|settings| settings.detect_only = true)
    }

    /// Without a `Last-Event-ID` header, takes the query parameter `lastEventId` for it; see
    /// [`LastEventId::from_query`].
    pub fn query_fallback(self) -> Self {
        self.set(|settings| settings.query = true)
    }

    /// Passes requests with a bad `Last-Event-ID` on without one, instead of answering 400.
    pub fn ignore_invalid(self) -> Self {
        self.set(|settings| settings.ignore_invalid = true)
    }

    /// The longest `Last-Event-ID` that is taken, in bytes; [`LastEventId::MAX_LEN`] by default.
    pub fn max_last_event_id_len(self, bytes: usize) -> Self {
        self.set(|settings| settings.max_len = bytes)
    }

    /// Answers 406 to requests whose `Accept` rules event streams out. Not together with
    /// [`detect_only`](Self::detect_only), as it looks at every request.
    pub fn require_accept(self) -> Self {
        self.set(|settings| settings.require_accept = true)
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }
}

impl Default for SseLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, T: Clone> Layer<S> for SseLayer<T> {
    type Service = SseService<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        SseService::with_layer(inner, self.clone())
    }
}
