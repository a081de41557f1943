//! Publishing: encode an event once, hand the same bytes to any number of subscribers, replay what a
//! reconnecting client has missed, and say so when that is not possible.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, extract::State, response::IntoResponse, routing::get};
//! use tower_sse::hub::Hub;
//! use tower_sse::{Event, KeepAlive, LastEventId};
//!
//! async fn feed(State(hub): State<Hub>, last: Option<LastEventId>) -> impl IntoResponse {
//!     hub.resume(last).map(|subscription| subscription.keep_alive(KeepAlive::default()))
//! }
//!
//! let hub = Hub::new();
//! let app: Router = Router::new().route("/feed", get(feed)).with_state(hub.clone());
//! hub.publish(Event::new("goal"));
//! # }
//! ```
//!
//! # The log is the hub, a subscriber is a cursor in it
//!
//! ```text
//!                 lost            retained                         head
//!           ... 4   5   6 │ 7   8   9   10   11   12   13   14   15 ┊
//!     topic     a   b   a │ a   b   a    a    b    b    a    a    b ┊ <- publish: encode, append, wake
//!                       ^     ^                    ^            ^   ^
//!                       D     C                    B            R   A
//! ```
//!
//! Publishing encodes the event, appends it and wakes those who follow its topic. There are no queues:
//! a subscriber is a number, the place up to which it has been served, and memory is the log's,
//! however many subscribers there are and however slow they be.
//!
//! - **A** has seen everything. Its task waits, and its next poll costs no lock.
//! - **B** was away for a moment. It gets 12 to 15 as one frame. Whoever follows the same topics from
//!   the same place gets the same bytes: they were put together once, and each has a reference.
//! - **R** is a client that reconnects with `Last-Event-ID: <epoch>-13`. Its place is after 13, found in
//!   logarithmic time; 14 and 15 come from the history and 16 live, and there is no seam: both are the
//!   log. [`Outcome::Resumed`]`(2)`.
//! - **C** has stopped reading. It costs nothing but its number, until the log's end passes it:
//! - **D** has *lagged*: for it, 6 is lost. [`Lag`] says what becomes of it: its stream ends, so that it
//!   reconnects and is told; or it is sent a gap event and goes on with the oldest that is retained, or
//!   with the next that comes. It is counted in [`Stats`].
//!
//! A server that does not poll a body, since the client does not read, cannot be told to end it: a
//! write timeout on the connection is the server's to set. It holds a number and one frame meanwhile.
//!
//! # Resuming
//!
//! IDs are `<epoch>-<number>`. The number counts a hub's events over all topics, so one ID resumes all
//! that a connection follows. The epoch is random for each hub: after a restart, an old ID is
//! [`Outcome::Unknown`], and never taken for a number of the new life. With
//! [`HubBuilder::user_ids`] events keep their own IDs.
//!
//! | the client's ID | [`Outcome`] | sent first |
//! |---|---|---|
//! | none, or an empty one | `Fresh` | its place: the ID of the newest event, without data |
//! | known, and nothing lost since | `Resumed(n)` | the n events |
//! | known, but something lost since | `Gap` | the gap event, then what is retained |
//! | of another epoch, never given out, or no ID of a hub at all | `Unknown` | the gap event |
//!
//! The place is why a client that loses its connection before the first event misses nothing. Readers
//! that take a block without data for an event need [`HubBuilder::announce_place`] turned off, and
//! usually a [gap event](HubBuilder::gap_event) of their own. The gap event's ID is the place that
//! follows the gap; the event is for the page, which then fetches its state anew.
//!
//! # Topics
//!
//! An event has one topic; a subscriber follows several, or all that begin alike, by
//! [`Hub::subscriber`]. What it follows is settled by the handler and only by it: an ID is a place in
//! the sequence and opens nothing. A topic takes memory while it is followed or an event of it is
//! retained, and no longer. Whether something was lost is known topic by topic, so a subscriber of a
//! quiet topic loses nothing by the noise of others; a topic that was gone in between is the
//! exception, and counts as a gap if anything at all was lost.
//!
//! # Retention, and slow subscribers
//!
//! By number, by bytes and by age, whichever comes first. A publisher never waits. One that would
//! rather wait than have subscribers lag awaits [`Hub::caught_up`] after each event; one whose events
//! may come a few milliseconds later lets them gather with [`Hub::linger`], for a fraction of the cost.
//!
//! # Ending
//!
//! [`Hub::close`] ends all streams, [`Hub::close_over`] one after the other over some time, and
//! [`Hub::drain`] waits until they have gone.
//!
//! # Other ways to be served
//!
//! [`HubService`] is a Tower service that does it all, [`Subscription::long_poll`] serves clients that
//! cannot stream, and [`Subscription::into_stream`] gives events one by one.

mod builder;
mod core;
mod delivery;
mod epoch;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod hub;
mod outcome;
mod refused;
mod service;
mod shared;
mod stats;
mod subscription;
mod topic;
mod trace;
mod wait;

pub use builder::HubBuilder;
pub use delivery::Delivery;
pub use hub::Hub;
pub use outcome::{Lag, Outcome};
pub use refused::Refused;
pub use service::HubService;
pub use stats::Stats;
pub use subscription::{After, Deliveries, Missed, Subscriber, Subscription};
pub use topic::Topic;
pub use wait::{CaughtUp, CloseOver, Drain, Linger};
