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
//! use tower_sse::{LastEventId, SseLayer};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let layer = SseLayer::new().query_fallback();
//! let feed = ServiceBuilder::new().layer(layer).service_fn(async |request: Request<()>| {
//!     let last = request.extensions().get::<LastEventId>().and_then(LastEventId::number);
//!     Ok::<_, Infallible>(Response::new(format!("data: {}\n\n", last.unwrap_or(0) + 1)))
//! });
//! let response = feed.oneshot(Request::get("/?lastEventId=7").body(()).unwrap()).await.unwrap();
//! assert_eq!(response.headers()["cache-control"], "no-cache, no-transform");
//! # }
//! ```
//!
//! # Which responses it touches
//!
//! | response | default | [`detect_only`](SseLayer::detect_only) |
//! |---|---|---|
//! | `Content-Type: text/event-stream`, any status | headers, heartbeats | the same |
//! | 200, no `Content-Type`, a body not at its end | labelled, headers, heartbeats | passes |
//! | anything else, gRPC included | passes | passes |
//!
//! What passes keeps its frames, trailers, size hint and end. A header that the handler has set
//! stays; only a `Content-Length` is taken off an event stream. The answer to a `HEAD` request has the
//! headers alone: the handler's body is dropped before it is polled.
//!
//! # What it answers by itself
//!
//! 400 with the reason as text to a `Last-Event-ID` that cannot be an ID or is too long
//! ([`ignore_invalid`](SseLayer::ignore_invalid) passes the request on without it); 406 to an
//! `Accept` that rules event streams out, if [asked to](SseLayer::require_accept).
//!
//! # Deployment caveats
//!
//! - **Compression**: put it outside this layer. tower-http's leaves event streams alone by
//!   default; one that does not must flush after each event.
//! - **Timeouts**: tower-http's `TimeoutLayer` ends when the response's head is there, so streams
//!   live on; a timeout on the response *body* cuts them, unless it is longer than the heartbeat.
//! - **A peer that stops reading** without closing is never noticed by a body. Put a write timeout on
//!   the connection, as the hyper example does.
//! - **Browsers** open at most 6 connections per origin on HTTP/1.1, over all tabs. Serve HTTP/2.
//! - **nginx** needs a `proxy_read_timeout` above the heartbeat interval, which its default of 60 s is;
//!   the layer's headers do the rest.

mod body;
mod future;
mod layer;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::SseLayer;
pub use service::SseService;
