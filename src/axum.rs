//! For axum: bodies as responses, and [`LastEventId`] as an extractor. The docs are on the impls,
//! where rustdoc shows them. The module is private, because a public module of this name would
//! shadow the crate `axum` under `use tower_sse::*`.

use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::body::{BoxBody, Source, SseBody};
use crate::hub::{Refused, Subscription};
use crate::last_event_id::{InvalidLastEventId, LastEventId, Policy};
use crate::timer::MaybeTimer;

/// In axum, a handler returns the body:
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use axum::{Router, routing::get};
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
/// use tower_sse::{Event, SseBody, SseLayer};
///
/// async fn feed() -> impl IntoResponse {
///     SseBody::new(futures_util::stream::iter([Event::new("hello")]))
/// }
///
/// async fn members_only() -> Response {
///     let is_member = false;
///     if !is_member {
///         return StatusCode::FORBIDDEN.into_response();
///     }
///     SseBody::new(futures_util::stream::iter([Event::new("hello")])).into_response()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app: Router = Router::new()
///     .route("/feed", get(feed).layer(SseLayer::new()))
///     .route("/members", get(members_only).layer(SseLayer::new()));
/// let request = Request::get("/feed").body(axum::body::Body::empty()).unwrap();
/// let response = app.oneshot(request).await.unwrap();
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// # }
/// ```
impl<S, T> IntoResponse for SseBody<S, T>
where
    S: Source + Send + 'static,
    S::Error: Into<BoxError> + Send,
    T: MaybeTimer + Send + 'static,
    T::Sleep: Send,
{
    fn into_response(self) -> Response {
        self.into_http_response().map(Body::new)
    }
}

/// In axum, a handler with several kinds of streams returns a boxed body:
///
/// ```
/// use axum::response::IntoResponse;
/// use futures_util::stream;
/// use tower_sse::{Event, Hub, SseBody, body::BoxBody};
///
/// fn feed(hub: Option<Hub>) -> BoxBody {
///     match hub.and_then(|hub| hub.subscribe().ok()) {
///         Some(subscription) => subscription.into_body().boxed(),
///         None => SseBody::new(stream::iter([Event::new("come back later")])).boxed(),
///     }
/// }
/// for hub in [None, Some(Hub::new())] {
///     let response = feed(hub).into_response();
///     assert_eq!(response.headers()["content-type"], "text/event-stream");
/// }
/// ```
impl IntoResponse for BoxBody {
    fn into_response(self) -> Response {
        self.into_http_response().map(Body::new)
    }
}

/// In axum, `Option<LastEventId>` is an extractor. It extracts the ID that
/// [`SseLayer`](crate::SseLayer) found, or without the layer, the ID in the request's header. It is
/// an `Option` because the first connection has no ID. An invalid ID is answered 400 with the
/// reason before the handler runs. To answer it yourself, take `Result<Option<LastEventId>,
/// InvalidLastEventId>`.
///
/// ```
/// use axum::{Router, response::IntoResponse, routing::get};
/// use http::Request;
/// use http_body_util::BodyExt;
/// use tower::ServiceExt;
/// use tower_sse::{Event, LastEventId, SseBody, SseLayer};
///
/// async fn feed(last: Option<LastEventId>) -> impl IntoResponse {
///     let event = Event::new(last.map_or("hello".to_owned(), |last| format!("after {last}")));
///     SseBody::new(futures_util::stream::iter([event]))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app: Router = Router::new().route("/feed", get(feed).layer(SseLayer::new()));
/// let request = Request::get("/feed").header("last-event-id", "7");
/// let request = request.body(axum::body::Body::empty()).unwrap();
/// let response = app.oneshot(request).await.unwrap();
/// let body = response.into_body().collect().await.unwrap().to_bytes();
/// assert_eq!(body, "data: after 7\n\n");
/// # }
/// ```
impl<S: Sync> OptionalFromRequestParts<S> for LastEventId {
    type Rejection = InvalidLastEventId;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, InvalidLastEventId> {
        let found = Policy::new().read(&parts.uri, &parts.headers, &parts.extensions);
        found.into_result()
    }
}

/// Exists only for its error message. axum reports that a handler with a bare `LastEventId` is not a
/// `Handler` and points to `#[axum::debug_handler]`, which then says what to write.
#[doc(hidden)]
impl<S: EveryRequestHasAnId + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = InvalidLastEventId;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, InvalidLastEventId> {
        std::future::pending().await
    }
}

/// Implemented by nothing: a bare extractor would refuse each client's first connection.
#[diagnostic::on_unimplemented(
    message = "a handler takes `Option<LastEventId>`, not `LastEventId`",
    label = "the first request of a client has no ID",
    note = "write `last: Option<LastEventId>`"
)]
pub(crate) trait EveryRequestHasAnId {}

impl IntoResponse for InvalidLastEventId {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, format!("{self}\n")).into_response()
    }
}

impl IntoResponse for Subscription {
    fn into_response(self) -> Response {
        self.into_http_response().map(Body::new)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.into_http_response()
    }
}
