use std::sync::Arc;
use std::time::Duration;

/// A follower of a topic has come or left: an item of a [`Watch`](super::Watch).
///
/// ```
/// # use futures_util::{FutureExt, StreamExt};
/// use tower_sse::hub::{Hub, Reason};
///
/// let hub = Hub::new();
/// let mut watch = hub.watch();
/// let anna = hub.subscriber().topic("chat/7").owner("anna").subscribe()?;
/// drop(anna);
///
/// let came = watch.next().now_or_never().unwrap().unwrap().unwrap();
/// assert_eq!((came.topic(), came.owner(), came.followers()), ("chat/7", Some("anna"), 1));
/// assert!(came.is_arrival() && came.is_first());
///
/// let left = watch.next().now_or_never().unwrap().unwrap().unwrap();
/// assert_eq!((left.reason(), left.followers()), (Some(Reason::Left), 0));
/// assert!(!left.is_arrival() && left.is_last());
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone)]
pub struct Change {
    topic: Arc<str>,
    owner: Option<Arc<str>>,
    followers: usize,
    reason: Option<Reason>,
    lasted: Option<Duration>,
}

impl Change {
    pub(in crate::hub) fn arrival(
        topic: Arc<str>,
        owner: Option<Arc<str>>,
        followers: usize,
    ) -> Self {
        Self {
            topic,
            owner,
            followers,
            reason: None,
            lasted: None,
        }
    }

    pub(in crate::hub) fn departure(
        topic: Arc<str>,
        owner: Option<Arc<str>>,
        followers: usize,
        reason: Reason,
        lasted: Option<Duration>,
    ) -> Self {
        Self {
            topic,
            owner,
            followers,
            reason: Some(reason),
            lasted,
        }
    }

    /// The topic that is followed; empty for the one without a name.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = tower_sse::Hub::new();
    /// # let mut watch = hub.watch();
    /// let _body = hub.subscribe()?;
    /// assert_eq!(watch.next().now_or_never().unwrap().unwrap().unwrap().topic(), "");
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whose the subscription is, if it has an [owner](super::SubscriptionBuilder::owner).
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = tower_sse::Hub::new();
    /// # let mut watch = hub.watch();
    /// let _body = hub.subscriber().owner("anna").subscribe()?;
    /// assert_eq!(watch.next().now_or_never().unwrap().unwrap().unwrap().owner(), Some("anna"));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// How many subscriptions follow the topic by name after this change.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = tower_sse::Hub::new();
    /// let _one = hub.subscribe()?;
    /// let mut watch = hub.watch();
    /// let _two = hub.subscribe()?;
    /// assert_eq!(watch.next().now_or_never().unwrap().unwrap().unwrap().followers(), 2);
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn followers(&self) -> usize {
        self.followers
    }

    /// Whether a follower has come; if not, one has left.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = tower_sse::Hub::new();
    /// # let mut watch = hub.watch();
    /// let _body = hub.subscribe()?;
    /// assert!(watch.next().now_or_never().unwrap().unwrap().unwrap().is_arrival());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn is_arrival(&self) -> bool {
        self.reason.is_none()
    }

    /// Whether the topic had no follower before.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = tower_sse::Hub::new();
    /// # let mut watch = hub.watch();
    /// let _two = [hub.subscribe()?, hub.subscribe()?];
    /// assert!(watch.next().now_or_never().unwrap().unwrap().unwrap().is_first());
    /// assert!(!watch.next().now_or_never().unwrap().unwrap().unwrap().is_first());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.is_arrival() && self.followers == 1
    }

    /// Whether the topic has no follower any more.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # let hub = tower_sse::Hub::new();
    /// let body = hub.subscribe()?;
    /// let mut watch = hub.watch();
    /// drop(body);
    /// assert!(watch.next().now_or_never().unwrap().unwrap().unwrap().is_last());
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn is_last(&self) -> bool {
        !self.is_arrival() && self.followers == 0
    }

    /// Why it left; `None` if it has come.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::hub::Reason;
    /// # let hub = tower_sse::Hub::new();
    /// let body = hub.subscribe()?;
    /// let mut watch = hub.watch();
    /// drop(body);
    /// let change = watch.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!(change.reason(), Some(Reason::Left));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// How long it followed the topic, if it has left and somebody watched the hub when it came to it.
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use std::time::Duration;
    /// # let hub = tower_sse::Hub::new();
    /// # let mut watch = hub.watch();
    /// let body = hub.subscribe()?;
    /// std::thread::sleep(Duration::from_millis(2));
    /// drop(body);
    /// assert_eq!(watch.next().now_or_never().unwrap().unwrap().unwrap().lasted(), None);
    /// let left = watch.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert!(left.lasted().unwrap() >= Duration::from_millis(2));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use]
    pub fn lasted(&self) -> Option<Duration> {
        self.lasted
    }
}

/// Why a follower has left.
///
/// ```
/// # use futures_util::{FutureExt, StreamExt};
/// use http_body_util::BodyExt;
/// use tower_sse::hub::{Hub, Reason};
///
/// let hub = Hub::new();
/// let body = hub.subscriber().owner("anna").subscribe()?;
/// let mut watch = hub.watch();
/// hub.owner("anna").end();
/// body.collect().now_or_never().unwrap().unwrap();
/// let left = watch.next().now_or_never().unwrap().unwrap().unwrap();
/// assert_eq!(left.reason(), Some(Reason::Ended));
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its body was dropped: the client has left, or the server has ended the response.
    Left,
    /// The hub was closed.
    Closed,
    /// All its topics are [finished](super::Topic::finish).
    Finished,
    /// It fell behind further than the hub retains, under [`LagPolicy::End`](super::LagPolicy::End); or
    /// it did not read, and had too many [changes](super::Handle) of its topics before it.
    Lagged,
    /// It was ended by its [owner](super::Owner::end) or [handle](super::Handle::end).
    Ended,
    /// It was to end [then](super::SubscriptionBuilder::end_at).
    Expired,
    /// It follows other topics instead, by its [owner](super::Owner::leave) or
    /// [handle](super::Handle::leave).
    Moved,
    /// It was a [long poll](super::Subscription::long_poll), and has been answered.
    Served,
}
