use std::fmt;

use crate::hub::core::{Course, CursorName, State, Wakes};
use crate::hub::shared::Shared;
use crate::sync::{Arc, Weak};

/// Steers one subscription from anywhere: [`Subscription::handle`](super::Subscription::handle).
///
/// It keeps nothing alive, neither the subscription nor the hub, and can be cloned. For all
/// subscriptions of a user, see [`Owner`](crate::hub::Owner).
///
/// A change of topics is a place in the log, as a close is: what was published before the call is still
/// delivered by the old topics, what is published after it by the new ones. So nothing that is published
/// to a topic after [`leave`](Self::leave) has returned reaches the client, even if it has stalled
/// meanwhile; and all that is published to a topic after [`follow`](Self::follow) has returned does, or
/// is told as lost by the gap event. That holds for transient events too, as long as the hub keeps them
/// for subscribers that are not up to date. The stream's IDs count on as before.
///
/// Changes are not remembered when a client reconnects: it resumes with the topics that the handler then
/// gives it.
///
/// For a client that has stopped reading, up to 64 changes with events in between are kept. At the next
/// one its subscription is ended.
///
/// A change costs as much as the subscription has topics, or has left of a prefix. To change many, use
/// [`move_to`](Self::move_to) once.
///
/// A subscription whose topics are all [finished](crate::hub::Topic::finish) after a change ends there.
///
/// ```
/// use futures_util::{FutureExt, StreamExt};
/// use tower_sse::{Event, hub::Hub};
///
/// let hub = Hub::new();
/// let lobby = hub.subscriber().topic("lobby").subscribe()?;
/// let handle = lobby.handle();
/// let stream = lobby.into_stream();
///
/// hub.topic("lobby").publish(Event::new("welcome"));
/// handle.follow("game/7");
/// hub.topic("game/7").publish(Event::new("e4"));
/// handle.leave("lobby");
/// hub.topic("lobby").publish(Event::new("not for a player"));
/// handle.end();
///
/// let data = stream.map(|delivery| delivery.unwrap().data().into_owned());
/// let data: Vec<_> = data.collect().now_or_never().unwrap();
/// assert_eq!(data, ["welcome", "e4"]);
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Clone)]
#[must_use = "a handle does nothing by itself"]
pub struct Handle {
    shared: Weak<Shared>,
    /// None if it had ended before.
    name: Option<CursorName>,
}

impl Handle {
    pub(super) fn new(shared: &Arc<Shared>, name: Option<CursorName>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            name,
        }
    }

    /// Follows this topic too, from now on; false if the stream has ended, or is going to. A topic that
    /// is followed already is delivered once.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// # let hub = Hub::new();
    /// let body = hub.subscriber().topic("room/1").subscribe()?;
    /// assert!(body.handle().follow("room/2"));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the change is what counts")]
    pub fn follow(&self, topic: impl Into<std::sync::Arc<str>>) -> bool {
        self.steer(&Course::Follow(topic.into()))
    }

    /// Leaves this topic, whether it is followed by its name or by a prefix; false if the stream has
    /// ended, or is going to. A stream that has left all of its topics stays open, and gets nothing.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// # let hub = Hub::new();
    /// let body = hub.subscriber().prefix("room/").subscribe()?;
    /// assert!(body.handle().leave("room/2"));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the change is what counts")]
    pub fn leave(&self, topic: impl Into<std::sync::Arc<str>>) -> bool {
        self.steer(&Course::Leave(topic.into()))
    }

    /// Follows these topics and nothing else, neither the other topics nor the prefixes that it
    /// followed so far; false if the stream has ended, or is going to.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// # let hub = Hub::new();
    /// let body = hub.subscriber().prefix("room/").subscribe()?;
    /// assert!(body.handle().move_to(["room/1", "room/2"]));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the change is what counts")]
    pub fn move_to<N: Into<std::sync::Arc<str>>>(
        &self,
        topics: impl IntoIterator<Item = N>,
    ) -> bool {
        self.steer(&Course::to(topics))
    }

    /// Ends the stream after what has been published so far, without a farewell; false if it has ended,
    /// or is going to.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// # let hub = Hub::new();
    /// let handle = hub.subscribe()?.handle();
    /// assert!(!handle.end(), "the body was dropped");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the end is what counts")]
    pub fn end(&self) -> bool {
        self.change(State::end_named)
    }

    /// Whether the stream has ended, or its body was dropped.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// # let hub = Hub::new();
    /// let body = hub.subscribe()?;
    /// let handle = body.handle();
    /// assert!(!handle.is_gone());
    /// drop(body);
    /// assert!(handle.is_gone());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let there = self.shared.upgrade().zip(self.name);
        there.is_none_or(|(shared, name)| !shared.lock().is_there(name))
    }

    fn steer(&self, course: &Course) -> bool {
        self.change(|state, name, wakes| state.move_named(name, course, wakes))
    }

    fn change(&self, change: impl FnOnce(&mut State, CursorName, &mut Wakes) -> bool) -> bool {
        let there = self.shared.upgrade().zip(self.name);
        there.is_some_and(|(shared, name)| shared.change(|state, wakes| change(state, name, wakes)))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
