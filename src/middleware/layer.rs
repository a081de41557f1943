use std::sync::Arc;

use tower_layer::Layer;

use super::service::SseService;
use crate::body::KeepAlive;
#[cfg(feature = "compression")]
use crate::compression::Compression;
use crate::headers::EventStreamHeaders;
use crate::last_event_id::Policy;
#[cfg(not(feature = "tokio"))]
use crate::timer::MaybeTimer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;
use crate::timer::{NoTimer, Timer};

/// A layer that sets the headers of event streams for browsers and proxies, and passes on the last
/// event ID of reconnecting clients. See the [module documentation](super).
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
    pub(super) settings: Arc<LayerSettings>,
    pub(super) timer: T,
}

#[derive(Debug, Clone)]
pub(super) struct LayerSettings {
    pub(super) headers: EventStreamHeaders,
    pub(super) detect_only: bool,
    pub(super) policy: Policy,
    pub(super) require_valid_id: bool,
    pub(super) require_accept: bool,
    pub(super) keep_alive: Option<KeepAlive>,
    #[cfg(feature = "compression")]
    pub(super) compression: Option<Compression>,
}

impl SseLayer {
    /// Creates a layer with the default settings, for the routes of event streams. It labels
    /// unlabelled streams, sets all headers, answers 400 instead of a stream if the `Last-Event-ID`
    /// is invalid, and adds no heartbeats.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use http::{Request, Response};
    /// use tower::{Layer, ServiceExt, service_fn};
    /// use tower_sse::{Event, SseBody, SseLayer};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let service = service_fn(async |_| {
    ///     let events = futures_util::stream::iter([Event::new("hello")]);
    ///     Ok::<_, Infallible>(Response::new(SseBody::new(events)))
    /// });
    /// let service = SseLayer::new().layer(service);
    /// let response = service.oneshot(Request::new(())).await.unwrap();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// # }
    /// ```
    pub fn new() -> Self {
        let settings = LayerSettings {
            headers: EventStreamHeaders::new(),
            detect_only: false,
            policy: Policy::new(),
            require_valid_id: false,
            require_accept: false,
            keep_alive: None,
            #[cfg(feature = "compression")]
            compression: None,
        };
        Self {
            settings: Arc::new(settings),
            timer: NoTimer,
        }
    }
}

impl<T: Timer> SseLayer<T> {
    /// Creates a layer with the default settings, whose [`keep_alive`](Self::keep_alive) uses this
    /// timer.
    ///
    /// ```
    /// # use std::{convert::Infallible, time::Duration};
    /// # use http::{Request, Response};
    /// use futures_util::stream;
    /// use http_body_util::BodyExt;
    /// use tower::{Layer, ServiceExt, service_fn};
    /// use tower_sse::{Event, KeepAlive, Prelude, SseBody, SseLayer};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let silence = service_fn(async |_| {
    ///     let body = SseBody::new(stream::pending::<Event>()).prelude(Prelude::new());
    ///     Ok::<_, Infallible>(Response::new(body))
    /// });
    /// let keep_alive = KeepAlive::new().interval(Duration::from_millis(1));
    /// let layer = SseLayer::with_timer(tokio::time::sleep).keep_alive(keep_alive);
    /// let response = layer.layer(silence).oneshot(Request::new(())).await.unwrap();
    /// let mut body = Box::pin(response.into_body());
    /// body.frame().await; // the prelude
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// # }
    /// ```
    pub fn with_timer(timer: T) -> Self {
        SseLayer::new().timed(timer)
    }
}

// The bound on the method turns a forgotten timer into an error that names the remedy. With tokio,
// a layer without a timer has a method of this name, which this impl would overlap.
impl<#[cfg(feature = "tokio")] T: Timer, #[cfg(not(feature = "tokio"))] T: MaybeTimer> SseLayer<T> {
    /// Adds heartbeats to every event stream that passes, on the timer of
    /// [`with_timer`](Self::with_timer).
    ///
    /// This is for streams made elsewhere, such as proxied streams. An [`SseBody`](crate::SseBody)
    /// can send its own heartbeats. Compressed streams pass unchanged.
    ///
    /// ```
    /// use tower_sse::{KeepAlive, SseLayer, timer::TokioTimer};
    ///
    /// let layer = SseLayer::with_timer(TokioTimer).keep_alive(KeepAlive::default());
    /// assert!(format!("{layer:?}").contains("interval: 15s"));
    /// ```
    pub fn keep_alive(self, keep_alive: KeepAlive) -> Self
    where
        T: Timer,
    {
        self.set(|settings| settings.keep_alive = Some(keep_alive))
    }
}

