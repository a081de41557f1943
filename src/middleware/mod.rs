//! The layer between any Tower server and the services that answer with event streams.
//!
//! [`SseLayer`] does two things. It adds the [`LastEventId`](crate::LastEventId) to requests, as an
//! extension. To responses that are event streams it adds the headers that browsers and proxies
//! need ([`EventStreamHeaders`](crate::headers::EventStreamHeaders)), and optionally heartbeats.
//!
//! ```
//! use std::convert::Infallible;
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_sse::{Event, LastEventId, SseBody, SseLayer};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let layer = SseLayer::new().query_fallback();
//! let feed = ServiceBuilder::new().layer(layer).service_fn(async |request: Request<()>| {
//!     let last = request.extensions().get::<LastEventId>().and_then(LastEventId::number);
//!     let event = Event::new(format!("after {last:?}"));
//!     Ok::<_, Infallible>(Response::new(SseBody::new(futures_util::stream::iter([event]))))
//! });
//! let response = feed.oneshot(Request::get("/?lastEventId=7").body(()).unwrap()).await.unwrap();
//! assert_eq!(response.headers()["cache-control"], "no-cache, no-transform");
//! # }
//! ```
//!
//! # Where to put it
//!
//! Put it on the routes of the event streams, in axum `get(feed).layer(SseLayer::new())`. Around a
//! whole application, use `SseLayer::new().detect_only()`, which only changes responses labelled as
//! event streams, such as those of
//! [`SseBody::into_http_response`](crate::SseBody::into_http_response).
//!
//! # Which responses it touches
//!
//! | response | default | [`detect_only`](SseLayer::detect_only) |
//! |---|---|---|
//! | `Content-Type: text/event-stream`, any status that can have a body | headers, heartbeats | the same |
//! | 200 without `Content-Type`, a body of unknown size that is not at its end | labelled, headers, heartbeats | passes |
//! | the same, if the request's `Accept` rules out event streams | passes | passes |
//! | anything else, gRPC included | passes | passes |
//!
//! A response that passes keeps its frames, trailers, size hint and end. Headers set by the handler
//! are kept, except that an event stream loses its `Content-Length`, and its body hides its size.
//!
//! The response to a `HEAD` request has only the headers: the handler's body is dropped before it
//! is polled, and no `Content-Length` is sent. The rules are those for `GET`, so they need the body
//! that a `GET` would have. If the inner service has already dropped it, as an axum `Router` called
//! as a service does, only a `Content-Type` identifies an event stream.
//!
//! # An invalid `Last-Event-ID`
//!
//! A `Last-Event-ID` that is not a valid ID, or is too long, is answered 400 with the reason as
//! text, but only if the response would be an event stream. Other routes inside the layer are not
//! affected.
//!
//! - The layer puts [`InvalidLastEventId`](crate::InvalidLastEventId) into the request's extensions
//!   and calls the inner service. If the response is an event stream, the layer drops it unpolled
//!   and answers 400.
//! - axum's extractor, [`LastEventId::from_request`](crate::LastEventId::from_request) and
//!   [`HubService`](crate::HubService) find it there, so they refuse the request before they do
//!   anything.
//! - [`require_valid_id`](SseLayer::require_valid_id) answers before the inner service is called,
//!   for handlers that only look into the extensions and have side effects.
//! - [`ignore_invalid`](SseLayer::ignore_invalid) treats it as no ID.
//!
//! All of these read a request in the same way: first the header, then the query if
//! [enabled](SseLayer::query_fallback). An empty ID counts as none. Of several, the first counts.
//! The outermost reader decides, and inner readers use its finding.
//!
//! # An `Accept` without event streams
//!
//! If [enabled](SseLayer::require_accept), it answers 406 to an `Accept` that rules out event
//! streams.
//!
//! # Compression
//!
//! With the feature `compression`, the layer compresses streams for clients that accept gzip, if
//! [set](SseLayer::compression). Streams that are encoded already pass unchanged, and without
//! heartbeats from the layer, because nothing can be inserted between encoded bytes.
//!
//! tower-http's `CompressionLayer` has more encodings. By default it does not compress event streams.
//! With another predicate it compresses them and flushes each event. Put it inside this layer, which
//! then sees the `Content-Encoding` and leaves `no-transform` out of `Cache-Control`. The heartbeats of
//! an [`SseBody`](crate::SseBody) are compressed with its events. See the
//! [guide](crate::docs::compression).
//!
//! # Deployment caveats
//!
//! - **Timeouts**: tower-http's `TimeoutLayer` only covers the time until the response's head, so
//!   streams are not cut. A timeout on the response *body* cuts them, unless it is longer than the
//!   heartbeat interval.
//! - **A peer that stops reading** without closing cannot be detected by a body. Set a write
//!   timeout on the connection, as the hyper example does.
//! - **Browsers** open at most 6 connections per origin on HTTP/1.1, across all tabs. Serve HTTP/2.
//! - **nginx** needs a `proxy_read_timeout` above the heartbeat interval; its default of 60 s
//!   suffices. The layer's headers do the rest.

mod asked;
mod body;
mod coding;
mod future;
mod layer;
mod refusal;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::SseLayer;
pub use service::SseService;
