//! A client that follows the standard, over any HTTP service.
//!
//! [`EventSource`] is the browser's interface for programs: it connects and yields events, and when
//! the connection breaks, it reconnects with the ID of the last event it saw. It runs over any
//! [`tower_service::Service`] from an [`http::Request`] to an [`http::Response`]: hyper-util's
//! client, [reqwest's](#over-reqwest), an axum `Router` in the same process, a mock; with layers
//! for tracing, authorization or timeouts around it. To read a single response, see
//! [`EventStream`](crate::EventStream).
//!
//! ```
//! use futures_util::StreamExt;
//! use http::{Request, Response, header::CONTENT_TYPE};
//! use tower_sse::EventSource;
//! use tower_sse::client::SourceEvent;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! // In place of hyper-util's client: answers once, and then with 204.
//! let mut answers = vec![
//!     Response::builder().status(204).body(String::new()).unwrap(),
//!     Response::builder()
//!         .header(CONTENT_TYPE, "text/event-stream")
//!         .body("id: 1\ndata: kick-off\n\nevent: goal\ndata: 1 : 0\n\n".to_owned())
//!         .unwrap(),
//! ];
//! let service = tower::service_fn(move |_: Request<String>| {
//!     std::future::ready(Ok::<_, std::io::Error>(answers.pop().unwrap()))
//! });
//!
//! let request = Request::get("http://example.org/feed").body(String::new()).unwrap();
//! let mut source = EventSource::new(service, request);
//! let mut seen = Vec::new();
//! while let Some(event) = source.next().await {
//!     seen.push(match event {
//!         SourceEvent::Open(response) => format!("open: {}", response.status()),
//!         SourceEvent::Message(event) => format!("{}: {}", event.event_type(), event.data()),
//!         SourceEvent::Error(error) => format!("error: {error}"),
//!         SourceEvent::Failed(error) => format!("failed: {error}"),
//!         _ => continue,
//!     });
//! }
//! assert_eq!(seen, [
//!     "open: 200 OK",
//!     "message: kick-off",
//!     "goal: 1 : 0",
//!     "error: the event stream has ended",
//!     "failed: the response is not an event stream: 204 No Content",
//! ]);
//! # }
//! ```
//!
//! [`EventSource::into_messages`] yields only the messages.
//!
//! # What reconnects and what fails
//!
//! This follows the standard ([9.2.3]), and includes the cases that the standard leaves to the user
//! agent:
//!
//! | what happens | what follows | what it yields |
//! |---|---|---|
//! | 200 with `Content-Type: text/event-stream` | open | [`Open`](SourceEvent::Open) |
//! | the stream ends | reconnects | [`Error`](SourceEvent::Error) with [`Ended`](ClientError::Ended) |
//! | it ends in the middle of an event | reconnects | `Error` with [`Cut`](ClientError::Cut) |
//! | the connection breaks, or cannot be made | reconnects | `Error` with [`Transport`](ClientError::Transport) |
//! | nothing arrives for [some time](EventSource::idle_timeout), if set | reconnects | `Error` with [`Idle`](ClientError::Idle) |
//! | an event is [too long](EventSource::max_event_len) | the event is dropped | `Error` with [`Limit`](ClientError::Limit) |
//! | the last event ID cannot be sent | connects without it | `Error` with [`UnsendableId`](ClientError::UnsendableId) |
//! | 204 | fails: the server asks the client to stop | [`Failed`](SourceEvent::Failed) with [`Rejected`](ClientError::Rejected) |
//! | 200 with another type, without one, or encoded | fails | `Failed` with `Rejected` |
//! | 429, 5xx | fails; reconnects [if enabled](EventSource::retry_server_errors) | `Failed` (`Error`) with `Rejected` |
//! | any other status, [redirects](#redirects) included | fails | `Failed` with `Rejected` |
//! | the service fails to become ready | fails | `Failed` with [`Service`](ClientError::Service) |
//! | too many [failures in a row](EventSource::max_tries), if limited | fails | `Failed` with [`GaveUp`](ClientError::GaveUp) |
//!
//! The stream ends after `Failed`.
//!
//! [`Reconnect`] decides whether it reconnects at all, and
//! [`reconnect_when`](EventSource::reconnect_when) sets that. By default, a request with a safe
//! method, such as `GET`, is always repeated. Any other, such as a `POST`, is repeated only after
//! connection errors, not after a response that the server has ended. If it does not reconnect, the
//! stream ends after a clean end, and yields `Failed` after an error. For streams that end with a
//! terminator, such as those of language models, set [`until`](EventSource::until).
//!
//! The request is sent again unchanged, including its body, with a `Last-Event-ID`: the ID of the
//! last event that had one, on any connection. If the server has reset the ID to empty, the header
//! is left out. An event that is incomplete when a connection ends is dropped, so no event arrives
//! twice unless the server sends it twice.
//!
//! # Waiting
//!
//! Between two connections it waits for the reconnection time. That is the server's last `retry`,
//! in any block, but at least [100 ms](EventSource::min_reconnection_time). Without a `retry`, it
//! is 3 s, or the [initial reconnection time](EventSource::initial_reconnection_time).
//!
//! Each consecutive failed connection doubles the wait, up to 30 s or
//! [`max_backoff`](EventSource::max_backoff), but never below what the server asked for. A
//! connection is healthy, and resets the wait, if
//!
//! - an event arrived;
//! - it was open for as long as the wait before it, or for 10 s, so a proxy that cuts quiet streams
//!   after a minute does no harm; a connection that the [idle timeout](EventSource::idle_timeout)
//!   ends before anything has arrived is not healthy, however long that took; or
//! - it ended cleanly after some bytes, even if only a comment, or that long after the request, as
//!   an empty long poll does.
//!
//! If 5xx and 429 are [retried](EventSource::retry_server_errors), a longer `Retry-After` replaces
//! the wait. It may be a number of seconds or a date, which is interpreted relative to the
//! response's `Date`.
//!
//! Then random jitter is added, of up to the same time again, so that clients disconnected together
//! do not return together. It never shortens the wait that the server asked for. A server can ask
//! for at most a day; longer waits are capped.
//!
//! # Over hyper, with https
//!
// These two are compiled in tests/integrations, which has the crates.
#![cfg_attr(doctest, doc = "```text")]
#![cfg_attr(not(doctest), doc = "```no_run")]
#![doc = include_str!("../../examples/support/over_hyper.rs")]
//! ```
//!
//! # Over reqwest
//!
//! reqwest 0.12 has its own requests and responses, which convert from and to those of `http`, so a
//! function turns its client into a service:
//!
#![cfg_attr(doctest, doc = "```text")]
#![cfg_attr(not(doctest), doc = "```no_run")]
#![doc = include_str!("../../examples/support/over_reqwest.rs")]
//! ```
//!
//! reqwest follows redirects itself, and sends custom headers such as `X-Api-Key` to other origins.
//! If a header is secret, set your own `redirect::Policy`.
//!
//! # Redirects
//!
//! A browser follows redirects. Here that is left to the service, because it depends on which
//! headers may be sent where. Without a layer for it, a redirect fails. Put tower-http's
//! `FollowRedirect` around the HTTP client, with
//! `FollowRedirect::with_policy(client, SafeRedirects::default())` and this policy:
//!
// Compiled and tested in tests/integrations: the feature for redirects costs tower-http 30 crates.
#![cfg_attr(doctest, doc = "```text")]
#![cfg_attr(not(doctest), doc = "```")]
#![doc = include_str!("../../examples/support/redirects.rs")]
//! ```
//!
//! The policy can only strip the headers that it sees: a layer *below* `FollowRedirect` that adds a
//! token adds it to every request, redirected or not. Such layers belong above it. After a
//! redirect, the next connection starts at the original URL again.
//!
//! # Tokens and other headers
//!
//! [`EventSource::on_request`] changes each request before it is sent. If a new token has to be
//! awaited, wrap the client in a service that does so. It is called for each connection:
//!
//! ```
//! use bytes::Bytes;
//! use futures_util::StreamExt;
//! use http::{HeaderValue, Request, Response};
//! use http_body_util::Empty;
//! use tower::ServiceBuilder;
//! use tower_sse::EventSource;
//!
//! async fn fresh_token() -> HeaderValue {
//!     HeaderValue::from_static("Bearer 7")
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let client = tower::service_fn(async |request: Request<Empty<Bytes>>| {
//!     let data = format!("data: {}\n\n", request.headers()["authorization"].to_str().unwrap());
//!     Response::builder().header("content-type", "text/event-stream").body(data)
//! });
//! let client = ServiceBuilder::new()
//!     .filter_async(async |mut request: Request<_>| {
//!         request.headers_mut().insert("authorization", fresh_token().await);
//!         Ok::<_, tower::BoxError>(request)
//!     })
//!     .service(client);
//!
//! let request = Request::get("http://example.org/feed").body(Empty::<Bytes>::new()).unwrap();
//! let mut messages = EventSource::new(client, request).into_messages();
//! assert_eq!(messages.next().await.unwrap().unwrap().data(), "Bearer 7");
//! # }
//! ```
//!
//! # Compressed streams
//!
//! A response with a `Content-Encoding` fails, unless the service decodes it and removes the
//! header, as tower-http's `Decompression` and reqwest's features `gzip`, `brotli`, `deflate` and
//! `zstd` do.
//!
//! # The browser's interface
//!
//! | [`EventSource`](https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface) in a browser | here |
//! |---|---|
//! | `new EventSource(url)` | [`EventSource::new`] with a `GET` request; nothing is sent before the first poll |
//! | `withCredentials` | left to the service: cookies and authorization are set by its layers, or in the request's headers |
//! | `url` | [`EventSource::url`] |
//! | `readyState` | [`EventSource::ready_state`] |
//! | `onopen` | [`SourceEvent::Open`], with the response's head |
//! | `onmessage`, `addEventListener(type, ...)` | [`SourceEvent::Message`]; look at its [type](crate::MessageEvent::event_type) |
//! | `onerror`, `readyState` is `CONNECTING` | [`SourceEvent::Error`] |
//! | `onerror`, `readyState` is `CLOSED` | [`SourceEvent::Failed`] |
//! | `close()` | [`EventSource::close`], or dropping it |
//! | `MessageEvent.data`, `.type`, `.lastEventId` | [`MessageEvent`](crate::MessageEvent) |
//! | `MessageEvent.origin` | the origin of the request; after redirects, of tower-http's `RequestUri` in the response's extensions |
//!
//! # Runtimes
//!
//! [`EventSource::new`] uses tokio's clock, and [`EventSource::with_timer`] any other. It spawns
//! nothing and runs only while it is polled. On `wasm32-unknown-unknown`, where tokio's clock
//! panics, pass a timer such as `gloo_timers::future::sleep`.
//!
//! [9.2.3]: https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model

mod backoff;
mod connection;
mod error;
mod event_source;
mod health;
mod messages;
mod reconnect;
mod request;
mod retry_after;
mod service;
mod settings;
mod source_event;
mod watchdog;

pub use crate::body::Rejection;
pub use error::ClientError;
pub use event_source::EventSource;
pub use messages::Messages;
pub use reconnect::Reconnect;
pub use service::HttpService;
pub use source_event::{ReadyState, SourceEvent};
