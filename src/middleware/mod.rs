//! The layer between any Tower server and the services that answer with event streams.
//!
//! [`SseLayer`] does two things. To a request it adds the [`LastEventId`](crate::LastEventId), as an
//! extension. To a response that is an event stream it adds the headers without which the stream
//! does not get through ([`EventStreamHeaders`](crate::headers::EventStreamHeaders)), and heartbeats
//! if asked to.
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
//! On the routes of the event streams, in axum `get(feed).layer(SseLayer::new())`. Around a whole
//! application it is `SseLayer::new().detect_only()`, which takes a response for an event stream only if
//! it says so, as [`SseBody::into_http_response`](crate::SseBody::into_http_response) does.
//!
//! # Which responses it touches
//!
//! | response | default | [`detect_only`](SseLayer::detect_only) |
//! |---|---|---|
//! | `Content-Type: text/event-stream`, any status that can have a body | headers, heartbeats | the same |
//! | 200 without `Content-Type`, a body of unknown size that is not at its end | labelled, headers, heartbeats | passes |
//! | the same, if the request's `Accept` rules event streams out | passes | passes |
//! | anything else, gRPC included | passes | passes |
//!
//! What passes keeps its frames, trailers, size hint and end. A header that the handler has set
//! stays; only a `Content-Length` is taken off an event stream, and its body no longer tells its size.
//!
//! The answer to a `HEAD` request has the headers alone: the handler's body is dropped before it is
//! polled, and no `Content-Length` is sent. The rules are those for `GET`, so they need the body that a
//! `GET` would have. Where the inner service has dropped it already, as an axum `Router` does when it is
//! called as a service, only a `Content-Type` tells that a `HEAD` is about an event stream.
//!
//! # A bad `Last-Event-ID`
//!
//! What cannot be an ID, or is too long, is answered 400 with the reason as text, but only where the
//! answer would be an event stream. Other routes inside the layer never see the difference.
//!
//! - The layer leaves [`InvalidLastEventId`](crate::InvalidLastEventId) in the request's extensions and
//!   calls the inner service. If the answer is an event stream, the layer drops it unpolled and answers
//!   400.
//! - The extractor of axum, [`LastEventId::from_request`](crate::LastEventId::from_request) and
//!   [`HubService`](crate::HubService) find it there, so that handlers refuse before they do anything.
//! - [`require_valid_id`](SseLayer::require_valid_id) answers before the inner service is called, for
//!   handlers that look into the extensions only and have side effects.
//! - [`ignore_invalid`](SseLayer::ignore_invalid) makes it no ID at all.
//!
//! All of these read a request in the same way: the header first, then the query if that is
//! [asked for](SseLayer::query_fallback); an empty ID is none; of several, the first counts. The
//! outermost reader decides, and those inside take what it has found.
//!
//! # What else it answers by itself
//!
//! 406 to an `Accept` that rules event streams out, if [asked to](SseLayer::require_accept).
//!
//! # Compression
//!
//! tower-http's `CompressionLayer` leaves event streams alone by default. With another predicate it
//! compresses them and flushes each event. Put it inside this layer, which then sees the
//! `Content-Encoding`: it leaves `no-transform` out of `Cache-Control`, and puts no heartbeats into the
//! encoded bytes (those of an [`SseBody`](crate::SseBody) are compressed with its events).
//!
//! ```
//! use std::convert::Infallible;
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_http::compression::{CompressionLayer, predicate::SizeAbove};
//! use tower_sse::{Event, KeepAlive, SseBody, SseLayer};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let feed = ServiceBuilder::new()
//!     .layer(SseLayer::new())
//!     .layer(CompressionLayer::new().compress_when(SizeAbove::new(0)))
//!     .service_fn(async |_: Request<()>| {
//!         let events = futures_util::stream::iter([Event::new("hello")]);
//!         let body = SseBody::new(events).keep_alive(KeepAlive::default());
//!         Ok::<_, Infallible>(Response::new(body))
//!     });
//! let request = Request::get("/").header("accept-encoding", "br").body(()).unwrap();
//! let response = feed.oneshot(request).await.unwrap();
//! assert_eq!(response.headers()["content-encoding"], "br");
//! assert_eq!(response.headers()["cache-control"], "no-cache");
//! # }
//! ```
//!
//! In axum, the two go onto the route together:
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! # use futures_util::stream;
//! # use tower_sse::{Event, SseBody, SseLayer};
//! use axum::{Router, response::IntoResponse, routing::get};
//! use tower::ServiceBuilder;
//! use tower_http::compression::{CompressionLayer, predicate::SizeAbove};
//!
//! async fn feed() -> impl IntoResponse {
//!     SseBody::new(stream::iter([Event::new("hello")]))
//! }
//!
//! let layers = ServiceBuilder::new()
//!     .layer(SseLayer::new())
//!     .layer(CompressionLayer::new().compress_when(SizeAbove::new(0)));
//! let app: Router = Router::new().route("/feed", get(feed).layer(layers));
//! # }
//! ```
//!
//! Each connection then has an encoder of its own, and its memory.
//!
//! # Deployment caveats
//!
//! - **Timeouts**: tower-http's `TimeoutLayer` ends when the response's head is there, so streams
//!   live on; a timeout on the response *body* cuts them, unless it is longer than the heartbeat.
//! - **A peer that stops reading** without closing is never noticed by a body. Put a write timeout on
//!   the connection, as the hyper example does.
//! - **Browsers** open at most 6 connections per origin on HTTP/1.1, over all tabs. Serve HTTP/2.
//! - **nginx** needs a `proxy_read_timeout` above the heartbeat interval, which its default of 60 s is;
//!   the layer's headers do the rest.

mod asked;
mod body;
mod future;
mod layer;
mod refusal;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::SseLayer;
pub use service::SseService;
