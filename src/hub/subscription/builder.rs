use std::fmt;
use std::time::Instant;

use super::after::After;
use super::subscription::{Extra, Filter, Subscription};
use crate::exclusive::Exclusive;
use crate::hub::core::{Begin, Fresh, Key, Terms};
use crate::hub::delivery::Delivery;
use crate::hub::keep_open::KeepOpen;
use crate::hub::outcome::Outcome;
use crate::hub::place::Subscribed;
use crate::hub::refused::Refused;
use crate::hub::start::Start;
use crate::protocol::{Event, EventId};
use crate::sync::Arc;

/// A topic's name.
type Name = std::sync::Arc<str>;

/// A builder for a subscription: its topics, and where it starts. See
/// [`Hub::subscriber`](crate::hub::Hub::subscriber).
///
/// Without topics, the subscription follows the topic without a name. Only the program chooses the
/// topics; the ID that a client sends only says where to resume.
///
/// ```
/// use http_body_util::BodyExt;
/// use tower_sse::Event;
/// use tower_sse::hub::Hub;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::builder().epoch(36).build();
/// let start = hub.publish(Event::new("x"));
/// hub.topic("match/7").publish(Event::new("goal"));
/// hub.topic("chat/7/private").publish(Event::new("psst"));
/// hub.topic("chat/7/public").publish(Event::new("hello"));
///
/// let body = hub
///     .subscriber()
///     .topic("match/7")
///     .prefix("chat/7/")
///     .filter(|delivery| !delivery.topic().ends_with("/private"))
///     .after(start)
///     .subscribe()
///     .unwrap();
/// hub.close();
/// assert_eq!(
///     body.collect().await.unwrap().to_bytes(),
///     "id: 10-2\ndata: goal\n\nid: 10-4\ndata: hello\n\n",
/// );
/// # }
/// ```
#[must_use = "nobody subscribes before `subscribe`"]
pub struct SubscriptionBuilder {
    hub: KeepOpen,
    /// No topic or prefix has been set.
    unnamed: bool,
    topics: Vec<Name>,
    prefixes: Vec<Name>,
    filter: Option<Filter>,
    after: After,
    start: Start,
    first: Option<Event>,
    not_before: Option<EventId>,
    owner: Option<Name>,
    end_at: Option<Instant>,
}

impl SubscriptionBuilder {
    pub(in crate::hub) fn new(hub: KeepOpen) -> Self {
        Self {
            hub,
            unnamed: true,
            topics: Vec::new(),
            prefixes: Vec::new(),
            filter: None,
            after: After::default(),
            start: Start::Now,
            first: None,
            not_before: None,
            owner: None,
            end_at: None,
        }
    }

