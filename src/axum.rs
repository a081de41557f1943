//! For axum: bodies as responses, [`LastEventId`] as an extractor.
//!
//! ```
//! use std::convert::Infallible;
//! use axum::{Router, routing::get};
//! # use http_body_util::BodyExt;
//! # use tower::ServiceExt;
//! use tower_sse::{Event, KeepAlive, LastEventId, SseBody, SseLayer};
//!
//! async fn feed(last: Option<LastEventId>) -> impl axum::response::IntoResponse {
//!     let event = Event::new(last.map_or("hello".to_owned(), |last| format!("after {last}")));
//!     let events = futures_util::stream::iter([Ok::<_, Infallible>(event)]);
//!     SseBody::new(events).keep_alive(KeepAlive::default())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let app: Router = Router::new().route("/feed", get(feed)).layer(SseLayer::new());
//! # let request = http::Request::get("/feed").header("last-event-id", "7");
//! # let request = request.body(axum::body::Body::empty()).unwrap();
//! # let response = app.oneshot(request).await.unwrap();
//! # assert_eq!(response.headers()["content-type"], "text/event-stream");
//! # let body = response.into_body().collect().await.unwrap().to_bytes();
//! # assert_eq!(body, ":\n\ndata: after 7\n\n");
//! # }
//! ```

use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::extract::OptionalFromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::body::{Source, SseBody};
use crate::hub::{Refused, Subscription};
use crate::last_event_id::{InvalidLastEventId, LastEventId};
use crate::timer::Timer;

impl<S, T> IntoResponse for SseBody<S, T>
where
    S: Source + Send + 'static,
    S::Error: Into<BoxError> + Send,
    T: Timer + Send + 'static,
    T::Sleep: Send,
{
    fn into_response(self) -> Response {
        Self::into_response(self).map(Body::new)
    }
}

/// What [`SseLayer`](crate::SseLayer) found, or the request's header without the layer.
impl<S: Sync> OptionalFromRequestParts<S> for LastEventId {
    type Rejection = InvalidLastEventId;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, InvalidLastEventId> {
        match parts.extensions.get::<Self>() {
            Some(last) => Ok(Some(last.clone())),
            None => Self::from_headers(&parts.headers, Self::MAX_LEN),
        }
    }
}

impl IntoResponse for InvalidLastEventId {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, format!("{self}\n")).into_response()
    }
}

impl IntoResponse for Subscription {
    fn into_response(self) -> Response {
        Self::into_response(self).map(Body::new)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        Self::into_response(self)
    }
}
