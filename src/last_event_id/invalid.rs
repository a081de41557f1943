use std::error::Error;
use std::fmt;

use crate::protocol::InvalidText;

/// An error returned for a `Last-Event-ID` that no event can have had, or that is too long.
///
/// [`SseLayer`](crate::SseLayer) puts it into the request's extensions, in place of a
/// [`LastEventId`](crate::LastEventId).
///
/// ```
/// use tower_sse::LastEventId;
///
/// let error = LastEventId::from_query("lastEventId=7%0A", 100).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid Last-Event-ID: event ID contains U+000A (line feed) at byte 1",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLastEventId(Fault);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    TooLong { len: usize, max: usize },
    Text(InvalidText),
}

impl InvalidLastEventId {
    pub(super) fn too_long(len: usize, max: usize) -> Self {
        Self(Fault::TooLong { len, max })
    }

    pub(super) fn text(error: InvalidText) -> Self {
        Self(Fault::Text(error))
    }

    /// Returns `true` if it was only refused for its length.
    ///
    /// ```
    /// # use tower_sse::LastEventId;
    /// let error = |query| LastEventId::from_query(query, 4).unwrap_err();
    /// assert!(error("lastEventId=12345").is_too_long());
    /// assert!(!error("lastEventId=%00").is_too_long());
    /// ```
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        matches!(self.0, Fault::TooLong { .. })
    }
}

impl fmt::Display for InvalidLastEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fault::TooLong { len, max } => {
                write!(
                    f,
                    "Last-Event-ID is {len} bytes long, over the limit of {max}"
                )
            }
            Fault::Text(error) => write!(f, "invalid Last-Event-ID: {error}"),
        }
    }
}

// Without a source: the message already includes it, on one line, for use as a response body.
impl Error for InvalidLastEventId {}
