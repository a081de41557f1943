//! Server-Sent Events for Tower: one protocol, seen from the server that sends, and everything
//! around it that makes the bytes arrive.
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
//! let response = body.into_response();
//! assert_eq!(response.headers()["content-type"], "text/event-stream");
//! ```
//!
//! An [`SseLayer`] around the service sets the headers that depend on the connection and finds out
//! what a reconnecting client saw last: [`LastEventId`], in the request's extensions.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tokio` | yes | [`timer::TokioTimer`], and with it `keep_alive` without a timer to name |
//! | `json` | | [`Event::json`], [`Data::json`], [`Writer::json`] |
//! | `axum` | | `IntoResponse` for [`SseBody`], `Option<LastEventId>` as an extractor |
//!
//! A feature only adds. Without any, nothing here knows a runtime: see [`timer`].
//!
//! # Where to read on
//!
//! - [`protocol`]: the format on one page, and what the writers make of it.
//! - [`body`]: bodies, heartbeats, how streams end.
//! - [`middleware`]: what the layer touches, and what to mind in deployment.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
pub mod axum;
pub mod body;
pub mod client;
pub mod headers;
pub mod hub;
mod last_event_id;
pub mod middleware;
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

/// The README's code, compiled with the doc tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
