use std::error::Error;
use std::fmt;

type Cause = Box<dyn Error + Send + Sync>;

/// An error returned when Redis has not confirmed that it stored an event. It says whether Redis
/// may have stored the event nevertheless.
///
/// ```no_run
/// use tower_sse::Event;
/// use tower_sse::hub::{Hub, Redis};
///
/// /// Retries as long as that cannot store the event twice.
/// async fn publish(hub: &Hub<Redis>, event: Event) {
///     while let Err(error) = hub.publish(&event).await {
///         if error.may_be_stored() {
///             break;
///         }
///         tokio::time::sleep(std::time::Duration::from_secs(1)).await;
///     }
/// }
/// # fn test(error: tower_sse::hub::PublishError) { assert!(!error.may_be_stored()) }
/// ```
#[derive(Debug)]
pub struct PublishError {
    may_be_stored: bool,
    cause: Cause,
}

impl PublishError {
    /// Redis refused the event, or it was never sent.
    pub(super) fn not_stored(cause: impl Into<Cause>) -> Self {
        Self {
            may_be_stored: false,
            cause: cause.into(),
        }
    }

    /// It was sent, and Redis did not reply.
    pub(super) fn maybe_stored(cause: impl Into<Cause>) -> Self {
        Self {
            may_be_stored: true,
            cause: cause.into(),
        }
    }

    /// Returns `true` if the event was sent but Redis did not reply, so Redis may have stored it.
    /// Returns `false` if Redis did not store it: no connection could be made, or Redis replied
    /// with an error, for instance because it is out of memory or a replica.
    ///
    /// To be able to retry in either case, use [`publish_once`](crate::hub::Topic::publish_once).
    ///
    /// ```no_run
    /// # async fn test(hub: tower_sse::hub::Hub<tower_sse::hub::Redis>) {
    /// // Redis is not running.
    /// let error = hub.publish(tower_sse::Event::new("goal")).await.unwrap_err();
    /// assert!(!error.may_be_stored());
    /// # }
    /// ```
    #[must_use]
    pub const fn may_be_stored(&self) -> bool {
        self.may_be_stored
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.may_be_stored {
            "Redis may have stored the event"
        } else {
            "Redis has not stored the event"
        })
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}
