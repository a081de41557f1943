mod divided;

use std::time::Duration;

use bytes::{Buf, Bytes};

pub(crate) use self::divided::NextItem;
use self::divided::{Divided, NotWhole};
use super::limit::LimitExceeded;
use super::message::MessageEvent;
use super::message_ref::MessageRef;
use super::scan::{BlockStart, Scanner};
use crate::protocol::value::EventId;

/// Decodes an event stream, chunk by chunk ([9.2.5], [9.2.6]).
///
/// It does no I/O: pass it each chunk in turn, and take events out of the chunk until none is left.
/// Chunks may be split anywhere. Malformed input is not an error, since the standard defines the
/// meaning of any stream. The only failure is exceeding [a limit](LimitExceeded).
///
/// | view | cost |
/// |---|---|
/// | [`decode_ref`](Self::decode_ref) lends each event | none for one line of data inside one chunk |
/// | [`decode`](Self::decode) gives each event away | one more reference to the chunk |
/// | [`decode_with_comments`](Self::decode_with_comments) | the same, and a copy of each comment |
///
/// Data of several lines, events that span several chunks, and invalid UTF-8 are copied.
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
/// Two fields are ignored that the standard would accept: an `id` longer than [`EventId::MAX_LEN`],
/// which could not be sent back as `Last-Event-ID`, and a `retry` whose milliseconds do not fit a
/// `u64`. The last event ID and the reconnection time are then unchanged, as for malformed fields,
/// which the standard ignores.
///
/// # Memory
///
/// While an event is incomplete, its buffers take at most twice the [limit for an
/// event](Self::max_event_len), plus 40 KiB. With
/// [`decode_with_comments`](Self::decode_with_comments), an incomplete comment can add twice the
/// [limit for a line](Self::max_line_len). Invalid UTF-8 can grow to three times its length when it
/// is repaired. Of ignored input, at most 16 KiB are buffered.
///
/// Between events, the decoder keeps at most 256 KiB. Memory for a larger event is released by the
/// next call, and by [`end`](Self::end).
///
/// [9.2.5]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
/// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Debug, Clone)]
pub struct Decoder {
    scanner: Scanner,
}

/// An item of [`Decoder::decode_with_comments`].
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
    /// A comment line: everything after its colon. It is yielded at once, whether or not its block
    /// has ended.
    Comment(String),
}

impl Decoder {
    /// Creates a decoder at the start of a stream, with limits of 16 MiB.
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

    /// Sets the limit for a line, in bytes without its end; 16 MiB by default.
    ///
    /// The limit also applies to comments and unknown fields, although they are not kept.
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

    /// Sets the limit for an event in bytes: its fields up to the empty line, with one byte for the
    /// end of each line but the last; 16 MiB by default.
    ///
    /// Comments and unknown fields do not count. This limit also bounds the decoder's memory; see
    /// [above](Self#memory).
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

    /// Sets the last event ID, for a stream that continues an earlier one. Events have this ID
    /// until one has its own.
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

    /// Takes the next event out of the chunk; `None` once the chunk is empty.
    ///
    /// # Errors
    ///
    /// If a line or an event is too long. The decoder [can continue](LimitExceeded).
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
    // Inlined, so that the event is built in the caller's place. An event that is written field by
    // field and then moved takes 1.5 times as long: loads that are wider than the stores just
    // before them have to wait for the stores.
    #[inline(always)]
    pub fn decode(&mut self, chunk: &mut Bytes) -> Result<Option<MessageEvent>, LimitExceeded> {
        match self.decode_whole(chunk, |_, _| true) {
            Ok(event) => return Ok(Some(event)),
            Err(NotWhole::Taken) => return Ok(None),
            Err(NotWhole::Other) => {}
        }
        let taken = self.decode_piece(chunk);
        if taken > 0 {
            chunk.advance(taken);
            if chunk.is_empty() {
                return Ok(None);
            }
        }
        match self.decode_rest(chunk)? {
            NextItem::Event => Ok(Some(self.take_found())),
            _ => Ok(None),
        }
    }

    /// Returns the next event, borrowed until the next call; `None` once the chunk is empty.
    ///
    /// # Errors
    ///
    /// If a line or an event is too long. The decoder [can continue](LimitExceeded).
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
            match self.scanner.whole(whole) {
                BlockStart::Whole(parts, len) => {
                    *chunk = &whole[len..];
                    return Ok(Some(self.scanner.lend_whole(whole, &parts)));
                }
                BlockStart::Taken => {
                    *chunk = &[];
                    return Ok(None);
                }
                BlockStart::Other => {}
            }
        }
        let taken = self.decode_piece(whole);
        if taken > 0 {
            *chunk = &whole[taken..];
            if chunk.is_empty() {
                return Ok(None);
            }
        }
        match self.decode_divided_ref(chunk) {
            Divided::Event(event) => Ok(Some(event)),
            Divided::Nothing => Ok(None),
            Divided::Limit(limit) => Err(limit),
        }
    }

    /// Takes the next event or comment out of the chunk; `None` once the chunk is empty.
    ///
    /// Calls of all three methods can be mixed. A comment that another method began or ended is
    /// dropped.
    ///
    /// # Errors
    ///
    /// If a line or an event is too long. The decoder [can continue](LimitExceeded).
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
        Ok(match self.decode_rest_with_comments(chunk)? {
            NextItem::Event => Some(Decoded::Event(self.take_found())),
            NextItem::Comment(comment) => Some(Decoded::Comment(comment)),
            NextItem::None => None,
        })
    }

    /// Returns `true` if an event is incomplete: [`end`](Self::end) would discard it.
    ///
    /// At the end of a stream, this says whether the stream was cut. A block with only comments,
    /// `retry` fields and unknown fields so far is not an event yet. An incomplete line counts as
    /// an event unless it is a comment, and so does an event that is [being
    /// skipped](Self::is_skipping).
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

    /// Ends the stream: discards an incomplete event, and prepares for another stream.
    ///
    /// The last event ID and the reconnection time are kept, as when a browser reconnects. To find
    /// out whether an event was incomplete, call [`is_inside_event`](Self::is_inside_event) before.
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

    /// Returns the last event ID; empty if the server has set none, or an empty one.
    ///
    /// It is set by an empty line, including the end of a block without data.
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

    /// Returns the reconnection time, if the server has set one. A `retry` line sets it at once.
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

    /// Returns `true` while the rest of an event that was too long is being dropped.
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
