use super::redis::Redis;
use super::status::RedisStatus;
use crate::hub::{Hub, Owner, Topic, TopicStats, Watch};

/// What belongs to a node.
impl Hub<Redis> {
    /// Returns the state of this node's reading from Redis.
    ///
    /// ```no_run
    /// # fn test(hub: tower_sse::hub::Hub<tower_sse::hub::Redis>) {
    /// let status = hub.status();
    /// assert!(status.connected, "{status:?}");
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> RedisStatus {
        self.log().engine().status()
    }

    /// Returns the subscriptions of an [owner](crate::hub::SubscriptionBuilder::owner) on this
    /// node. Subscriptions on other nodes are neither counted nor ended.
    ///
    /// ```no_run
    /// # fn test(hub: tower_sse::hub::Hub<tower_sse::hub::Redis>) {
    /// let _phone = hub.subscriber().owner("anna").subscribe().unwrap();
    /// assert_eq!(hub.local_owner("anna").subscriptions(), 1);
    /// # }
    /// ```
    pub fn local_owner<'a>(&'a self, name: &'a str) -> Owner<'a> {
        Owner::new(self.open(), name)
    }

    /// Watches followers join and leave topics on this node. See [`Watch`].
    ///
    /// ```no_run
    /// # use futures_util::StreamExt;
    /// # async fn test(hub: tower_sse::hub::Hub<tower_sse::hub::Redis>) {
    /// let mut watch = hub.local_watch();
    /// let _body = hub.subscriber().topic("match/7").subscribe().unwrap();
    /// assert_eq!(watch.next().await.unwrap().unwrap().topic(), "match/7");
    /// # }
    /// ```
    pub fn local_watch(&self) -> Watch {
        Watch::new(self.shared(), None)
    }
}

/// What belongs to a node.
impl Topic<'_, Redis> {
    /// Watches followers join and leave this topic on this node. See [`Watch`].
    ///
    /// ```no_run
    /// # use futures_util::StreamExt;
    /// # async fn test(hub: tower_sse::hub::Hub<tower_sse::hub::Redis>) {
    /// let mut watch = hub.topic("match/7").local_watch();
    /// let _body = hub.subscriber().topic("match/7").subscribe().unwrap();
    /// assert!(watch.next().await.unwrap().unwrap().is_first());
    /// # }
    /// ```
    pub fn local_watch(&self) -> Watch {
        let (hub, name) = self.into_parts();
        Watch::new(hub.shared(), Some(name))
    }

    /// Returns what this node retains of the topic, and who follows it on this node.
    ///
    /// ```no_run
    /// # fn test(hub: tower_sse::hub::Hub<tower_sse::hub::Redis>) {
    /// let _body = hub.subscriber().topic("match/7").subscribe().unwrap();
    /// assert_eq!(hub.topic("match/7").local_stats().followers, 1);
    /// # }
    /// ```
    #[must_use]
    pub fn local_stats(&self) -> TopicStats {
        self.stats_here()
    }
}
