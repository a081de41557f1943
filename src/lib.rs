//! Server-Sent Events for Tower: a response body, a middleware layer, a publish/subscribe hub and a
//! client, for axum, tonic, hyper and every other server or client built on [`http_body`] and
//! [`tower_service`].
//!
//! # A tour
//!
//! An [`Event`] has data and, optionally, a type, an ID and a reconnection time. Untrusted text is
//! validated when it becomes an [`EventId`] or an [`EventType`]; after that, nothing can fail.
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
//! An [`SseBody`] turns a stream of events into an [`http_body::Body`]. It sends heartbeats while the
//! stream is silent, and ends on shutdown, at a maximum age or on errors as configured.
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
//! An [`SseLayer`] around a handler sets the response headers that browsers and proxies need, and puts
//! the [`LastEventId`] of a reconnecting client into the request's extensions.
//!
//! A [`Hub`] publishes events to any number of subscribers. It keeps a history for clients that
//! reconnect, and tells a client when the history no longer reaches back to the last event it saw.
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
//! | `tokio` | yes | [`timer::TokioTimer`], the default for `keep_alive` and [`EventSource::new`] |
//! | `json` | | [`Event::json`], [`Data::json`], [`Writer::json`], [`MessageEvent::json`] |
//! | `axum` | | axum's `IntoResponse` for [`SseBody`] and [`Subscription`], `Option<`[`LastEventId`]`>` as an extractor |
//! | `tracing` | | a log line when a subscriber of a hub lags, misses events or is refused |
//! | `compression` | | [`SseLayer::compression`], [`HubService::compression`]: streams in gzip, compressed once for all subscribers of a hub |
//! | `sealed` | | [`HubBuilder::seal_ids`](hub::HubBuilder::seal_ids): IDs that reveal nothing and cannot be forged |
//! | `redis` | | [`Hub::redis`](hub::Hub::redis): hubs on any number of machines that share a Redis stream; not on wasm |
//! | `redis-tls` | | TLS to Redis, with rustls and ring |
//!
//! Features only add API. Without any of them the crate depends on no runtime: see [`timer`].
//!
//! # Further reading
//!
//! - [`protocol`]: the format on one page, and what the encoder writes.
//! - [`body`]: bodies, heartbeats, and how streams end.
//! - [`middleware`]: which responses the layer touches, and deployment caveats.
//! - [`hub`]: the log, cursors, resuming, gaps and lag.
//! - [`client`]: what reconnects, what fails, and the browser's interface next to ours.
//!
//! # Guides
//!
//! - [`docs::proxies`]: nginx, HAProxy, Caddy, Apache, Cloudflare, AWS and Kubernetes.
//! - [`docs::http2`]: connections per browser, TLS, flow control, and streams that fail.
//! - [`docs::stalled_peers`]: write timeouts, under hyper and `axum::serve`.
//! - [`docs::shutdown`]: deploys, and clients that do not all return at once.
//! - [`docs::cluster`]: hubs on more than one machine that share a Redis stream.
//! - [`docs::limits`]: descriptors, caps for a hub and for a user, memory, metrics.
//! - [`docs::capacity`]: what a subscriber costs, and how to plan for a million.
//! - [`docs::authentication`]: cookies, tokens, CORS, and access that ends.
//! - [`docs::compression`]: when it pays, and when it leaks.
//! - [`docs::testing`]: handlers without sockets, heartbeats without waiting.
//! - [`docs::llm`]: serving the official SDKs, and reading up to `[DONE]`.
//! - [`docs::standard`]: the standard clause by clause, with the tests of each.
//! - [`docs::coming_from_axum`]: `axum::response::sse`, method by method.

#![cfg_attr(
    all(feature = "redis", target_family = "wasm"),
    allow(dead_code, unused_imports, reason = "there is no hub on Redis there")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links to what a feature adds are links only with all features, which CI and docs.rs build with.
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "compression",
        feature = "json",
        feature = "redis",
        feature = "sealed",
        feature = "tokio",
        feature = "tracing"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "axum")]
mod axum;
pub mod body;
pub mod client;
mod clock;
#[cfg(feature = "compression")]
pub mod compression;
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

#[doc(inline)]
pub use body::{EventStream, KeepAlive, MaxAge, Prelude, SseBody};
#[doc(inline)]
pub use client::EventSource;
#[doc(inline)]
pub use hub::{Hub, HubService, Subscription};
#[doc(inline)]
pub use last_event_id::{InvalidLastEventId, LAST_EVENT_ID, LastEventId};
#[doc(inline)]
pub use middleware::{SseLayer, SseService};
#[cfg(feature = "json")]
#[doc(inline)]
pub use protocol::JsonError;
#[doc(inline)]
pub use protocol::{
    Block, Data, Decoder, Event, EventId, EventType, InvalidText, MessageEvent, Writer,
};

/// Guides: how to run, test and secure event streams. The module exists in the documentation only.
#[cfg(all(
    any(doc, doctest),
    feature = "axum",
    feature = "json",
    feature = "tokio"
))]
pub mod docs {
    #[doc = include_str!("docs/authentication.md")]
    pub mod authentication {}
    #[doc = include_str!("docs/capacity.md")]
    pub mod capacity {}
    #[cfg(feature = "redis")]
    #[doc = include_str!("docs/cluster.md")]
    pub mod cluster {}
    #[doc = include_str!("docs/coming_from_axum.md")]
    pub mod coming_from_axum {}
    #[cfg(feature = "compression")]
    #[doc = include_str!("docs/compression.md")]
    pub mod compression {}
    // Its example is run with tests/integrations, which has the crates for TLS.
    #[cfg_attr(not(doctest), doc = include_str!("docs/http2.md"))]
    pub mod http2 {}
    #[doc = include_str!("docs/limits.md")]
    pub mod limits {}
    #[doc = include_str!("docs/llm.md")]
    pub mod llm {}
    #[doc = include_str!("docs/proxies.md")]
    pub mod proxies {}
    #[doc = include_str!("docs/shutdown.md")]
    pub mod shutdown {}
    #[doc = include_str!("docs/stalled_peers.md")]
    pub mod stalled_peers {}
    #[doc = include_str!("docs/standard.md")]
    pub mod standard {}
    #[doc = include_str!("docs/testing.md")]
    pub mod testing {}
}

/// The README's code, compiled with the doc tests.
#[cfg(all(doctest, feature = "axum", feature = "redis"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
