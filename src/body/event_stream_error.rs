use std::error::Error;
use std::fmt;

use crate::protocol::LimitExceeded;

/// An error of an [`EventStream`](super::EventStream).
///
/// ```
/// use tower_sse::Decoder;
/// use tower_sse::body::EventStreamError;
///
/// let broken = EventStreamError::Body(std::io::Error::other("reset"));
/// assert_eq!(broken.to_string(), "the event stream's body failed");
///
/// let mut decoder = Decoder::new().max_line_len(7);
/// let limit = decoder.decode_ref(&mut &b":comment"[..]).unwrap_err();
/// let too_long = EventStreamError::<std::io::Error>::Limit(limit);
/// assert_eq!(too_long.to_string(), "a line is longer than the limit of 7 bytes");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum EventStreamError<E> {
    /// The body failed, for instance because the connection broke. The stream has ended.
    Body(E),
    /// An event was too long and was dropped. The stream continues after it.
    Limit(LimitExceeded),
    /// The body ended without its [terminator](super::EventStream::until). The stream has ended.
    Unterminated,
}

impl<E> fmt::Display for EventStreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(_) => f.write_str("the event stream's body failed"),
            Self::Limit(limit) => limit.fmt(f),
            Self::Unterminated => f.write_str("the event stream ended without its terminator"),
        }
    }
}

impl<E: Error + 'static> Error for EventStreamError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Body(error) => Some(error),
            // Already part of the message.
            Self::Limit(_) | Self::Unterminated => None,
        }
    }
}