#[cfg(feature = "tokio")]
impl SseLayer {
    /// Adds heartbeats to every event stream that passes, on tokio's clock.
    ///
    /// This is for streams made elsewhere, such as proxied streams. An [`SseBody`](crate::SseBody)
    /// can send its own heartbeats. Compressed streams pass unchanged.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use futures_util::stream::{self, StreamExt};
    /// # use http::{Request, Response};
    /// # use http_body_util::BodyExt;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{Event, KeepAlive, SseBody, SseLayer};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     let events = stream::iter([Event::new("x")]).chain(stream::pending());
    /// #     Ok::<_, Infallible>(Response::new(SseBody::new(events)))
    /// # });
    /// let service = SseLayer::new().keep_alive(KeepAlive::default()).layer(service);
    /// let response = service.oneshot(Request::new(())).await.unwrap();
    /// let mut body = Box::pin(response.into_body());
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "data: x\n\n");
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// # }
    /// ```
    pub fn keep_alive(self, keep_alive: KeepAlive) -> SseLayer<TokioTimer> {
        self.timed(TokioTimer).keep_alive(keep_alive)
    }
}

impl<T> SseLayer<T> {
    /// Sets these headers instead of the default ones.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use futures_util::stream::empty;
    /// # use http::{Request, Response};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{Event, SseBody, SseLayer};
    /// use tower_sse::headers::EventStreamHeaders;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     Ok::<_, Infallible>(Response::new(SseBody::new(empty::<Event>())))
    /// # });
    /// let layer = SseLayer::new().headers(EventStreamHeaders::new().cache_control(None));
    /// let response = layer.layer(service).oneshot(Request::new(())).await.unwrap();
    /// assert!(!response.headers().contains_key("cache-control"));
    /// # }
    /// ```
    pub fn headers(self, headers: EventStreamHeaders) -> Self {
        self.set(|settings| settings.headers = headers)
    }

    /// Changes only responses already labelled as event streams, for a layer around a whole
    /// application. Otherwise, a 200 response without a `Content-Type` is labelled if its body has
    /// an unknown size and the request's `Accept` allows an event stream.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http::{Request, Response};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::SseLayer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let service = service_fn(async |_| {
    ///     Ok::<_, Infallible>(Response::new("plain text".to_owned()))
    /// });
    /// let service = SseLayer::new().detect_only().layer(service);
    /// let response = service.oneshot(Request::new(())).await.unwrap();
    /// assert!(response.headers().is_empty());
    /// # }
    /// ```
    pub fn detect_only(self) -> Self {
        self.set(|settings| settings.detect_only = true)
    }

