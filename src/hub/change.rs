use std::sync::Arc;
use std::time::Duration;

/// A follower that joined or left a topic: an item of a [`Watch`](super::Watch).
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

    /// Returns the topic that the follower joined or left; empty for the topic without a name.
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

    /// Returns the subscription's [owner](super::SubscriptionBuilder::owner), if it has one.
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

    /// Returns the number of subscriptions that follow the topic by name after this change.
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

    /// Returns `true` if the follower joined, `false` if it left.
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

    /// Returns `true` if the topic had no followers before this one joined.
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

    /// Returns `true` if the topic has no followers left.
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

    /// Returns why the follower left; `None` if it joined.
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

    /// Returns how long the follower stayed, if it left and the hub was being watched when it
    /// joined.
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

/// Why a follower left.
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
    /// Its body was dropped: the client disconnected, or the server ended the response.
    Left,
    /// The hub was closed.
    Closed,
    /// All its topics are [finished](super::Topic::finish).
    Finished,
    /// It fell behind what the hub retains, under [`LagPolicy::End`](super::LagPolicy::End); or it
    /// stopped reading and had too many [topic changes](super::Handle) pending.
    Lagged,
    /// It was ended by its [owner](super::Owner::end) or [handle](super::Handle::end).
    Ended,
    /// It reached the instant at which it was [to end](super::SubscriptionBuilder::end_at).
    Expired,
    /// Its [owner](super::Owner::leave) or [handle](super::Handle::leave) changed its topics, and
    /// it no longer follows this one.
    Moved,
    /// It was a [long poll](super::Subscription::long_poll), and it was answered.
    Served,
}
