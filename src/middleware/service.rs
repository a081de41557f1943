use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;
use super::layer::SseLayer;
use crate::headers::{accepts_event_stream, may_keep_alive};
use crate::last_event_id::{LAST_EVENT_ID, LastEventId};
use crate::timer::{MaybeTimer, NoTimer};

/// The service that [`SseLayer`] makes of another.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_sse::{Event, SseBody, SseService};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let service = SseService::new(service_fn(async |_: Request<()>| {
///     let events = futures_util::stream::iter([Event::new("hello")]);
///     Ok::<_, Infallible>(Response::new(SseBody::new(events)))
/// }));
/// let response = service.oneshot(Request::new(())).await.unwrap();
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SseService<S, T = NoTimer> {
    inner: S,
    layer: SseLayer<T>,
}

impl<S> SseService<S> {
    /// The service with the layer's defaults.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// let service = SseService::new("any service");
    /// assert_eq!(*service.get_ref(), "any service");
    /// ```
    pub fn new(inner: S) -> Self {
        Self::with_layer(inner, SseLayer::new())
    }

    /// The layer that makes this service.
    ///
    /// ```
    /// # use tower::Layer;
    /// # use tower_sse::SseService;
    /// let service = SseService::<()>::layer().detect_only().layer("any service");
    /// assert_eq!(*service.get_ref(), "any service");
    /// ```
    pub fn layer() -> SseLayer {
        SseLayer::new()
    }
}

impl<S, T> SseService<S, T> {
    pub(super) fn with_layer(inner: S, layer: SseLayer<T>) -> Self {
        Self { inner, layer }
    }

    /// The wrapped service.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// assert_eq!(SseService::new("inner").get_ref(), &"inner");
    /// ```
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The wrapped service, to be changed.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// let mut service = SseService::new("inner");
    /// *service.get_mut() = "other";
    /// assert_eq!(service.into_inner(), "other");
    /// ```
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The wrapped service, by itself.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// assert_eq!(SseService::new("inner").into_inner(), "inner");
    /// ```
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// What is answered without asking the service, if anything; puts the ID into the extensions
    /// otherwise.
    fn check<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let settings = &self.layer.settings;
        if settings.require_accept && !accepts_event_stream(request.headers()) {
            let reason = "this resource is an event stream (text/event-stream)".to_owned();
            return Err(Refusal {
                status: StatusCode::NOT_ACCEPTABLE,
                reason,
            });
        }
        let mut last = LastEventId::from_headers(request.headers(), settings.max_len);
        if let (Ok(None), true, Some(query)) = (&last, settings.query, request.uri().query()) {
            last = LastEventId::from_query(query, settings.max_len);
        }
        match last {
            Ok(Some(last)) => {
                request.extensions_mut().insert(last);
            }
            Err(error) if !settings.ignore_invalid => {
                let reason = error.to_string();
                return Err(Refusal {
                    status: StatusCode::BAD_REQUEST,
                    reason,
                });
            }
            // Whoever looks at the header itself finds none either.
            Err(_) => _ = request.headers_mut().remove(LAST_EVENT_ID),
            Ok(None) => {}
        }
        Ok(())
    }
}

struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    fn into_response<B, T: MaybeTimer>(self) -> Response<ResponseBody<B, T>> {
        let mut response = Response::new(ResponseBody::text(Bytes::from(self.reason + "\n")));
        *response.status_mut() = self.status;
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
        response
    }
}

impl<S, T, ReqBody, ResBody> Service<Request<ReqBody>> for SseService<S, T>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
    T: MaybeTimer + Clone,
{
    type Response = Response<ResponseBody<ResBody, T>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if let Err(refusal) = self.check(&mut request) {
            return ResponseFuture::ready(refusal.into_response());
        }
        let keep_alive = may_keep_alive(request.version(), request.headers());
        let head = request.method() == Method::HEAD;
        ResponseFuture::new(
            self.inner.call(request),
            self.layer.clone(),
            keep_alive,
            head,
        )
    }
}
