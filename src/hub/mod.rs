//! Publish/subscribe: events are encoded once and shared by any number of subscribers. Clients that
//! reconnect are sent the events they missed, or are told when that is not possible.
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
//! # The hub is a log, and a subscriber is a cursor in it
//!
//! ```text
//!                 lost            retained                         head
//!           ... 4   5   6 │ 7   8   9   10   11   12   13   14   15 ┊
//!     topic     a   b   a │ a   b   a    a    b    b    a    a    b ┊ <- publish
//!                       ^     ^                    ^            ^   ^
//!                       D     C                    B            R   A
//! ```
//!
//! Publishing encodes the event, appends it and wakes the subscribers of its topic. There are no
//! queues: a subscriber is a cursor, the place up to which it has been served. Events are held in
//! the log alone, however many subscribers there are and however slow they are.
//!
//! - **A** has seen everything. Its task waits in a wake list, and its next poll takes no lock.
//! - **B** fell briefly behind. It gets 12 to 15 as one frame. Subscribers of the same topics form
//!   a group, and members of a group at the same place share the same bytes: the frame is built
//!   once, and each holds a reference.
//! - **R** is a client that reconnects with `Last-Event-ID: <epoch>-13`. Its place is after 13,
//!   found in logarithmic time. 14 and 15 come from the history and 16 live, without a seam, since
//!   both are the log. [`Outcome::Resumed`]`(2)`.
//! - **C** has stopped reading. It costs only its cursor, until the end of the log passes it:
//! - **D** has *lagged* and lost 6. [`LagPolicy`] decides what happens next. Either D is sent a gap
//!   event and continues with the oldest retained event or with the next one published, or its
//!   stream ends, so that it reconnects and is told then. [`Stats`] counts it.
//!
//! A server does not poll the body of a client that has stopped reading, so nothing in the body can
//! end it: set a write timeout on the connection. Until then it holds a cursor and one frame.
//!
//! # Resuming
//!
//! IDs are `<epoch>-<number>`. The number counts a hub's events across all topics, so one ID
//! resumes everything that a connection follows. The epoch is random for each hub. After a restart,
//! an old ID is [`Outcome::Unknown`] and never mistaken for one of the new hub's, unless the hub
//! [continues](#a-hub-that-survives-a-restart) the earlier one. With [`HubBuilder::keep_event_ids`]
//! events keep their own IDs.
//!
//! | the client's ID | [`Outcome`] | sent first |
//! |---|---|---|
//! | none, or an empty one | `Fresh` | its place: the ID of the newest event, without data |
//! | known, nothing lost since | `Resumed(n)` | the n events |
//! | known, but events lost since | `Gap` | the gap event, then the retained events |
//! | from another epoch, never issued, or not a hub's ID at all | `Unknown` | the gap event |
//!
//! Because of its place, a client that loses its connection before the first event misses nothing.
//! The place advances as events are published to other topics. A client that resumes without having
//! missed anything is sent the new place, and a client whose own topics are silent gets it with a
//! heartbeat. For readers that treat a block without data as an event, turn
//! [`HubBuilder::announce_place`] off, and usually set a [gap event](HubBuilder::gap_event) of your
//! own. The gap event tells the page to fetch its state again, and its ID is the place to resume
//! from after the gap.
//!
//! A client without an ID starts with the next event published, or [where the handler
//! says](SubscriptionBuilder::start), optionally preceded by an [event from the
//! handler](SubscriptionBuilder::first). An ID is only the client's claim:
//! [`SubscriptionBuilder::not_before`] limits what it can replay, for instance to events published
//! since a user joined.
//!
//! An unsealed ID also reveals how much the hub publishes. With [`HubBuilder::seal_ids`] IDs are
//! encrypted and authenticated, so that a client can neither read nor forge one.
//!
//! # Topics
//!
//! An event has one topic. A subscriber follows several topics, or all with a common prefix, with
//! [`Hub::subscriber`]. The handler alone decides which: an ID is a place in the sequence and
//! grants no access. A topic uses memory while it has a follower or a retained event. Losses are
//! tracked per topic, so a subscriber of a quiet topic is not told of a gap in another. For topics
//! that no longer exist, tracking is limited to 16,384 topics and 1 MiB of names. A client that
//! resumes from before that record is told of a gap.
//!
//! An event published [under a key](Topic::publish_latest) replaces the previous event with that
//! key, so the history holds only each key's latest event. This does not count as a loss, and no
//! client is told of a gap.
//!
//! A live subscription can follow and leave topics through its [`Handle`], or together with its
//! user's other subscriptions through [`Hub::owner`]. Such a change is a place in the log: an event
//! published to a topic after [`Owner::leave`] has returned does not reach the user, not even
//! clients that have yet to read what came before.
//!
//! # Retention, and slow subscribers
//!
//! The hub retains events by number and age for each topic, and by bytes for all topics together,
//! whichever limit is reached first. [`HubBuilder::retain_topic`] and [`HubBuilder::retain_prefix`]
//! set other limits for some topics. A busy topic does not displace quiet ones: when the hub [holds
//! too many bytes](HubBuilder::retain_bytes), it spares topics that hold far less than the largest.
//!
//! A publisher never waits unless it asks to: [`Hub::caught_up`] after each event waits for slow
//! subscribers. Set its patience, or a single stalled client blocks the publisher.
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
//! Where a delay of a few milliseconds is acceptable, [`Hub::linger`] lets events gather, at a
//! fraction of the cost.
//!
//! # Ending
//!
//! [`Hub::close`] ends all streams at once, [`Hub::close_over`] ends them one after the other over
//! a period of time, and [`Hub::drain`] waits until they have ended, or until a deadline. A close
//! is a place in the log: events published before it are still delivered, later ones are not.
//! Dropping the last [`Hub`] closes it.
//!
//! A closed hub refuses new subscribers, but still replays what it retains up to the close to
//! clients that resume.
//!
//! [`Topic::finish`] ends one topic: a run, such as a generation that a POST starts and any number
//! of GETs read. Subscribers get what is pending, and then their streams end. Clients that arrive
//! later are sent the whole run, and clients that have seen the end are answered 204, as long as
//! the topic retains an event.
//!
//! # A hub that survives a restart
//!
//! [`Hub::tail`] returns what the next life needs: the epoch, the number of the next event, the
//! retained events, and what is known to be lost. The program stores it and passes it to
//! [`HubBuilder::tail`] at the next start. Clients then resume with the IDs they have, as if the
//! hub had never ended.
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
//! Close the hub first, [drain](Hub::drain) it, and take the tail once nothing publishes to it. A
//! tail taken periodically from an open hub, in case the process crashes, is not
//! [complete](Tail#complete-or-not): each earlier client is told of a gap, and is then sent the
//! tail's events.
//!
//! # More than one machine
//!
//! With the feature `redis`, [`Hub::redis`] builds a hub whose log is a Redis stream. Any number of
//! processes have a hub on the same stream: an event that one publishes reaches the subscribers of
//! all under the same ID, so a client may reconnect to any of them and resume. Publishing is
//! asynchronous there, and IDs are those of the stream's entries. The [guide](crate::docs::cluster)
//! says what is guaranteed, and which of these features are different.
//!
//! # Owners and presence
//!
//! A subscription may have an [owner](SubscriptionBuilder::owner): a user or a session.
//! [`Hub::owner`] counts an owner's subscriptions and ends them, and [`HubBuilder::max_per_owner`]
//! limits them. With [`SubscriptionBuilder::end_at`] a subscription lasts as long as a token;
//! [`Hub::keep_time`] ends it on time. [`Hub::watch`] reports each follower that joins or leaves a
//! topic, with its owner and the reason for leaving. Use it for presence, and for work that is
//! needed only while a topic has followers.
//!
//! # Other ways to serve a subscription
//!
//! [`HubService`] is a ready-made Tower service, [`Subscription::long_poll`] serves clients that
//! cannot stream, and [`Subscription::into_stream`] yields events one by one.

mod builder;
mod change;
mod core;
mod delivery;
mod epoch;
#[cfg(any(test, feature = "redis"))]
mod foreign;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod hub;
mod hub_settings;
mod keep_open;
mod memory;
mod outcome;
#[cfg(any(test, feature = "redis"))]
mod outer;
mod owner;
#[cfg(feature = "compression")]
mod packed;
#[cfg(any(test, feature = "redis"))]
mod past;
mod place;
#[cfg(all(feature = "redis", not(target_family = "wasm")))]
mod redis;
mod refused;
mod retention;
#[cfg(feature = "sealed")]
mod seal;
mod service;
mod shared;
mod shrinking;
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
pub use memory::Memory;
pub use outcome::{LagPolicy, Outcome};
pub use owner::Owner;
#[cfg(all(feature = "redis-tls", not(target_family = "wasm")))]
pub use redis::RedisTls;
#[cfg(all(feature = "redis", not(target_family = "wasm")))]
pub use redis::{PublishError, Redis, RedisError, RedisStatus};
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
