//! The types that the parts of an event can be made from.

use super::data::Data;
use crate::protocol::value::{EventId, EventType};

/// A value that [`Event::new`](crate::Event::new) accepts: [`Data`], or text that becomes data
/// without a check.
///
/// It is implemented for exactly the types that implement [`Into<Data>`]. It exists for the
/// compiler's message if another type is passed.
///
/// ```
/// use std::sync::Arc;
/// use tower_sse::{Event, protocol::IntoData};
///
/// fn twice(text: impl IntoData + Clone) -> [Event; 2] {
///     [Event::new(text.clone()), Event::new(text)]
/// }
/// let [first, _] = twice(Arc::<str>::from("kick-off"));
/// assert_eq!(first.encode(), "data: kick-off\n\n");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an event's data",
    label = "neither text nor `Data`",
    note = "for a value with `Display`, such as a number: `Event::display(value)?`",
    note = "for a serializable value: `Event::json(&value)?`, with the feature `json`",
    note = "for bytes, which may not be UTF-8: `Event::try_new(bytes)?`"
)]
pub trait IntoData: Into<Data> {}

#[diagnostic::do_not_recommend]
impl<T: Into<Data>> IntoData for T {}

/// A value that [`Event::with_id`](crate::Event::with_id) accepts: an [`EventId`] or an integer.
///
/// It is implemented for exactly the types that implement [`Into<EventId>`]. It exists for the
/// compiler's message if another type is passed.
///
/// ```
/// use tower_sse::{Event, protocol::IntoEventId};
///
/// fn goal(id: impl IntoEventId) -> Event {
///     Event::new("1 : 0").with_id(id)
/// }
/// assert_eq!(goal(7).encode(), "id: 7\ndata: 1 : 0\n\n");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an event ID without a check",
    label = "neither an integer nor an `EventId`",
    note = "for text: `.try_with_id(text)?`, because text with a line break is not a valid ID"
)]
pub trait IntoEventId: Into<EventId> {}

#[diagnostic::do_not_recommend]
impl<T: Into<EventId>> IntoEventId for T {}

/// A value that [`Event::with_type`](crate::Event::with_type) accepts: an [`EventType`] or a
/// literal.
///
/// It is implemented for all types that implement [`Into<EventType>`], such as your own enum, and
/// for `&'static str`.
///
/// ```
/// use tower_sse::{Event, EventType};
///
/// enum Kind {
///     Goal,
///     Card,
/// }
///
/// impl From<Kind> for EventType {
///     fn from(kind: Kind) -> Self {
///         match kind {
///             Kind::Goal => const { EventType::from_static("goal") },
///             Kind::Card => const { EventType::from_static("card") },
///         }
///     }
/// }
///
/// assert_eq!(Event::new("x").with_type(Kind::Goal).event_type().unwrap(), "goal");
/// assert_eq!(Event::new("x").with_type(Kind::Card).event_type().unwrap(), "card");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an event type without a check",
    label = "neither a literal nor an `EventType`",
    note = "for text known only at run time: `.try_with_type(text)?`, because text with a line break is not a valid type"
)]
pub trait IntoEventType: sealed::Sealed {}

mod sealed {
    pub trait Sealed {
        fn into_event_type(self) -> super::EventType;
    }
}

#[diagnostic::do_not_recommend]
impl<T: Into<EventType>> IntoEventType for T {}

#[diagnostic::do_not_recommend]
impl<T: Into<EventType>> sealed::Sealed for T {
    #[inline]
    fn into_event_type(self) -> EventType {
        self.into()
    }
}

impl IntoEventType for &'static str {}

impl sealed::Sealed for &'static str {
    #[inline]
    fn into_event_type(self) -> EventType {
        EventType::literal(self)
    }
}
