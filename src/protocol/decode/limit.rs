use std::error::Error;
use std::fmt;

/// A limit of a [`Decoder`](super::Decoder).
///
/// ```
/// # use tower_sse::protocol::{Decoder, Limit};
/// let mut decoder = Decoder::new().max_event_len(5);
/// let error = decoder.decode_ref(&mut &b"data: x\n\n"[..]).unwrap_err();
/// assert_eq!(error.limit(), Limit::Event);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Decoder::max_line_len`](super::Decoder::max_line_len)
    Line,
    /// [`Decoder::max_event_len`](super::Decoder::max_event_len)
    Event,
}

/// An error returned when a line or an event is longer than the decoder allows.
///
/// The decoder can continue: it drops the rest of that event, up to the next empty line, without
/// buffering it, and then decodes as before. The event is lost, and its ID does not become the last
/// event ID.
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::protocol::{Decoder, Limit};
///
/// let mut decoder = Decoder::new().max_line_len(10);
/// let mut chunk = Bytes::from("data: too long\n\ndata: fine\n\n");
///
/// let error = decoder.decode(&mut chunk).unwrap_err();
/// assert_eq!((error.limit(), error.max()), (Limit::Line, 10));
/// assert_eq!(error.to_string(), "a line is longer than the limit of 10 bytes");
///
/// assert!(decoder.is_skipping());
/// assert_eq!(decoder.decode(&mut chunk)?.unwrap().data(), "fine");
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitExceeded {
    limit: Limit,
    max: usize,
}

impl LimitExceeded {
    pub(super) fn new(limit: Limit, max: usize) -> Self {
        Self { limit, max }
    }

    /// Returns the limit that was exceeded.
    ///
    /// ```
    /// # use tower_sse::protocol::{Decoder, Limit};
    /// let mut decoder = Decoder::new().max_event_len(5);
    /// let error = decoder.decode_ref(&mut &b"data: x\n\n"[..]).unwrap_err();
    /// assert_eq!(error.limit(), Limit::Event);
    /// ```
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Returns the limit in bytes.
    ///
    /// ```
    /// # use tower_sse::protocol::Decoder;
    /// let mut decoder = Decoder::new().max_event_len(5);
    /// let error = decoder.decode_ref(&mut &b"data: x\n\n"[..]).unwrap_err();
    /// assert_eq!(error.max(), 5);
    /// ```
    #[must_use]
    pub fn max(&self) -> usize {
        self.max
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.limit {
            Limit::Line => "a line",
            Limit::Event => "an event",
        };
        write!(f, "{what} is longer than the limit of {} bytes", self.max)
    }
}

impl Error for LimitExceeded {}
