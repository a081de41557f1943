use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::asked::Asked;
use super::body::ResponseBody;
use super::future::ResponseFuture;
use super::layer::SseLayer;
use super::refusal::Refusal;
use crate::headers::accepts_event_stream;
use crate::timer::{MaybeTimer, NoTimer};

/// A service wrapped by [`SseLayer`].
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
    /// Wraps a service with the layer's default settings.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// let service = SseService::new("any service");
    /// assert_eq!(*service.get_ref(), "any service");
    /// ```
    pub fn new(inner: S) -> Self {
        Self::with_layer(inner, SseLayer::new())
    }

    /// Returns a layer with the default settings.
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

    /// Returns a reference to the wrapped service.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// assert_eq!(SseService::new("inner").get_ref(), &"inner");
    /// ```
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the wrapped service.
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

    /// Returns the wrapped service.
    ///
    /// ```
    /// # use tower_sse::SseService;
    /// assert_eq!(SseService::new("inner").into_inner(), "inner");
    /// ```
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Reads the request and leaves the finding in it. An `Err` is the response to send without
    /// calling the inner service.
    fn check<B>(&self, request: &mut Request<B>, asked: &mut Asked) -> Result<(), Refusal> {
        let settings = &self.layer.settings;
        if settings.require_accept && !accepts_event_stream(request.headers()) {
            return Err(Refusal::not_acceptable());
        }
        let policy = settings.policy;
        let found = policy.read(request.uri(), request.headers(), request.extensions());
        found.note(request);
        match found.into_result() {
            Err(error) if settings.require_valid_id => Err(Refusal::bad_id(&error)),
            Err(error) => {
                asked.invalid = Some(error);
                Ok(())
            }
            Ok(_) => Ok(()),
        }
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
        let mut asked = Asked::new(&request, self.layer.settings.detect_only);
        if let Err(refusal) = self.check(&mut request, &mut asked) {
            return ResponseFuture::ready(refusal.into_response(asked.head));
        }
        ResponseFuture::new(self.inner.call(request), self.layer.clone(), asked)
    }
}
