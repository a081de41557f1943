use std::error::Error;
use std::fmt;

use crate::protocol::InvalidText;

/// An error returned when a value cannot be part of a [`Tail`](super::Tail), because a hub would
/// not have written it.
///
/// ```
/// use tower_sse::hub::TailEvent;
///
/// let error = TailEvent::new(7, "chat", "data: no ID\n\n").unwrap_err();
/// assert_eq!(error.to_string(), "event 7: it has no ID");
/// assert_eq!(error.number(), 7);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTail {
    number: u64,
    flaw: Flaw,
}

/// The reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    NotUtf8,
    NotOneEvent,
    NoId,
    Id(InvalidText),
    /// It follows this event, whose number is not smaller.
    Order(u64),
    /// It is not below this number of the next event.
    NotYet(u64),
    NextNumber,
}

impl InvalidTail {
    pub(super) const fn new(number: u64, flaw: Flaw) -> Self {
        Self { number, flaw }
    }

    /// Returns the number of the event concerned.
    ///
    /// ```
    /// # use tower_sse::hub::Tail;
    /// let error = Tail::new(36, 0).unwrap_err();
    /// assert_eq!(error.number(), 0);
    /// assert_eq!(error.to_string(), "the next event cannot have the number 0");
    /// ```
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for InvalidTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, flaw } = self;
        match flaw {
            Flaw::NextNumber => write!(f, "the next event cannot have the number {number}"),
            Flaw::NotUtf8 => write!(f, "event {number}: its bytes are not UTF-8"),
            Flaw::NotOneEvent => {
                write!(
                    f,
                    "event {number}: its bytes are not one event as a hub writes it"
                )
            }
            Flaw::NoId => write!(f, "event {number}: it has no ID"),
            Flaw::Id(_) => write!(f, "event {number}: its ID is not valid"),
            Flaw::Order(last) => write!(f, "event {number} comes after event {last}"),
            Flaw::NotYet(next) => {
                write!(
                    f,
                    "event {number} has not been published: the next is {next}"
                )
            }
        }
    }
}

impl Error for InvalidTail {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.flaw {
            Flaw::Id(error) => Some(error),
            _ => None,
        }
    }
}
