//! Server-Sent Events for Tower: sent, published to many, and read, and everything around the protocol
//! that makes the bytes arrive.
//!
//! # A tour
//!
//! An [`Event`] has data, and if wanted a type, an ID and a reconnection time. Foreign text becomes an
//! [`EventId`], an [`EventType`] or [`Data`] first, which is where it is checked; after that nothing
//! can fail.
//!
//! ```
//! use tower_sse::{Event, EventId, EventType};
//!
//! let goal = Event::new("1 : 0\nMüller, 12'")
//!     .with_type(EventType::from_static("goal"))
//!     .with_id(EventId::try_from("match-7/42")?);
//! assert_eq!(
//!     goal.encode(),
//!     "event: goal\nid: match-7/42\ndata: 1 : 0\ndata: Müller, 12'\n\n",
//! );
//! # Ok::<(), tower_sse::InvalidText>(())
//! ```
//!
//! A stream of events becomes an [`SseBody`], which is a response body in every server that takes an
//! [`http_body::Body`]. It sends heartbeats while the stream is silent and ends as it is told to.
//!
//! ```
//! use std::convert::Infallible;
//! use futures_util::stream;
//! use tower_sse::{Event, KeepAlive, SseBody};
//!
//! let events = stream::iter([Ok::<_, Infallible>(Event::new("kick-off"))]);
//! let body = SseBody::new(events).keep_alive(KeepAlive::default());
//! let response = body.into_http_response();
//! assert_eq!(response.headers()["content-type"], "text/event-stream");
//! ```
//!
//! An [`SseLayer`] around the service sets the headers that depend on the connection and finds out
//! what a reconnecting client saw last: [`LastEventId`], in the request's extensions.
//!
//! A [`Hub`] has many subscribers for what it publishes, keeps a history for those who come back, and
//! tells those for whom it is too short.
//!
//! ```
//! use tower_sse::{Event, Hub, KeepAlive};
//!
//! let hub = Hub::new();
//! let seen = hub.publish(Event::new("kick-off"));
//! hub.publish(Event::new("goal"));
//! let body = hub.resume(seen)?.keep_alive(KeepAlive::default());
//! assert_eq!(hub.stats().subscribers, 1);
//! # drop(body);
//! # Ok::<(), tower_sse::hub::Refused>(())
//! ```
//!
//! On the other side, an [`EventSource`] reconnects and resumes over any Tower HTTP service, an
//! [`EventStream`] reads a body, and a [`Decoder`] reads bytes.
//!
//! ```
//! use bytes::Bytes;
//! use tower_sse::Decoder;
//!
//! let mut chunk = Bytes::from("event: goal\ndata: 1 : 0\n\n");
//! let goal = Decoder::new().decode(&mut chunk)?.unwrap();
//! assert_eq!((goal.event_type(), goal.data()), ("goal", "1 : 0"));
//! # Ok::<(), tower_sse::protocol::LimitExceeded>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tokio` | yes | [`timer::TokioTimer`], and with it `keep_alive` without a timer to name |
//! | `json` | | [`Event::json`], [`Data::json`], [`Writer::json`] |
//! | `axum` | | axum's `IntoResponse` for [`SseBody`] and [`Subscription`], `Option<`[`LastEventId`]`>` as an extractor |
//! | `tracing` | | a line in the log where a subscriber of a hub lags, misses something or is refused |
//!
//! A feature only adds. Without any, nothing here knows a runtime: see [`timer`].
//!
//! # Where to read on
//!
//! - [`protocol`]: the format on one page, and what the writers make of it.
//! - [`body`]: bodies, heartbeats, how streams end.
//! - [`middleware`]: what the layer touches, and what to mind in deployment.
//! - [`hub`]: log, cursor, resume, gap and lag.
//! - [`client`]: what reconnects and what fails, and the browser's interface beside ours.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
mod axum;
pub mod body;
pub mod client;
mod clock;
mod exclusive;
pub mod headers;
pub mod hub;
mod last_event_id;
pub mod middleware;
pub mod prelude;
pub mod protocol;
mod random;
mod sync;
pub mod timer;

pub use body::{EventStream, KeepAlive, MaxAge, Prelude, SseBody};
pub use client::EventSource;
pub use hub::{Hub, HubService, Subscription};
pub use last_event_id::{InvalidLastEventId, LAST_EVENT_ID, LastEventId};
pub use middleware::{SseLayer, SseService};
#[cfg(feature = "json")]
pub use protocol::JsonError;
pub use protocol::{
    Block, Data, Decoder, Event, EventId, EventType, InvalidText, MessageEvent, Writer,
};

/// Guides, which are here for the documentation alone.
#[cfg(all(
    any(doc, doctest),
    feature = "axum",
    feature = "json",
    feature = "tokio"
))]
pub mod docs {
    #[doc = include_str!("docs/coming_from_axum.md")]
    pub mod coming_from_axum {}
}

/// The README's code, compiled with the doc tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
