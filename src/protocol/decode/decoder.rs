use std::time::Duration;

use bytes::{Buf, Bytes};

use super::last_id::LastId;
use super::limit::LimitExceeded;
use super::line_end::Start;
use super::message::MessageEvent;
use super::message_ref::MessageRef;
use super::pending::Pending;
use super::scan::Found;
use super::whole_block::Parts;
use crate::protocol::value::EventId;

/// 1 MiB has proved too small for what people send.
const DEFAULT_MAX: usize = 16 * 1024 * 1024;

/// Decodes an event stream, chunk by chunk ([9.2.5], [9.2.6]).
///
/// It reads nothing by itself: hand it each chunk in turn, and take events out of the chunk until
/// there is none left. Chunks may be cut anywhere. Nothing malformed is an error; the standard says
/// what each stream means, and the only failure is [a limit](LimitExceeded).
///
/// | view | cost |
/// |---|---|
/// | [`decode_ref`](Self::decode_ref) lends each event | none for one line of data inside one chunk |
/// | [`decode`](Self::decode) gives each event away | one more reference to the chunk |
/// | [`decode_with_comments`](Self::decode_with_comments) | the same, and a copy of each comment |
///
/// Data of several lines, data over several chunks, and data that was not UTF-8 is copied once.
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::Decoder;
///
/// let mut decoder = Decoder::new();
/// let mut events = Vec::new();
/// for chunk in ["da", "ta: one\r", "\n\r\ndata: two\n\ndata: unfinished\n"] {
///     let mut chunk = Bytes::from(chunk);
///     while let Some(event) = decoder.decode(&mut chunk)? {
///         events.push(event.data().to_owned());
///     }
///     assert!(chunk.is_empty());
/// }
/// assert_eq!(events, ["one", "two"]);
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
///
/// [9.2.5]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Debug, Clone)]
pub struct Decoder {
    pub(super) start: Start,
    pub(super) pending: Pending,
    /// How much of the unfinished line has been seen.
    pub(super) line_len: usize,
    /// How much of the unfinished block has been seen, whole lines only.
    pub(super) block_len: usize,
    pub(super) skipping: bool,
    pub(super) max_line: usize,
    pub(super) max_event: usize,
    pub(super) last_id: LastId,
    pub(super) reconnection_time: Option<Duration>,
}

/// What [`Decoder::decode_with_comments`] finds.
///
/// ```
/// use bytes::Bytes;
/// use tower_sse::Decoder;
/// use tower_sse::protocol::Decoded;
///
/// let mut decoder = Decoder::new();
/// let mut chunk = Bytes::from(":alive\ndata: x\n\n");
/// let comment = decoder.decode_with_comments(&mut chunk)?;
/// assert_eq!(comment, Some(Decoded::Comment("alive".into())));
/// let Some(Decoded::Event(event)) = decoder.decode_with_comments(&mut chunk)? else {
///     panic!("no event");
/// };
/// assert_eq!(event.data(), "x");
/// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoded {
    /// A dispatched event.
    Event(MessageEvent),
    /// A comment line: everything after its colon, and at once, whether or not its block has ended.
    Comment(String),
}

