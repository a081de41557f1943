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
//! Publishing encodes the event, appends it and wakes the subscribers of its topic. There are no
//! queues: a subscriber is a cursor, the place up to which it has been served, and memory is the
//! log's, however many subscribers there are and however slow they are.
//!
//! - **A** has seen everything. Its task waits in a wake list, and its next poll takes no lock.
//! - **B** was away for a moment. It gets 12 to 15 as one frame. Subscribers of the same topics are a
//!   group, and those of a group at the same place get the same bytes: they were put together once,
//!   and each has a reference.
//! - **R** is a client that reconnects with `Last-Event-ID: <epoch>-13`. Its place is after 13, found in
//!   logarithmic time; 14 and 15 come from the history and 16 live, and there is no seam: both are the
//!   log. [`Outcome::Resumed`]`(2)`.
//! - **C** has stopped reading. It costs nothing but its cursor, until the end of the log passes it:
//! - **D** has *lagged*: for it, 6 is lost. [`LagPolicy`] says what happens then: it is sent a gap
//!   event and continues with the oldest event that is retained, or with the next that is published;
//!   or its stream ends, so that it reconnects and is told. It is counted in [`Stats`].
//!
//! A body whose client has stopped reading is not polled by its server, so nothing in it can end it:
//! set a write timeout on the connection. Meanwhile it holds a cursor and one frame.
//!
//! # Resuming
//!
//! IDs are `<epoch>-<number>`. The number counts a hub's events over all topics, so one ID resumes all
//! that a connection follows. The epoch is random for each hub: after a restart, an old ID is
//! [`Outcome::Unknown`], and never taken for a number of the new life, unless the hub
//! [continues](#a-hub-that-survives-a-restart) the earlier one. With [`HubBuilder::keep_event_ids`]
//! events keep their own IDs.
//!
//! | the client's ID | [`Outcome`] | sent first |
//! |---|---|---|
//! | none, or an empty one | `Fresh` | its place: the ID of the newest event, without data |
//! | known, and nothing lost since | `Resumed(n)` | the n events |
//! | known, but something lost since | `Gap` | the gap event, then what is retained |
//! | of another epoch, never given out, or no ID of a hub at all | `Unknown` | the gap event |
//!
//! The place is why a client that loses its connection before the first event misses nothing. It
//! moves on while other topics are published to: a client that resumes without having missed
//! anything is told, and one whose own topics are silent gets it with a heartbeat. Readers
//! that take a block without data for an event need [`HubBuilder::announce_place`] turned off, and
//! usually a [gap event](HubBuilder::gap_event) of their own. The gap event's ID is the place that
//! follows the gap; the event is for the page, which then fetches its state anew.
//!
//! A client without an ID begins with what is published next, or [where the handler
//! says](SubscriptionBuilder::start), with an [event of the handler's](SubscriptionBuilder::first)
//! before it. An ID is only the client's claim: [`SubscriptionBuilder::not_before`] bounds what it can
//! replay, for instance to what was published since a user joined.
//!
//! An ID in clear also tells how much the hub publishes. With [`HubBuilder::seal_ids`] IDs are
//! encrypted and authenticated, so that a client can neither read nor make up one.
//!
//! # Topics
//!
//! An event has one topic; a subscriber follows several, or all with a common prefix, by
//! [`Hub::subscriber`]. What it follows is settled by the handler alone: an ID is a place in the
//! sequence and opens nothing. A topic takes memory while it is followed or an event of it is
//! retained. Whether something was lost is known topic by topic, so a subscriber of a quiet topic is
//! told of no gap that is another's. For topics that are gone that knowledge is bounded, at 16,384
//! topics and 1 MiB of names: a client that resumes from before what is known is told of a gap.
//!
//! An event that is published [under a key](Topic::publish_latest) replaces the one before it with that
//! key: the history then holds each key's latest event and no more. That is not a loss, and no client is
//! told of a gap.
//!
//! A subscription follows and leaves topics while it lives, by its [`Handle`], or with all others of its
//! user by [`Hub::owner`]. Such a change is a place in the log: what is published to a topic after
//! [`Owner::leave`] has returned no longer reaches the user, not even clients that have yet to read what
//! came before.
//!
//! # Retention, and slow subscribers
//!
//! By number and age for each topic, and by bytes for all together, whichever bound is met first.
//! [`HubBuilder::retain_topic`] and [`HubBuilder::retain_prefix`] set other bounds for some topics. A
//! topic that publishes a lot takes nothing from quiet ones: when the hub [holds too many
//! bytes](HubBuilder::retain_bytes), topics that hold far less than the largest are spared.
//!
//! A publisher never waits, unless it asks to: [`Hub::caught_up`] after each event waits for slow
//! subscribers, and needs a patience, or a single stalled client holds it up.
//!
//! ```
//! use std::time::Duration;
//! use tower_sse::{Event, Hub};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let hub = Hub::new();
//! for n in 0..10_000 {
//!     hub.publish(Event::display(n).unwrap());
//!     let patience = tokio::time::sleep(Duration::from_secs(1));
//!     hub.caught_up(1_000).or_after(patience).await;
//! }
//! # }
//! ```
//!
//! Where events may come a few milliseconds later, [`Hub::linger`] lets them gather, at a fraction of
//! the cost.
//!
//! # Ending
//!
//! [`Hub::close`] ends all streams, [`Hub::close_over`] one after the other over some time, and
//! [`Hub::drain`] waits until they have gone, or for a deadline. A close is a place in the log: what
//! was published before it is still delivered, what comes later is not. Dropping the last [`Hub`]
//! closes it.
//!
//! A closed hub takes no new subscribers, but clients that resume are still replayed what it retains up
//! to the close.
//!
//! [`Topic::finish`] ends one topic: a run, such as a generation that a POST starts and any number of GETs
//! read. Subscribers get what is pending and then the end. Clients that come later are replayed the
//! whole, and those that have seen the end are answered 204, as long as the topic retains an event.
//!
//! # A hub that survives a restart
//!
//! [`Hub::tail`] gives what the next life needs: the epoch, the number of the next event, what is
//! retained, and what is known to be lost. The program stores it, and [`HubBuilder::tail`] begins with
//! it. Clients then resume by the IDs that they have, as if the hub had never ended.
//!
//! ```
//! use tower_sse::hub::{Hub, Outcome};
//! use tower_sse::Event;
//!
//! let hub = Hub::new();
//! let seen = hub.publish(Event::new("kick-off"));
//! hub.publish(Event::new("goal"));
//! hub.close();
//! let tail = hub.tail();
//!
//! // In the next process, after it was stored and loaded: see `Tail`.
//! let hub = Hub::builder().tail(tail).build();
//! assert_eq!(hub.resume(seen)?.outcome(), Outcome::Resumed(1));
//! # Ok::<(), tower_sse::hub::Refused>(())
//! ```
//!
//! Close the hub first, [drain](Hub::drain) it, and take the tail when nothing is published any more. A
//! tail that is taken from an open hub now and then, in case the process crashes, is not
//! [complete](Tail#complete-or-not): each client from before is told of a gap, and then gets what the
//! tail has.
//!
//! # Whose a subscription is, and who is there
//!
//! A subscription may have an [owner](SubscriptionBuilder::owner), a user or a session. [`Hub::owner`]
//! counts an owner's subscriptions and ends them, and [`HubBuilder::max_per_owner`] bounds them. With
//! [`SubscriptionBuilder::end_at`] a subscription lasts as long as a token; [`Hub::keep_time`] ends it
//! on time. [`Hub::watch`] tells of each follower of a topic that comes or leaves, whose it is and why it
//! has left: presence, and work that is needed only while somebody follows.
//!
//! # Other ways to be served
//!
//! [`HubService`] is a Tower service that does it all, [`Subscription::long_poll`] serves clients that
//! cannot stream, and [`Subscription::into_stream`] gives events one by one.

mod builder;
mod change;
mod core;
mod delivery;
mod epoch;
#[cfg(test)]
mod foreign;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod hub;
mod outcome;
mod owner;
#[cfg(test)]
mod past;
mod refused;
mod retention;
#[cfg(feature = "sealed")]
mod seal;
mod service;
mod shared;
mod start;
mod stats;
mod subscription;
mod tail;
mod topic;
mod topic_stats;
mod trace;
mod wait;
mod watch;

pub use builder::HubBuilder;
pub use change::{Change, Reason};
pub use delivery::Delivery;
pub use hub::Hub;
pub use outcome::{LagPolicy, Outcome};
pub use owner::Owner;
pub use refused::Refused;
pub use retention::Retention;
#[cfg(feature = "sealed")]
pub use seal::SealKey;
pub use service::HubService;
pub use start::Start;
pub use stats::Stats;
pub use subscription::{After, Deliveries, Handle, Missed, Subscription, SubscriptionBuilder};
pub use tail::{InvalidTail, Tail, TailEvent};
pub use topic::Topic;
pub use topic_stats::TopicStats;
pub use wait::{CaughtUp, CloseOver, Drain, KeepTime, Linger};
pub use watch::Watch;
