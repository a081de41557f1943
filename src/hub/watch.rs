use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Hub;
use super::change::Change;
use super::core::Seen;
use super::shared::Shared;
use super::subscription::Missed;
use crate::sync::Arc;

/// A stream of followers joining and leaving: [`Hub::watch`],
/// [`Topic::watch`](super::Topic::watch).
///
/// A follower is a subscription that names the topic. Subscriptions that follow it by a
/// [prefix](super::SubscriptionBuilder::prefix) are neither reported nor counted, not even if they
/// name it as well. A subscription to several topics joins and leaves each of them. It leaves when
/// its body ends or is dropped, or with the call that [moves](super::Handle) it to other topics.
///
/// Up to 16,384 changes are queued for a watch that is not polled, in about 1 MiB besides the names
/// of topics and owners. Beyond that the oldest are dropped, and an `Err` takes their place;
/// [`Topic::stats`](super::Topic::stats) then gives the current number of followers.
///
/// The stream ends when the hub is closed and has no subscribers left. It does not keep the hub
/// open.
///
/// ```
/// use futures_util::StreamExt;
/// use tower_sse::Event;
/// use tower_sse::hub::Hub;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hub = Hub::new();
/// let mut watch = hub.watch();
/// let presence = tokio::spawn(async move {
///     let mut log = Vec::new();
///     while let Some(change) = watch.next().await {
///         let change = change.unwrap();
///         let verb = if change.is_arrival() { "joined" } else { "left" };
///         let owner = change.owner().unwrap_or("somebody");
///         log.push(format!("{owner} {verb} {}", change.topic()));
///     }
///     log
/// });
///
/// let anna = hub.subscriber().topic("chat/7").owner("anna").subscribe().unwrap();
/// let _ben = hub.subscriber().topic("chat/7").owner("ben").subscribe().unwrap();
/// drop(anna);
/// # drop(_ben);
/// hub.close();
/// let log = presence.await.unwrap();
/// assert_eq!(log[..3], ["anna joined chat/7", "ben joined chat/7", "anna left chat/7"]);
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Watch {
    shared: Arc<Shared>,
    key: usize,
    /// Changes that were taken from the hub and not yet yielded.
    changes: VecDeque<Change>,
}

impl Watch {
    pub(super) fn new(shared: &Arc<Shared>, topic: Option<&str>) -> Self {
        let shared = Arc::clone(shared);
        let topic = topic.map(std::sync::Arc::from);
        let key = shared.lock().watch(topic);
        Self {
            shared,
            key,
            changes: VecDeque::new(),
        }
    }
}

impl Hub {
    /// Reports each follower that joins or leaves any topic from now on; see [`Watch`].
    ///
    /// ```
    /// # use futures_util::{FutureExt, StreamExt};
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// let mut watch = hub.watch();
    /// let _body = hub.subscriber().topic("match/7").subscribe()?;
    /// let change = watch.next().now_or_never().unwrap().unwrap().unwrap();
    /// assert_eq!((change.topic(), change.is_first()), ("match/7", true));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn watch(&self) -> Watch {
        Watch::new(self.shared(), None)
    }
}

impl Stream for Watch {
    type Item = Result<Change, Missed>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(change) = this.changes.pop_front() {
            return Poll::Ready(Some(Ok(change)));
        }
        // Releases the memory that a burst took.
        this.changes = VecDeque::new();
        // The waker is cloned outside the lock: cloning it runs user code.
        let task = cx.waker().clone();
        let (key, changes) = (this.key, &mut this.changes);
        let seen = this
            .shared
            .with(|state, wakes| state.take_changes(key, task, changes, wakes));
        match seen {
            Seen::Changes => Poll::Ready(this.changes.pop_front().map(Ok)),
            Seen::Missed => Poll::Ready(Some(Err(Missed::changes()))),
            Seen::Waiting => Poll::Pending,
            Seen::Over => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.changes.len(), None)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Dropped outside the lock: the waker is user code, and the queue may be long.
        let gone = self.shared.lock().unwatch(self.key);
        drop(gone);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