impl Decoder {
    /// A decoder at the start of a stream, with limits of 16 MiB.
    ///
    /// ```
    /// let decoder = tower_sse::Decoder::new();
    /// assert!(decoder.last_event_id().is_empty());
    /// assert_eq!(decoder.reconnection_time(), None);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Start::default(),
            pending: Pending::default(),
            line_len: 0,
            block_len: 0,
            skipping: false,
            max_line: DEFAULT_MAX,
            max_event: DEFAULT_MAX,
            last_id: LastId::default(),
            reconnection_time: None,
        }
    }

    /// Sets the limit for a line, in bytes without its end; 16 MiB if not set.
    ///
    /// Comments and unknown fields count too, although they are not kept.
    ///
    /// ```
    /// # use tower_sse::Decoder;
    /// let mut decoder = Decoder::new().max_line_len(7);
    /// assert!(decoder.decode_ref(&mut &b"data: a\ndata: b\n\n"[..]).is_ok());
    /// assert!(decoder.decode_ref(&mut &b":comment"[..]).is_err());
    /// ```
    #[must_use]
    pub fn max_line_len(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Sets the limit for an event, in bytes: all lines up to the empty one, with one byte for the end
    /// of each but the last; 16 MiB if not set.
    ///
    /// The decoder's buffers never hold more than an event of this size; what was not UTF-8 can
    /// become three times as long when it is repaired.
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new().max_event_len(15);
    /// assert!(decoder.decode_ref(&mut &b"data: 7\ndata: 7\n\n"[..]).is_ok());
    /// assert!(decoder.decode_ref(&mut &b"data: 7\n:comment\n\n"[..]).is_err());
    /// ```
    #[must_use]
    pub fn max_event_len(mut self, bytes: usize) -> Self {
        self.max_event = bytes;
        self
    }

    /// Sets the last event ID, for a stream that continues an earlier one: events without an ID of
    /// their own have this one.
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new().resume_after(7u64);
    /// let event = decoder.decode_ref(&mut &b"data: x\n\n"[..])?.unwrap();
    /// assert_eq!(event.last_event_id(), "7");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn resume_after(mut self, id: impl Into<EventId>) -> Self {
        self.last_id.set(id.into().as_bytes());
        self
    }

    /// The next event, taken out of the chunk; `None` when the chunk is empty.
    ///
    /// # Errors
    ///
    /// If a line or an event is too long; the decoder [can go on](LimitExceeded).
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use tower_sse::Decoder;
    /// let mut decoder = Decoder::new();
    /// let mut chunk = Bytes::from("data: one\n\ndata: tw");
    /// assert_eq!(decoder.decode(&mut chunk)?.unwrap().data(), "one");
    /// assert_eq!(decoder.decode(&mut chunk)?, None);
    /// assert!(chunk.is_empty());
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[inline(always)]
    pub fn decode(&mut self, chunk: &mut Bytes) -> Result<Option<MessageEvent>, LimitExceeded> {
        if self.more_data(chunk) {
            chunk.clear();
            return Ok(None);
        }
        let (parts, len) = match self.whole(chunk) {
            Some(whole) => whole,
            None => {
                let (mut pos, mut parts) = (0, Parts::default());
                match self.scan::<false>(chunk, &mut pos, &mut parts) {
                    Ok(Found::Event) => (parts, pos),
                    found => {
                        chunk.advance(pos);
                        return found.map(|_| None);
                    }
                }
            }
        };
        Ok(Some(self.own(chunk, parts, len)))
    }

    /// The next event, lent until the next call; `None` when the chunk is empty.
    ///
    /// # Errors
    ///
    /// If a line or an event is too long; the decoder [can go on](LimitExceeded).
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// let mut chunk: &[u8] = b"data: one\n\ndata: two\n\ndata: thr";
    /// let mut letters = 0;
    /// while let Some(event) = decoder.decode_ref(&mut chunk)? {
    ///     letters += event.data().len();
    /// }
    /// assert_eq!(letters, 6);
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[inline(always)]
    pub fn decode_ref<'a, 'c: 'a>(
        &'a mut self,
        chunk: &mut &'c [u8],
    ) -> Result<Option<MessageRef<'a>>, LimitExceeded> {
        let whole = *chunk;
        if self.more_data(whole) {
            *chunk = &[];
            return Ok(None);
        }
        if let Some((parts, len)) = self.whole(whole) {
            *chunk = &whole[len..];
            return Ok(Some(self.lend(whole, &parts)));
        }
        let (mut pos, mut parts) = (0, Parts::default());
        let found = self.scan::<false>(whole, &mut pos, &mut parts);
        *chunk = &whole[pos..];
        match found {
            Ok(Found::Event) => Ok(Some(self.lend(whole, &parts))),
            Ok(_) => Ok(None),
            Err(limit) => Err(limit),
        }
    }

    /// The next event or comment, taken out of the chunk; `None` when the chunk is empty.
    ///
    /// # Errors
    ///
    /// If a line or an event is too long; the decoder [can go on](LimitExceeded).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_sse::Decoder;
    /// use tower_sse::protocol::Decoded;
    ///
    /// let mut chunk = Bytes::from(": still here\n");
    /// let comment = Decoder::new().decode_with_comments(&mut chunk)?;
    /// assert_eq!(comment, Some(Decoded::Comment(" still here".into())));
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    pub fn decode_with_comments(
        &mut self,
        chunk: &mut Bytes,
    ) -> Result<Option<Decoded>, LimitExceeded> {
        let (mut pos, mut parts) = (0, Parts::default());
        let found = self.scan::<true>(chunk, &mut pos, &mut parts);
        let decoded = match found {
            Ok(Found::Event) => return Ok(Some(Decoded::Event(self.own(chunk, parts, pos)))),
            Ok(Found::Comment(at)) => {
                let text = at.map_or(self.pending.value(), |at| &chunk[at]);
                let comment = String::from_utf8_lossy(text).into_owned();
                self.pending.clear_value();
                Ok(Some(Decoded::Comment(comment)))
            }
            Ok(Found::Nothing) => Ok(None),
            Err(limit) => Err(limit),
        };
        chunk.advance(pos);
        decoded
    }

    /// Whether an event has begun and not ended: [`end`](Self::end) would discard it.
    ///
    /// At the end of a stream it tells whether the stream was cut. A block that so far has only
    /// comments, `retry` fields and fields of other names is not an event yet; an unfinished line is
    /// one unless it is a comment. So is what [`is_skipping`](Self::is_skipping) drops.
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// for (chunk, inside) in [
    ///     (":\nretry: 2000\n", false),
    ///     ("data: x\n", true),
    ///     ("\n: heart", false),
    ///     ("beat\nda", true),
    /// ] {
    ///     let mut chunk = chunk.as_bytes();
    ///     while decoder.decode_ref(&mut chunk)?.is_some() {}
    ///     assert_eq!(decoder.is_inside_event(), inside);
    /// }
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn is_inside_event(&self) -> bool {
        self.skipping || self.start.is_inside_bom() || self.pending.is_inside_event()
    }

    /// The stream has ended: discards what is unfinished, and is ready for another stream.
    ///
    /// Last event ID and reconnection time stay, as they do when a browser reconnects. Whether
    /// anything was unfinished, [`is_inside_event`](Self::is_inside_event) says before.
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// assert!(decoder.decode_ref(&mut &b"id: 1\n\nid: 2\ndata: cut o"[..])?.is_none());
    /// decoder.end();
    /// assert_eq!(decoder.last_event_id().as_str(), "1");
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    pub fn end(&mut self) {
        self.start = Start::default();
        self.pending.clear();
        self.line_len = 0;
        self.block_len = 0;
        self.skipping = false;
    }

    /// The last event ID; empty if the server has set none, or an empty one.
    ///
    /// An empty line sets it, also the end of a block without data.
    ///
    /// ```
    /// # use tower_sse::{Decoder, EventId};
    /// let mut decoder = Decoder::new();
    /// assert!(decoder.decode_ref(&mut &b"id: 7\n\nid: 8\n"[..])?.is_none());
    /// assert_eq!(decoder.last_event_id(), EventId::from(7u64));
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn last_event_id(&self) -> EventId {
        self.last_id.get()
    }

    /// The reconnection time, if the server has set one; a `retry` line sets it at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// assert!(decoder.decode_ref(&mut &b"retry: 500\n\nretry: soon\n\n"[..])?.is_none());
    /// assert_eq!(decoder.reconnection_time(), Some(Duration::from_millis(500)));
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Whether the rest of an event that was too long is still being dropped.
    ///
    /// ```
    /// # use tower_sse::Decoder;
    /// let mut decoder = Decoder::new().max_line_len(7);
    /// assert!(decoder.decode_ref(&mut &b":comment"[..]).is_err());
    /// assert!(decoder.is_skipping());
    /// assert!(decoder.decode_ref(&mut &b"\n\n"[..])?.is_none());
    /// assert!(!decoder.is_skipping());
    /// # Ok::<(), tower_sse::protocol::LimitExceeded>(())
    /// ```
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.skipping
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
