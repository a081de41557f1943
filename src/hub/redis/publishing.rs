use std::borrow::Borrow;
use std::sync::Arc;

use super::new_entry::NewEntry;
use super::publish_error::PublishError;
use super::redis::Redis;
use crate::hub::{Hub, Topic};
use crate::protocol::{Event, EventId};

/// Publishing to all nodes.
impl Hub<Redis> {
    /// Publishes an event to the topic without a name, on all nodes. Returns its ID once Redis has
    /// stored it.
    ///
    /// The ID is that of the stream's entry; the event's own ID, if it has one, is not sent. Redis
    /// puts concurrent publishers in one order, the same for every subscriber on every node. A
    /// subscriber may receive the event before this future resolves.
    ///
    /// Publish concurrently for throughput: all publishers of a node share one connection and do
    /// not wait for each other's replies. Nothing is sent before the future is polled. If it is
    /// dropped afterwards, Redis may have stored the event.
    ///
    /// # Errors
    ///
    /// If Redis cannot be reached, refuses the event, or does not answer. The error says whether
    /// Redis [may have stored](PublishError::may_be_stored) the event.
    ///
    /// ```no_run
    /// use tower_sse::{Event, Hub};
    ///
    /// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
    /// let hub = Hub::redis("redis://localhost", "feed")?.build()?;
    /// let id = hub.publish(Event::new("goal")).await?;
    ///
    /// // On any node:
    /// assert!(!hub.resume(id)?.outcome().is_lossy());
    /// # Ok(()) }
    /// ```
    pub async fn publish(&self, event: impl Borrow<Event>) -> Result<EventId, PublishError> {
        self.topic("").publish(event).await
    }

    /// Publishes an event to the topic without a name, unless one has already been published under
    /// `name`; see [`Topic::publish_once`].
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish) does.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, PublishError, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), PublishError> {
    /// let first = hub.publish_once("order 7 paid", Event::new("paid")).await?;
    /// assert_eq!(hub.publish_once("order 7 paid", Event::new("paid")).await?, first);
    /// # Ok(()) }
    /// ```
    pub async fn publish_once(
        &self,
        name: &str,
        event: impl Borrow<Event>,
    ) -> Result<EventId, PublishError> {
        self.topic("").publish_once(name, event).await
    }

    /// Sends an event to the present subscribers of the topic without a name, on all nodes, without
    /// storing it; see [`Topic::publish_transient`].
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish) does.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, PublishError, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), PublishError> {
    /// hub.publish_transient(Event::new("Anna is typing")).await?;
    /// assert_eq!(hub.stats().retained, 0);
    /// # Ok(()) }
    /// ```
    pub async fn publish_transient(&self, event: impl Borrow<Event>) -> Result<(), PublishError> {
        self.topic("").publish_transient(event).await
    }
}

