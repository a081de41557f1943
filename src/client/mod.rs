//! A client that follows the standard, over any HTTP service.
//!
//! [`EventSource`] is the browser's, for programs: it connects, hands out events, and when the
//! connection breaks it comes back and says what it has seen last. It runs over any
//! [`tower_service::Service`] from an [`http::Request`] to an [`http::Response`]: hyper-util's client,
//! an axum `Router` in the same process, a mock; with layers for tracing, authorisation or timeouts
//! around it. reqwest's client has requests and responses of its own type, which convert from and to
//! those of `http`: a `tower::service_fn` that does so and calls `Client::execute` makes it one.
//!
//! ```
//! use futures_util::StreamExt;
//! use http::{Request, Response, header::CONTENT_TYPE};
//! use tower_sse::EventSource;
//! use tower_sse::client::SourceEvent;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! // In place of hyper-util's client: answers once, and then says that there is no more.
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
//! Those who want nothing but messages take [`EventSource::into_messages`].
//!
//! # What reconnects and what fails
//!
//! As the standard has it ([9.2.3]), with what it leaves to the user agent said here:
//!
//! | what happens | what follows | what is said |
//! |---|---|---|
//! | 200 with `Content-Type: text/event-stream` | open | [`Open`](SourceEvent::Open) |
//! | the stream ends | reconnects | [`Error`](SourceEvent::Error) with [`Ended`](ClientError::Ended) |
//! | the connection breaks, or cannot be made | reconnects | `Error` with [`Transport`](ClientError::Transport) |
//! | no byte for [a time](EventSource::idle_timeout), if one is set | reconnects | `Error` with [`Idle`](ClientError::Idle) |
//! | an event is [too long](EventSource::max_event_len) | is dropped; the stream goes on | `Error` with [`Limit`](ClientError::Limit) |
//! | the last event ID fits into no header | connects without it | `Error` with [`UnsendableId`](ClientError::UnsendableId) |
//! | 204 | fails: the server's way to say stop | [`Failed`](SourceEvent::Failed) with [`Rejected`](ClientError::Rejected) |
//! | 200 with another type, or without one | fails | `Failed` with `Rejected` |
//! | 429, 5xx | fails; reconnects [if asked to](EventSource::retry_server_errors) | `Failed` (`Error`) with `Rejected` |
//! | any other status, redirects included | fails | `Failed` with `Rejected` |
//! | the service will never be ready again | fails | `Failed` with [`Service`](ClientError::Service) |
//! | too many [tries in a row](EventSource::max_tries), if bounded | fails | `Failed` with [`GaveUp`](ClientError::GaveUp) |
//!
//! After `Failed` the stream ends. Between two connections:
//!
//! - It waits for the reconnection time: what the server's last `retry` said, in whatever block,
//!   else 3 s or what [`initial_reconnection_time`](EventSource::initial_reconnection_time) says.
//! - Each connection in a row that delivers nothing doubles that, up to 30 s or
//!   [`max_backoff`](EventSource::max_backoff), but never below what the server asked for.
//!   Delivered has a connection from which an event came, or bytes came more than once.
//! - A random time of up to half of that comes on top, so that clients that were cut off together
//!   do not come back together; never does it take anything off.
//! - A `Retry-After` that is longer is waited for, if 5xx and 429 are retried.
//! - The request is sent again as it was, body included, with `Last-Event-ID`: the ID of the last
//!   event that had one, on whatever connection. An ID that the server has reset to empty is left
//!   out. What was unfinished on the old connection is dropped, so that nothing comes twice that the
//!   server does not send twice.
//!
//! # The browser's interface
//!
//! | [`EventSource`](https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface) in a browser | here |
//! |---|---|
//! | `new EventSource(url)` | [`EventSource::new`] with a `GET` request; nothing is sent before it is polled |
//! | `withCredentials` | the service's business: cookies and authorisation are its layers, or the request's headers |
//! | `url` | [`EventSource::url`] |
//! | `readyState` | [`EventSource::ready_state`] |
//! | `onopen` | [`SourceEvent::Open`], with the response's head |
//! | `onmessage`, `addEventListener(type, ...)` | [`SourceEvent::Message`]; look at its [type](crate::MessageEvent::event_type) |
//! | `onerror`, `readyState` is `CONNECTING` | [`SourceEvent::Error`] |
//! | `onerror`, `readyState` is `CLOSED` | [`SourceEvent::Failed`] |
//! | `close()` | [`EventSource::close`], or dropping it |
//! | `MessageEvent.data`, `.type`, `.lastEventId` | [`MessageEvent`](crate::MessageEvent) |
//! | `MessageEvent.origin` | that of the request, or of the response's extensions if the service puts it there |
//!
//! # Redirects and credentials
//!
//! A redirect is an answer like any other and fails. To follow redirects, put tower-http's
//! `FollowRedirect` around the service. It is then *its* policy that has to see to it that
//! credentials do not cross origins: its standard policy drops `Authorization` and `Cookie` there, but
//! a layer *inside* of it that adds a token adds it to every request, redirected or not.
//!
//! # Runtimes
//!
//! [`EventSource::new`] waits on tokio's clock; [`EventSource::with_timer`] on any other. It spawns
//! nothing: it lives as long as it is polled.
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
