use std::fmt;

use crate::hub::core::{Course, CursorName, State, Wakes};
use crate::hub::shared::Shared;
use crate::sync::{Arc, Weak};

/// A handle that steers one subscription from anywhere:
/// [`Subscription::handle`](super::Subscription::handle).
///
/// It can be cloned, and keeps neither the subscription nor the hub alive. To steer all
/// subscriptions of a user, see [`Owner`](crate::hub::Owner).
///
/// A change of topics is a place in the log, as a close is: events published before the call are
/// still delivered by the old topics, and events published after it by the new ones. Nothing
/// published to a topic after [`leave`](Self::leave) has returned reaches the client, even if the
/// client has stalled. Everything published to a topic after [`follow`](Self::follow) has returned
/// reaches it, or is reported as lost by the gap event. This holds for transient events too, as
/// long as the hub keeps them for subscribers that are behind. The stream's IDs continue as before.
///
/// Changes do not survive a reconnect: the client then resumes with the topics that the handler
/// gives it.
///
/// For a client that has stopped reading, up to 64 changes with events in between are kept. The
/// next one ends its subscription.
///
/// The cost of a change is proportional to the number of topics that the subscription follows, or
/// has left from a prefix. To change many topics, use [`move_to`](Self::move_to) once.
///
/// If all topics are [finished](crate::hub::Topic::finish) after a change, the subscription ends
/// there.
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
    /// `None` if the subscription had already ended.
    name: Option<CursorName>,
}

impl Handle {
    pub(super) fn new(shared: &Arc<Shared>, name: Option<CursorName>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            name,
        }
    }

    /// Follows this topic as well, from now on. Returns `false` if the stream has ended or is about
    /// to end. Events of a topic that is already followed are still delivered once.
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

    /// Leaves this topic, whether it is followed by its name or by a prefix. Returns `false` if the
    /// stream has ended or is about to end. A stream that has left all of its topics stays open and
    /// gets no events.
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

    /// Follows these topics and nothing else, neither the other topics nor the prefixes followed so
    /// far. Returns `false` if the stream has ended or is about to end.
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

    /// Ends the stream after what has been published so far, without a farewell. Returns `false` if
    /// it has ended or is about to end.
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

    /// Returns `true` if the stream has ended or its body was dropped.
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