    /// Falls back to the query parameter `lastEventId` if there is no `Last-Event-ID` header; see
    /// [`LastEventId::from_query`](crate::LastEventId::from_query).
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http::{Request, Response};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{LastEventId, SseLayer};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let service = service_fn(async |request: Request<()>| {
    ///     let last = request.extensions().get::<LastEventId>().unwrap();
    ///     assert_eq!(last.number(), Some(7));
    ///     Ok::<_, Infallible>(Response::new(String::new()))
    /// });
    /// let request = Request::get("/feed?lastEventId=7").body(()).unwrap();
    /// let response = SseLayer::new().query_fallback().layer(service).oneshot(request).await;
    /// assert_eq!(response.unwrap().status(), 200);
    /// # }
    /// ```
    pub fn query_fallback(self) -> Self {
        self.set(|settings| settings.policy.query = true)
    }

    /// Treats an invalid `Last-Event-ID` as none instead of answering 400. Inner handlers do not
    /// see it, not even in the header.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use futures_util::stream::empty;
    /// # use http::Request;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{Event, SseBody, SseLayer};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     Ok::<_, Infallible>(SseBody::new(empty::<Event>()).into_http_response())
    /// # });
    /// let request = || Request::get("/").header("last-event-id", &b"\xff"[..]).body(()).unwrap();
    /// let strict = SseLayer::new().layer(service);
    /// assert_eq!(strict.oneshot(request()).await.unwrap().status(), 400);
    /// let lenient = SseLayer::new().ignore_invalid().layer(service);
    /// assert_eq!(lenient.oneshot(request()).await.unwrap().status(), 200);
    /// # }
    /// ```
    pub fn ignore_invalid(self) -> Self {
        self.set(|settings| settings.policy.ignore_invalid = true)
    }

    /// Answers 400 to an invalid `Last-Event-ID` before calling the inner service.
    ///
    /// By default, the inner service is called, and its response is replaced if it is an event
    /// stream: a layer around a whole application does not know that beforehand. Set this on the
    /// routes of event streams whose handlers have side effects and do not check the ID themselves.
    /// It applies to every request, whatever the response would be, so it is not for a layer around
    /// a whole application. It has no effect together with
    /// [`ignore_invalid`](Self::ignore_invalid).
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use http::{Request, Response};
    /// use tower::{Layer, ServiceExt, service_fn};
    /// use tower_sse::SseLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let service = service_fn(async |_| -> Result<Response<String>, Infallible> {
    ///     unreachable!("it is not asked");
    /// });
    /// let service = SseLayer::new().require_valid_id().layer(service);
    /// let request = Request::get("/").header("last-event-id", &b"\xff"[..]).body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await.unwrap().status(), 400);
    /// # }
    /// ```
    pub fn require_valid_id(self) -> Self {
        self.set(|settings| settings.require_valid_id = true)
    }

    /// Sets the maximum length of a `Last-Event-ID` in bytes;
    /// [`LastEventId::MAX_LEN`](crate::LastEventId::MAX_LEN) by default.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use futures_util::stream::empty;
    /// # use http::Request;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{Event, SseBody, SseLayer};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     Ok::<_, Infallible>(SseBody::new(empty::<Event>()).into_http_response())
    /// # });
    /// let service = SseLayer::new().max_last_event_id_len(20).layer(service);
    /// let request = Request::get("/").header("last-event-id", "7".repeat(21)).body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await.unwrap().status(), 400);
    /// # }
    /// ```
    pub fn max_last_event_id_len(self, bytes: usize) -> Self {
        self.set(|settings| settings.policy.max_len = bytes)
    }

    /// Answers 406 to requests whose `Accept` rules event streams out.
    ///
    /// It applies to every request, whatever the response would be, so it is not for a layer around
    /// a whole application.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use futures_util::stream::empty;
    /// # use http::Request;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{Event, SseBody, SseLayer};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     Ok::<_, Infallible>(SseBody::new(empty::<Event>()).into_http_response())
    /// # });
    /// let service = SseLayer::new().require_accept().layer(service);
    /// let request = Request::get("/").header("accept", "application/json").body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await.unwrap().status(), 406);
    /// # }
    /// ```
    pub fn require_accept(self) -> Self {
        self.set(|settings| settings.require_accept = true)
    }

    /// Compresses the event streams of clients that accept gzip: those of a [hub](crate::hub) once
    /// for all subscribers, and any other with a context of its own. See the
    /// [guide](crate::docs::compression) before you set it.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use futures_util::stream::empty;
    /// # use http::Request;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_sse::{Event, SseBody, SseLayer, compression::Compression};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let service = service_fn(async |_| {
    /// #     Ok::<_, Infallible>(SseBody::new(empty::<Event>()).into_http_response())
    /// # });
    /// let service = SseLayer::new().compression(Compression::new()).layer(service);
    /// let request = Request::get("/").header("accept-encoding", "gzip").body(()).unwrap();
    /// let response = service.oneshot(request).await.unwrap();
    /// assert_eq!(response.headers()["content-encoding"], "gzip");
    /// # }
    /// ```
    #[cfg(feature = "compression")]
    pub fn compression(self, compression: Compression) -> Self {
        self.set(|settings| settings.compression = Some(compression))
    }

    fn timed<U>(self, timer: U) -> SseLayer<U> {
        SseLayer {
            settings: self.settings,
            timer,
        }
    }

    fn set(mut self, set: impl FnOnce(&mut LayerSettings)) -> Self {
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
