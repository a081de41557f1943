mod divided;

use std::time::Duration;

use bytes::{Buf, Bytes};

use super::decoder::divided::Divided;
use super::limit::LimitExceeded;
use super::message::MessageEvent;
use super::message_ref::MessageRef;
use super::scan::{Found, Scanner};
use super::whole_block::Parts;
use crate::protocol::value::EventId;

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
/// Data of several lines, events over several chunks, and what was not UTF-8 is copied.
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
/// # Differences from the standard
///
/// Two fields are ignored that the standard would take: an `id` longer than [`EventId::MAX_LEN`], which
/// could not be sent back as `Last-Event-ID`, and a `retry` of more milliseconds than a `u64` holds.
/// The last event ID and the reconnection time then stay what they were, as with the malformed ones
/// that the standard ignores.
///
/// # Memory
///
/// While an event is incomplete, its buffers take at most twice the
/// [limit for an event](Self::max_event_len), and 8 KiB. With
/// [`decode_with_comments`](Self::decode_with_comments), an incomplete comment can add twice the
/// [limit for a line](Self::max_line_len). Text that was not UTF-8 can grow to three times its length
/// when it is repaired. Of what the decoder ignores, at most 4 KiB are buffered.
///
/// Between events the decoder keeps at most 256 KiB: what a larger event needed is released by the
/// next call after it, and by [`end`](Self::end).
///
/// [9.2.5]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Debug, Clone)]
pub struct Decoder {
    scanner: Scanner,
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
            scanner: Scanner::default(),
        }
    }

    /// Sets the limit for a line, in bytes without its end; 16 MiB if not set.
    ///
    /// Comments and fields of other names have this limit too, although they are not kept.
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new().max_line_len(7);
    /// assert!(decoder.decode_ref(&mut &b"data: a\ndata: b\n\n"[..]).is_ok());
    /// assert!(decoder.decode_ref(&mut &b":comment"[..]).is_err());
    /// ```
    #[must_use]
    pub fn max_line_len(mut self, bytes: usize) -> Self {
        self.scanner.lengths().set_max_line(bytes);
        self
    }

    /// Sets the limit for an event, in bytes: its fields up to the empty line, with one byte for the
    /// end of each line but the last; 16 MiB if not set.
    ///
    /// Comments and fields of other names do not count. This limit also bounds the decoder's memory;
    /// see [above](Self#memory).
    ///
    /// ```
    /// use tower_sse::Decoder;
    ///
    /// let mut decoder = Decoder::new().max_event_len(15);
    /// assert!(decoder.decode_ref(&mut &b"data: 7\ndata: 7\n\n"[..]).is_ok());
    /// assert!(decoder.decode_ref(&mut &b"data: 7\n:comment\ndata: 7\n\n"[..]).is_ok());
    /// assert!(decoder.decode_ref(&mut &b"data: 7\nid: 4567\n\n"[..]).is_err());
    /// ```
    #[must_use]
    pub fn max_event_len(mut self, bytes: usize) -> Self {
        self.scanner.lengths().set_max_event(bytes);
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
        self.scanner.resume_after(&id.into());
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
    // The event is then put together where the caller wants it. An event that is written field by field
    // and moved after that costs half as much again: loads that are wider than the stores just before
    // them have to wait for the stores.
    #[inline(always)]
    pub fn decode(&mut self, chunk: &mut Bytes) -> Result<Option<MessageEvent>, LimitExceeded> {
        if let Some(event) = self.decode_whole(chunk, |_, _| true) {
            return Ok(Some(event));
        }
        self.decode_rest(chunk)
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
    // 1 % fewer instructions for `token`, lent, in benches/decode than with `inline`.
    #[inline(always)]
    pub fn decode_ref<'a, 'c: 'a>(
        &'a mut self,
        chunk: &mut &'c [u8],
    ) -> Result<Option<MessageRef<'a>>, LimitExceeded> {
        let whole = *chunk;
        if self.scanner.is_at_block() {
            if let Some((parts, len)) = self.scanner.whole(whole) {
                *chunk = &whole[len..];
                return Ok(Some(self.scanner.lend(whole, &parts)));
            }
        } else if self.scanner.more_of_line(whole) {
            *chunk = &[];
            return Ok(None);
        }
        match self.decode_divided_ref(chunk) {
            Divided::Event(event) => Ok(Some(event)),
            Divided::Nothing => Ok(None),
            Divided::Limit(limit) => Err(limit),
        }
    }

    /// The next event or comment, taken out of the chunk; `None` when the chunk is empty.
    ///
    /// Calls of all three views can be mixed. A comment that one of the others began or ended is
    /// dropped.
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
        self.scanner.end_tail();
        let (mut pos, mut parts) = (0, Parts::default());
        let found = self.scanner.scan::<true>(chunk, &mut pos, &mut parts);
        let decoded = match found {
            Ok(Found::Event) => {
                let event = self.scanner.take(chunk, parts, pos);
                return Ok(Some(Decoded::Event(event)));
            }
            Ok(Found::Comment(at)) => Ok(Some(Decoded::Comment(self.scanner.comment(chunk, at)))),
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
        self.scanner.is_inside_event()
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
        self.scanner.end();
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
        self.scanner.last_event_id()
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
        self.scanner.reconnection_time()
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
        self.scanner.is_skipping()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
