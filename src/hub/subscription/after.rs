use crate::last_event_id::LastEventId;
use crate::protocol::EventId;

/// The last event a client has seen, if any: an [`EventId`], a [`LastEventId`], or an
/// `Option<LastEventId>`.
///
/// An empty ID counts as none, so an `Option<EventId>` is passed as
/// `last.unwrap_or(EventId::EMPTY)`.
///
/// ```
/// use tower_sse::{Event, EventId, hub::{Hub, Outcome}};
///
/// let hub = Hub::new();
/// let id = hub.publish(Event::new("x"));
/// assert_eq!(hub.resume(id)?.outcome(), Outcome::Resumed(0));
/// assert_eq!(hub.resume(None)?.outcome(), Outcome::Fresh);
///
/// let stored: Option<EventId> = None;
/// let subscription = hub.resume(stored.unwrap_or(EventId::EMPTY))?;
/// assert_eq!(subscription.outcome(), Outcome::Fresh);
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct After(Option<EventId>);

impl From<EventId> for After {
    fn from(id: EventId) -> Self {
        Self(Some(id).filter(|id| !id.is_empty()))
    }
}

impl From<LastEventId> for After {
    fn from(last: LastEventId) -> Self {
        EventId::from(last).into()
    }
}

/// The only `From<Option<_>>`, so that `resume(None)` infers its type.
impl From<Option<LastEventId>> for After {
    fn from(last: Option<LastEventId>) -> Self {
        last.map_or_else(Self::default, Self::from)
    }
}

impl After {
    pub(super) fn into_id(self) -> Option<EventId> {
        self.0
    }
}