    /// Adds a topic to follow.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _one = hub.subscriber().topic("match/7").subscribe()?;
    /// assert_eq!(hub.stats().topics, 1);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn topic(mut self, name: impl Into<Name>) -> Self {
        self.unnamed = false;
        self.topics.push(name.into());
        self
    }

    /// Adds topics to follow. An empty list counts: without other topics, the subscriber then
    /// follows nothing.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _three = hub.subscriber().topics(["a", "b", "c"]).subscribe()?;
    /// assert_eq!(hub.stats().topics, 3);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn topics<N: Into<Name>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.unnamed = false;
        self.topics.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds every topic whose name starts with this prefix, including future topics. The empty
    /// prefix stands for all topics.
    ///
    /// The hub keeps a list of the events under a prefix, 16 to 32 bytes for each, and subscriptions
    /// to exactly the same topics and prefixes share it. If each of many users follows a topic of
    /// its own and a common prefix, there are as many lists: there, add the common topics by name.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use tower_sse::hub::Outcome;
    ///
    /// let hub = Hub::new();
    /// let start = hub.publish(Event::new("not theirs"));
    /// hub.topic("match/7").publish(Event::new("goal"));
    /// let subscription = hub.subscriber().prefix("match/").after(start).subscribe()?;
    /// assert_eq!(subscription.outcome(), Outcome::Resumed(1));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn prefix(mut self, prefix: impl Into<Name>) -> Self {
        self.unnamed = false;
        self.prefixes.push(prefix.into());
        self
    }

    /// Delivers only events that the closure allows, for instance those that the user may see. With
    /// several filters, all must allow an event.
    ///
    /// The closure is called when the body is polled. Frames of a filtered subscriber are not
    /// shared with other subscribers.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use futures_util::{FutureExt, StreamExt};
    ///
    /// let hub = Hub::new();
    /// let public = hub.subscriber().filter(|delivery| delivery.event_type() != "draft");
    /// let mut stream = public.subscribe()?.into_stream();
    /// hub.publish(Event::new("x").with_type(tower_sse::EventType::from_static("draft")));
    /// hub.publish(Event::new("y"));
    /// assert_eq!(stream.next().now_or_never().unwrap().unwrap().unwrap().data(), "y");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn filter(mut self, allows: impl FnMut(&Delivery) -> bool + Send + 'static) -> Self {
        let mut allows = allows;
        self.filter = Some(Exclusive::new(match self.filter {
            None => Box::new(allows),
            Some(mut earlier) => {
                Box::new(move |delivery| earlier.get_mut()(delivery) && allows(delivery))
            }
        }));
        self
    }

    /// Sets the last event that the client has seen, to resume after it.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use tower_sse::hub::Outcome;
    ///
    /// let hub = Hub::new();
    /// let id = hub.topic("a").publish(Event::new("x"));
    /// let subscription = hub.subscriber().topic("a").after(id).subscribe()?;
    /// assert_eq!(subscription.outcome(), Outcome::Resumed(0));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn after(mut self, last: impl Into<After>) -> Self {
        self.after = last.into();
        self
    }

    /// Sets where to start if the client has no last event ID; [`Start::Now`] by default.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use futures_util::{FutureExt, StreamExt};
    /// use tower_sse::hub::Start;
    ///
    /// let hub = Hub::new();
    /// hub.publish(Event::new("before"));
    /// let mut all = hub.subscriber().start(Start::Oldest).subscribe()?.into_stream();
    /// assert_eq!(all.next().now_or_never().unwrap().unwrap().unwrap().data(), "before");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Sets an event to send before all others to a client that has no last event ID or may have
    /// missed events: the state that the events change. It is sent in one block with the ID of the
    /// place that follows, so a client that has one has the other.
    ///
    /// Take the [place](crate::hub::Hub::last_event_id) *before* reading the state, and
    /// [start](Self::start) there. A change made in between is then delivered twice rather than not
    /// at all.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use http_body_util::BodyExt;
    /// use tower_sse::hub::{Hub, Start};
    /// use tower_sse::{Event, EventType};
    ///
    /// let hub = Hub::builder().epoch(36).build();
    /// hub.publish(Event::new("1 : 0"));
    /// let (place, state) = (hub.last_event_id(), "1 : 0");
    /// hub.publish(Event::new("2 : 0"));
    ///
    /// let state = Event::new(state).with_type(EventType::from_static("state"));
    /// let body = hub.subscriber().start(Start::After(place)).first(state).subscribe()?;
    /// hub.close();
    /// assert_eq!(
    ///     body.collect().now_or_never().unwrap().unwrap().to_bytes(),
    ///     "event: state\nid: 10-1\ndata: 1 : 0\n\nid: 10-2\ndata: 2 : 0\n\n",
    /// );
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn first(mut self, event: Event) -> Self {
        self.first = Some(event);
        self
    }

    /// Limits the replay to events after the one with this ID, whatever last event ID the client
    /// sends: for instance, to events published since a user joined. If the ID is not known,
    /// nothing is replayed. The empty ID sets no limit.
    ///
    /// ```
    /// # use tower_sse::{Event, EventId, hub::Hub};
    /// use tower_sse::hub::Outcome;
    ///
    /// let hub = Hub::builder().epoch(36).build();
    /// hub.publish(Event::new("before Anna came"));
    /// let came = hub.last_event_id();
    /// hub.publish(Event::new("hello Anna"));
    /// let forged = EventId::from_static("10-0");
    /// let anna = hub.subscriber().not_before(came).after(forged).subscribe()?;
    /// assert_eq!(anna.outcome(), Outcome::Resumed(1));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn not_before(mut self, id: EventId) -> Self {
        self.not_before = Some(id);
        self
    }

    /// Sets the owner of the subscription, such as a user or a session, by a name that the program
    /// chooses.
    ///
    /// [`Hub::owner`](crate::hub::Hub::owner) counts an owner's subscriptions and ends them, and
    /// [`HubBuilder::max_per_owner`](crate::hub::HubBuilder::max_per_owner) limits them. An owner
    /// uses memory while it has a subscription.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _phone = hub.subscriber().topic("chat/7").owner("anna").subscribe()?;
    /// let _laptop = hub.subscriber().topic("chat/8").owner("anna").subscribe()?;
    /// assert_eq!(hub.owner("anna").subscriptions(), 2);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn owner(mut self, name: impl Into<Name>) -> Self {
        self.owner = Some(name.into());
        self
    }

    /// Ends the subscription at this instant, for instance when a token expires. Nothing is sent
    /// from then on, not even pending events: the client resumes where it left off, with a new
    /// token.
    ///
    /// An idle subscription ends on time while a [`KeepTime`](crate::hub::KeepTime) is polled.
    /// Otherwise it ends at its next poll, which an event or a heartbeat causes.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// use futures_util::{FutureExt, StreamExt};
    /// use std::time::{Duration, Instant};
    ///
    /// let hub = Hub::new();
    /// let expiry = Instant::now() + Duration::from_millis(5);
    /// let mut stream = hub.subscriber().end_at(expiry).subscribe()?.into_stream();
    /// std::thread::sleep(Duration::from_millis(5));
    /// hub.publish(Event::new("too late"));
    /// assert!(stream.next().now_or_never().unwrap().is_none());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn end_at(mut self, instant: Instant) -> Self {
        self.end_at = Some(instant);
        self
    }

    /// Subscribes.
    ///
    /// # Errors
    ///
    /// If the hub is full or closed, if the owner has reached its maximum number of subscriptions,
    /// or if all topics are [finished](crate::hub::Topic::finish) and there is nothing to replay.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let _subscription = hub.subscriber().subscribe()?;
    /// assert_eq!(hub.stats().subscribers, 1);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn subscribe(mut self) -> Result<Subscription, Refused> {
        let (key, begin) = self.begin();
        let shared = Arc::clone(self.hub.shared());
        let terms = Terms::new(self.owner, self.end_at);
        let subscribed = shared.subscribe(key, &begin, terms)?;
        let Subscribed {
            seat,
            outcome,
            place,
            ..
        } = subscribed;
        let first = shared.first_block(outcome, place, self.first.as_ref());
        let mut extra = Extra::new(first, self.filter, self.end_at);
        if let Some(extra) = extra.as_mut().filter(|_| self.first.is_some()) {
            extra.begins_with_event = outcome == Outcome::Fresh;
        }
        #[cfg(any(test, feature = "redis"))]
        let extra = Extra::reading(extra, shared.past_reader(subscribed.from, self.first));
        Ok(Subscription::new(shared, seat, outcome, extra))
    }

    /// Why it would be refused now, if at all.
    pub(in crate::hub) fn refusal(mut self) -> Option<Refused> {
        let (key, begin) = self.begin();
        let shared = self.hub.shared();
        shared.refusal(key, &begin, self.owner.as_deref())
    }

    /// The topics to follow, and where to begin.
    fn begin(&mut self) -> (Key, Begin) {
        self.topics.extend(self.unnamed.then(|| Name::from("")));
        let topics = std::mem::take(&mut self.topics);
        let key = Key::new(topics, std::mem::take(&mut self.prefixes));
        let shared = self.hub.shared();
        let start = match &self.start {
            Start::Now => Fresh::Now,
            Start::Oldest => Fresh::Oldest,
            Start::Last(events) => Fresh::Last(*events),
            Start::After(id) => Fresh::After(shared.last(Some(id.clone()))),
        };
        let last = shared.last(std::mem::take(&mut self.after).into_id());
        let not_before = shared.last(self.not_before.take());
        let begin = Begin::new(last, start, self.first.is_some(), not_before);
        (key, begin)
    }
}

impl fmt::Debug for SubscriptionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionBuilder")
            .field("topics", &self.topics)
            .field("prefixes", &self.prefixes)
            .field("filter", &self.filter.is_some())
            .field("after", &self.after)
            .field("start", &self.start)
            .field("not_before", &self.not_before)
            .field("owner", &self.owner)
            .field("end_at", &self.end_at)
            .finish_non_exhaustive()
    }
}
