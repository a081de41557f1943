use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use tower_service::Service;

use super::settings::ServiceSettings;
use crate::body::{KeepAlive, MaxAge, Prelude, SseBody};
#[cfg(feature = "compression")]
use crate::compression::Compression;
use crate::headers::EventStreamHeaders;
use crate::hub::Hub;
use crate::hub::keep_open::KeepOpen;
use crate::hub::subscription::{Subscription, SubscriptionBuilder};
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

/// A ready-made Tower service that answers GET with a hub's event stream.
///
/// A client resumes after its `Last-Event-ID`, or `lastEventId` in the query. If that is not a
/// valid ID, the answer is 400 with the reason, once [`select`](Self::select) has allowed the
/// request, unless invalid IDs are [ignored](Self::ignore_invalid). Inside a
/// [`SseLayer`](crate::SseLayer), the ID that the layer has read counts. With `long-poll` in the
/// query, the response is a [long poll](Subscription::long_poll).
///
/// The answer is 503 with `Retry-After` if the hub is closed or full, and 429 if the
/// [owner](SubscriptionBuilder::owner) has too many subscriptions. Browsers do not reconnect after
/// either, unless the service [makes them](Self::refuse_with_retry). If all topics are
/// [finished](crate::hub::Topic::finish) and the client has seen the end, the answer is 204. HEAD
/// gets the same status and headers without a stream. Other methods get 405.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use http_body_util::BodyExt;
/// use tower::ServiceExt;
/// use tower_sse::Event;
/// use tower_sse::hub::{Hub, HubService};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::builder().epoch(36).build();
/// let service = HubService::new(hub.clone()).select(|request, subscriber| {
///     match request.uri.path().strip_prefix("/matches/") {
///         Some(id) => Ok(subscriber.topic(format!("match/{id}"))),
///         None => Err(StatusCode::NOT_FOUND),
///     }
/// });
///
/// let request = Request::get("/matches/7?long-poll&lastEventId=10-0").body(()).unwrap();
/// let response = service.clone().oneshot(request).await.unwrap();
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// hub.topic("match/7").publish(Event::new("goal"));
/// let bytes = response.into_body().collect().await.unwrap().to_bytes();
/// assert_eq!(bytes, ":\nretry: 100\nid: 10-1\ndata: goal\n\n");
///
/// let request = Request::get("/secrets").body(()).unwrap();
/// assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 404);
/// let request = Request::post("/matches/7").body(()).unwrap();
/// assert_eq!(service.oneshot(request).await.unwrap().status(), 405);
/// # }
/// ```
#[derive(Clone)]
pub struct HubService<T> {
    pub(super) hub: KeepOpen,
    pub(super) timer: T,
    pub(super) settings: Arc<ServiceSettings>,
}

#[cfg(feature = "tokio")]
impl HubService<TokioTimer> {
    /// Creates a service that serves the topic without a name to every client, with heartbeats on
    /// tokio's clock.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = HubService::new(Hub::new());
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// # }
    /// ```
    #[must_use]
    pub fn new<L>(hub: Hub<L>) -> Self {
        Self::with_timer(hub, TokioTimer)
    }
}

impl<T: Timer + Clone> HubService<T> {
    /// Creates a service that serves the topic without a name to every client, with heartbeats on
    /// this timer's clock.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = HubService::with_timer(Hub::new(), tokio::time::sleep);
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// assert_eq!(response.status(), 200);
    /// # }
    /// ```
    pub fn with_timer<L>(hub: Hub<L>, timer: T) -> Self {
        Self {
            hub: hub.into_open(),
            timer,
            settings: Arc::new(ServiceSettings {
                keep_alive: KeepAlive::new(),
                prelude: Prelude::new(),
                max_age: None,
                long_poll: Duration::from_secs(25),
                headers: EventStreamHeaders::new(),
                ignore_invalid: false,
                refuse_with_retry: false,
                #[cfg(feature = "compression")]
                compression: None,
                select: None,
            }),
        }
    }

    /// Sets the closure that chooses the topics of a request, or refuses it with a status.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = HubService::new(Hub::new()).select(|_, _| Err(StatusCode::FORBIDDEN));
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// assert_eq!(response.status(), 403);
    /// # }
    /// ```
    #[must_use]
    pub fn select(
        mut self,
        select: impl Fn(&Parts, SubscriptionBuilder) -> Result<SubscriptionBuilder, StatusCode>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.change().select = Some(Arc::new(select));
        self
    }

