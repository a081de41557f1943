use std::sync::Arc;

use super::core::Course;
use super::keep_open::KeepOpen;

/// The subscriptions of one owner, such as a user or a session: [`Hub::owner`](super::Hub::owner).
///
/// Creating and dropping this value is free.
///
/// ```
/// use http_body_util::BodyExt;
/// use tower_sse::Event;
/// use tower_sse::hub::Hub;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::builder().epoch(36).build();
/// let anna = hub.subscriber().owner("anna").subscribe().unwrap();
/// let _ben = hub.subscriber().owner("ben").subscribe().unwrap();
/// hub.publish(Event::new("Anna, you are logged out"));
/// assert_eq!(hub.owner("anna").end(), 1);
/// hub.publish(Event::new("Anna has left"));
/// assert_eq!(
///     anna.collect().await.unwrap().to_bytes(),
///     "id: 10-0\n\nid: 10-1\ndata: Anna, you are logged out\n\n",
/// );
/// assert_eq!(hub.stats().subscribers, 1);
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "an owner does nothing by itself"]
pub struct Owner<'a> {
    hub: &'a KeepOpen,
    name: &'a str,
}

impl<'a> Owner<'a> {
    pub(super) fn new(hub: &'a KeepOpen, name: &'a str) -> Self {
        Self { hub, name }
    }

    /// Returns the owner's name.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// assert_eq!(Hub::new().owner("anna").name(), "anna");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Returns the number of the owner's subscriptions, not counting those that have been ended.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _ended = hub.subscriber().owner("anna").subscribe()?;
    /// hub.owner("anna").end();
    /// assert_eq!(hub.owner("anna").subscriptions(), 0);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.hub.shared().lock().owned(self.name)
    }

    /// Makes all of the owner's subscriptions follow this topic as well, from now on, and returns
    /// the number of subscriptions. For how a change of topics works, see
    /// [`Handle`](super::Handle).
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = Hub::new();
    /// let mut stream = hub.subscriber().topic("room/1").owner("anna").subscribe()?.into_stream();
    /// assert_eq!(hub.owner("anna").follow("room/2"), 1);
    /// hub.topic("room/2").publish(Event::new("hello"));
    /// let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!((delivery.topic(), &*delivery.data()), ("room/2", "hello"));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the change is what counts")]
    pub fn follow(&self, topic: impl Into<Arc<str>>) -> usize {
        self.steer(&Course::Follow(topic.into()))
    }

    /// Makes all of the owner's subscriptions leave this topic, whether they follow it by its name
    /// or by a prefix, and returns the number of subscriptions. Events published to the topic later
    /// do not reach them. Use this when a user may no longer read the topic.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = Hub::new();
    /// let mut stream = hub.subscriber().prefix("room/").owner("anna").subscribe()?.into_stream();
    /// assert_eq!(hub.owner("anna").leave("room/2"), 1);
    /// hub.topic("room/2").publish(Event::new("not for Anna"));
    /// hub.topic("room/3").publish(Event::new("hello"));
    /// let delivery = stream.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(delivery.topic(), "room/3");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the change is what counts")]
    pub fn leave(&self, topic: impl Into<Arc<str>>) -> usize {
        self.steer(&Course::Leave(topic.into()))
    }

    /// Makes all of the owner's subscriptions follow these topics and nothing else, and returns the
    /// number of subscriptions.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = Hub::new();
    /// let mut stream = hub.subscriber().topic("lobby").owner("anna").subscribe()?.into_stream();
    /// assert_eq!(hub.owner("anna").move_to(["game/7"]), 1);
    /// hub.topic("lobby").publish(Event::new("anyone for chess?"));
    /// hub.topic("game/7").publish(Event::new("e4"));
    /// assert_eq!(stream.next().now_or_never().unwrap().unwrap().unwrap().data(), "e4");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the change is what counts")]
    pub fn move_to<N: Into<Arc<str>>>(&self, topics: impl IntoIterator<Item = N>) -> usize {
        self.steer(&Course::to(topics))
    }

    fn steer(&self, course: &Course) -> usize {
        let (shared, mut moving) = (self.hub.shared(), None);
        loop {
            let moved = shared
                .change(|state, wakes| state.move_owned(self.name, course, &mut moving, wakes));
            if let Some(moved) = moved {
                return moved;
            }
        }
    }

    /// Ends all of the owner's subscriptions and returns how many there were. Each is still sent
    /// what has been published so far, but not the farewell.
    ///
    /// A server does not poll the body of a client that has stopped reading; such a body ends with
    /// the connection.
    ///
    /// A browser reconnects when its stream ends. To keep a user out, refuse the next request,
    /// where possible with 204, after which the browser does not retry.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use futures_util::{FutureExt, StreamExt};
    ///
    /// let hub = Hub::new();
    /// let mut stream = hub.subscriber().owner("anna").subscribe()?.into_stream();
    /// assert_eq!(hub.owner("anna").end(), 1);
    /// hub.publish(Event::new("not for Anna"));
    /// assert!(stream.next().now_or_never().unwrap().is_none());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the end is what counts")]
    pub fn end(&self) -> usize {
        let (shared, mut ending) = (self.hub.shared(), None);
        loop {
            let ended =
                shared.change(|state, wakes| state.end_owned(self.name, &mut ending, wakes));
            if let Some(ended) = ended {
                return ended;
            }
        }
    }
}