/// Publishing to all nodes.
impl Topic<'_, Redis> {
    /// Publishes an event, on all nodes. Returns its ID once Redis has stored it.
    ///
    /// # Errors
    ///
    /// If Redis cannot be reached, refuses the event, or does not answer.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, PublishError, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), PublishError> {
    /// let kick_off = hub.topic("match/7").publish(Event::new("kick-off")).await?;
    /// let goal = hub.topic("match/7").publish(Event::new("goal")).await?;
    /// assert_ne!(kick_off, goal);
    /// # Ok(()) }
    /// ```
    pub async fn publish(self, event: impl Borrow<Event>) -> Result<EventId, PublishError> {
        self.append(event.borrow().clone(), |entry| entry).await
    }

    /// Publishes an event that replaces the previous event with the same key.
    ///
    /// Each node removes the replaced event from its ring. In the stream, the event stays until it
    /// is trimmed, so a client that resumes from an event older than the ring may receive it too,
    /// before the event that replaced it.
    ///
    /// # Errors
    ///
    /// If Redis cannot be reached, refuses the event, or does not answer.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, PublishError, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), PublishError> {
    /// hub.topic("prices").publish_latest("EUR", Event::new("EUR 1.08")).await?;
    /// hub.topic("prices").publish_latest("EUR", Event::new("EUR 1.09")).await?;
    /// # tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    /// assert_eq!(hub.stats().retained, 1);
    /// # Ok(()) }
    /// ```
    pub async fn publish_latest(
        self,
        key: impl Into<Arc<str>>,
        event: impl Borrow<Event>,
    ) -> Result<EventId, PublishError> {
        let key = key.into();
        self.append(event.borrow().clone(), |entry| entry.with_key(key))
            .await
    }

    /// Publishes an event unless any node has already published one under this name. Returns the ID
    /// of the event that is stored. It is safe to call again after an error, even if the event
    /// [may be stored](PublishError::may_be_stored).
    ///
    /// Names are shared by all topics of a hub. Redis remembers a name for
    /// [one day](crate::hub::HubBuilder::once_for) by default, in a key of about 170 bytes. The
    /// event is stored by a script, so the Redis user needs the right to run `EVAL`.
    ///
    /// # Errors
    ///
    /// If Redis cannot be reached, refuses the event, or does not answer.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, PublishError, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), PublishError> {
    /// let topic = hub.topic("orders");
    /// let first = topic.publish_once("order 7 paid", Event::new("paid")).await?;
    /// assert_eq!(topic.publish_once("order 7 paid", Event::new("paid")).await?, first);
    /// # Ok(()) }
    /// ```
    pub async fn publish_once(
        self,
        name: &str,
        event: impl Borrow<Event>,
    ) -> Result<EventId, PublishError> {
        let (hub, topic) = self.into_parts();
        let entry = NewEntry::new(topic, event.borrow().clone());
        let engine = hub.log().engine();
        engine.append_once(name.to_owned(), entry).await
    }

    /// Finishes the topic on all nodes, with a last event or `None`. Returns the ID of its end.
    ///
    /// A subscriber's stream ends once all topics that it follows are finished, wherever it is
    /// connected. Clients that arrive later are sent what their node retains, and clients that
    /// resume are sent the rest; then their streams end too. Publishing to the topic again begins
    /// its next run.
    ///
    /// # Errors
    ///
    /// If Redis cannot be reached, refuses the event, or does not answer.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), Box<dyn std::error::Error>> {
    /// let run = hub.topic("run/7");
    /// run.publish(Event::new("Once upon a time")).await?;
    /// let end = run.finish(Event::new("[DONE]")).await?;
    /// # tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    /// let again = hub.subscriber().topic("run/7").after(end).subscribe();
    /// assert!(again.unwrap_err().is_finished());
    /// # Ok(()) }
    /// ```
    pub async fn finish(self, farewell: impl Into<Option<Event>>) -> Result<EventId, PublishError> {
        let (hub, topic) = self.into_parts();
        let entry = NewEntry::new(topic, farewell).last();
        hub.log().engine().append(entry).await
    }

    /// Sends an event to the topic's present subscribers on all nodes, at most once, without
    /// storing it. The event has no ID. A node that has lost its connection misses it, and its
    /// subscribers are not told.
    ///
    /// # Errors
    ///
    /// If Redis cannot be reached, refuses the event, or does not answer.
    ///
    /// ```no_run
    /// # use tower_sse::Event;
    /// # use tower_sse::hub::{Hub, PublishError, Redis};
    /// # async fn test(hub: Hub<Redis>) -> Result<(), PublishError> {
    /// hub.topic("match/7").publish_transient(Event::new("somebody is typing")).await?;
    /// assert_eq!(hub.stats().retained, 0);
    /// # Ok(()) }
    /// ```
    pub async fn publish_transient(self, event: impl Borrow<Event>) -> Result<(), PublishError> {
        let (hub, topic) = self.into_parts();
        let engine = hub.log().engine();
        engine.send(topic.to_owned(), event.borrow().clone()).await
    }

    async fn append(
        self,
        event: Event,
        label: impl FnOnce(NewEntry) -> NewEntry,
    ) -> Result<EventId, PublishError> {
        let (hub, topic) = self.into_parts();
        let entry = label(NewEntry::new(topic, event));
        hub.log().engine().append(entry).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spawnable<F: Future + Send>(_: F) {}

    /// Only has to compile.
    fn publishing_can_be_spawned(hub: &Hub<Redis>) {
        let event = Event::new("x");
        spawnable(hub.publish(&event));
        spawnable(hub.publish_once("x", &event));
        spawnable(hub.publish_transient(event.clone()));
        let topic = hub.topic("a");
        spawnable(topic.publish(&event));
        spawnable(topic.publish_latest("x", &event));
        spawnable(topic.publish_once("x", &event));
        spawnable(topic.publish_transient(&event));
        spawnable(topic.finish(event));
    }

    const _: fn(&Hub<Redis>) = publishing_can_be_spawned;
}