    /// Sets the heartbeats.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// let service = HubService::new(hub.clone())
    ///     .keep_alive(tower_sse::KeepAlive::new().text("alive"))
    ///     .max_age(tower_sse::MaxAge::new(Duration::from_secs(20)));
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// let bytes = response.into_body().collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, ":\nid: 10-0\n\n: alive\n");
    /// # }
    /// ```
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.change().keep_alive = keep_alive;
        self
    }

    /// Sets the first bytes of each stream, for instance with a reconnection time.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = HubService::new(Hub::new())
    ///     .prelude(tower_sse::Prelude::new().retry(Duration::from_secs(2)));
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// let mut body = Box::pin(response.into_body());
    /// let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    /// assert_eq!(first, ":\nretry: 2000\n");
    /// # }
    /// ```
    #[must_use]
    pub fn prelude(mut self, prelude: Prelude) -> Self {
        self.change().prelude = prelude;
        self
    }

    /// Ends streams at this age.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// let service = HubService::new(hub)
    ///     .max_age(tower_sse::MaxAge::new(Duration::from_secs(5)));
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// let bytes = response.into_body().collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, ":\nid: 10-0\n\n");
    /// # }
    /// ```
    #[must_use]
    pub fn max_age(mut self, age: MaxAge) -> Self {
        self.change().max_age = Some(age);
        self
    }

    /// Sets how long a long poll waits for an event; 25 seconds by default.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// let service = HubService::new(hub).long_poll(Duration::from_secs(5));
    /// let response = service.oneshot(Request::get("/?long-poll").body(()).unwrap()).await.unwrap();
    /// let bytes = response.into_body().collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, ":\nretry: 100\nid: 10-0\n\n");
    /// # }
    /// ```
    #[must_use]
    pub fn long_poll(mut self, wait: Duration) -> Self {
        self.change().long_poll = wait;
        self
    }

    /// Sets the response headers.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = HubService::new(Hub::new())
    ///     .headers(tower_sse::headers::EventStreamHeaders::new().x_accel_buffering(None));
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// assert!(!response.headers().contains_key("x-accel-buffering"));
    /// # }
    /// ```
    #[must_use]
    pub fn headers(mut self, headers: EventStreamHeaders) -> Self {
        self.change().headers = headers;
        self
    }

    /// Treats an invalid last event ID as none instead of answering 400, after which a browser does
    /// not reconnect.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let strict = HubService::new(Hub::new());
    /// let lenient = strict.clone().ignore_invalid();
    /// let request = || Request::get("/?lastEventId=%00").body(()).unwrap();
    /// assert_eq!(strict.oneshot(request()).await.unwrap().status(), 400);
    /// assert_eq!(lenient.oneshot(request()).await.unwrap().status(), 200);
    /// # }
    /// ```
    #[must_use]
    pub fn ignore_invalid(mut self) -> Self {
        self.change().ignore_invalid = true;
        self
    }

    /// Answers clients that the hub refuses with a short event stream instead of 503 or 429. The
    /// stream sets the [reconnection time](crate::hub::HubBuilder::retry_after), spread at random,
    /// and ends.
    ///
    /// A browser's `EventSource` then reconnects, whereas any status but 200 closes it permanently.
    /// This is not the default because others act on a 503: a load balancer tries another instance,
    /// monitoring counts it, and clients that support `Retry-After` wait. Set it where browsers
    /// connect.
    ///
    /// ```
    /// # use http::{Request, StatusCode};
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// # use http_body_util::BodyExt;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().max_subscribers(0).build();
    /// let service = HubService::new(hub).refuse_with_retry();
    /// let response = service.oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// assert_eq!(response.status(), 200);
    /// let bytes = response.into_body().collect().await.unwrap().to_bytes();
    /// assert!(bytes.starts_with(b":\nretry: "));
    /// # }
    /// ```
    #[must_use]
    pub fn refuse_with_retry(mut self) -> Self {
        self.change().refuse_with_retry = true;
        self
    }

    /// Compresses the streams of clients that accept gzip; see the
    /// [guide](crate::docs::compression) before you set it.
    ///
    /// ```
    /// # use http::Request;
    /// # use tower::ServiceExt;
    /// # use tower_sse::hub::{Hub, HubService};
    /// use tower_sse::compression::Compression;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let service = HubService::new(Hub::new()).compression(Compression::new());
    /// let request = Request::get("/").header("accept-encoding", "gzip").body(()).unwrap();
    /// let response = service.oneshot(request).await.unwrap();
    /// assert_eq!(response.headers()["content-encoding"], "gzip");
    /// assert_eq!(response.headers()["vary"], "accept-encoding");
    /// # }
    /// ```
    #[cfg(feature = "compression")]
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.change().compression = Some(compression);
        self
    }

    fn change(&mut self) -> &mut ServiceSettings {
        Arc::make_mut(&mut self.settings)
    }
}

impl<T: Timer + Clone, B> Service<Request<B>> for HubService<T> {
    type Response = Response<SseBody<Subscription, T>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, _body) = request.into_parts();
        ready(Ok(self.respond(&parts)))
    }
}

impl<T> fmt::Debug for HubService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubService")
            .field("hub", &self.hub)
            .field("keep_alive", &self.settings.keep_alive)
            .field("prelude", &self.settings.prelude)
            .field("max_age", &self.settings.max_age)
            .field("long_poll", &self.settings.long_poll)
            .finish_non_exhaustive()
    }
}
