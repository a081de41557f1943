//! [`Decoder`]'s path for chunks that do not begin with a complete block.

use bytes::{Buf, Bytes};

use super::Decoder;
use crate::protocol::decode::limit::LimitExceeded;
use crate::protocol::decode::message::MessageEvent;
use crate::protocol::decode::message_ref::MessageRef;
use crate::protocol::decode::scan::{BlockStart, Found};
use crate::protocol::decode::tail::Joined;
use crate::protocol::decode::text::share;
use crate::protocol::decode::whole_block::Parts;

/// The result for a chunk that does not begin with a complete block.
///
/// A separate type, so that the compiler does not use one place in memory for both this and a
/// complete event, and keeps the latter in registers.
pub(super) enum Divided<'a> {
    Event(MessageRef<'a>),
    Nothing,
    Limit(LimitExceeded),
}

/// What comes next in a chunk that does not begin with a complete block.
pub(crate) enum NextItem {
    /// An event, which [`Decoder::take_found`] returns.
    Event,
    Comment(String),
    /// The end of the chunk.
    None,
}

/// Why [`Decoder::decode_whole`] returned no event.
pub(crate) enum NotWhole {
    /// The chunk was empty or ended inside a block, and has been taken.
    Taken,
    Other,
}

impl Decoder {
    /// Like [`decode`](Self::decode), but only if the chunk begins with a complete block of the
    /// simplest form, whose data and type are wanted. A chunk that ends in such a block may be
    /// taken.
    #[inline(always)]
    pub(crate) fn decode_whole(
        &mut self,
        chunk: &mut Bytes,
        is_wanted: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<MessageEvent, NotWhole> {
        if !self.scanner.is_at_block() {
            return Err(NotWhole::Other);
        }
        let (parts, len) = match self.scanner.whole(chunk) {
            BlockStart::Whole(parts, len) => (parts, len),
            BlockStart::Taken => {
                chunk.advance(chunk.len());
                return Err(NotWhole::Taken);
            }
            BlockStart::Other => return Err(NotWhole::Other),
        };
        if !is_wanted(parts.data(chunk), parts.event_type(chunk)) {
            return Err(NotWhole::Other);
        }
        let Some(block) = share(chunk, parts.from..parts.end) else {
            return Err(NotWhole::Other);
        };
        chunk.advance(len);
        Ok(self.scanner.own(block, parts))
    }

    /// Whether [`decode_whole`](Self::decode_whole) would read a chunk.
    #[inline]
    pub(crate) fn is_at_block(&self) -> bool {
        self.scanner.is_at_block()
    }

    /// Takes the beginning of a chunk that is more of a block or a line. Returns its length, which is
    /// that of the chunk if it has nothing else, and may be 0.
    #[inline(always)]
    pub(crate) fn decode_more(&mut self, chunk: &[u8]) -> usize {
        self.scanner.more(chunk)
    }

    /// Takes a small chunk of heartbeats. Returns its length, or the same as
    /// [`decode_more`](Self::decode_more) for any other chunk.
    #[inline(always)]
    pub(crate) fn decode_piece(&mut self, chunk: &[u8]) -> usize {
        match self.scanner.more(chunk) {
            0 if self.scanner.small_heartbeats(chunk) => chunk.len(),
            taken => taken,
        }
    }

    /// Like [`decode`](Self::decode), after [`decode_whole`](Self::decode_whole) has found nothing,
    /// for a chunk that is not a [piece](Self::decode_piece). Never returns a comment.
    #[inline(never)]
    pub(crate) fn decode_rest(&mut self, chunk: &mut Bytes) -> Result<NextItem, LimitExceeded> {
        if self.scanner.is_joining() {
            match self.scanner.join(chunk) {
                Joined::Whole(parts, len) => {
                    chunk.advance(len);
                    self.scanner.keep_joined(parts);
                    return Ok(NextItem::Event);
                }
                Joined::Other(len) => {
                    chunk.advance(len);
                    if let Some(parts) = self.scanner.scan_joined() {
                        self.scanner.keep_scanned(parts);
                        return Ok(NextItem::Event);
                    }
                }
                Joined::More => {
                    chunk.advance(chunk.len());
                    return Ok(NextItem::None);
                }
                Joined::Not => {}
            }
        } else if self.scanner.take_all(chunk) {
            chunk.advance(chunk.len());
            return Ok(NextItem::None);
        }
        self.decode_scanned::<false>(chunk)
    }

    /// Like [`decode_with_comments`](Self::decode_with_comments).
    pub(crate) fn decode_rest_with_comments(
        &mut self,
        chunk: &mut Bytes,
    ) -> Result<NextItem, LimitExceeded> {
        self.scanner.end_tail();
        self.decode_scanned::<true>(chunk)
    }

    #[inline]
    fn decode_scanned<const COMMENTS: bool>(
        &mut self,
        chunk: &mut Bytes,
    ) -> Result<NextItem, LimitExceeded> {
        let (mut pos, mut parts) = (0, Parts::default());
        let found = self.scanner.scan::<COMMENTS>(chunk, &mut pos, &mut parts);
        let found = match found {
            Ok(Found::Event) => {
                self.scanner.keep(chunk, parts, pos);
                return Ok(NextItem::Event);
            }
            Ok(Found::Comment(at)) => Ok(NextItem::Comment(self.scanner.comment(chunk, at))),
            Ok(Found::Nothing) => Ok(NextItem::None),
            Err(limit) => Err(limit),
        };
        chunk.advance(pos);
        found
    }

    /// The event of a [`NextItem::Event`].
    #[inline(always)]
    pub(crate) fn take_found(&mut self) -> MessageEvent {
        self.scanner.take()
    }

    /// The data and the type of the event of a [`NextItem::Event`].
    pub(crate) fn found(&self) -> (&[u8], &[u8]) {
        self.scanner.kept()
    }

    /// Like [`decode_ref`](Self::decode_ref), if the chunk does not begin with a complete block.
    #[inline(never)]
    pub(super) fn decode_divided_ref<'a, 'c: 'a>(
        &'a mut self,
        chunk: &mut &'c [u8],
    ) -> Divided<'a> {
        let mut whole = *chunk;
        if self.scanner.is_joining() {
            match self.scanner.join(whole) {
                Joined::Whole(parts, len) => {
                    *chunk = &whole[len..];
                    return Divided::Event(self.scanner.lend_joined(&parts));
                }
                Joined::Other(len) => {
                    whole = &whole[len..];
                    if let Some(parts) = self.scanner.scan_joined() {
                        *chunk = whole;
                        return Divided::Event(self.scanner.lend_scanned(&parts));
                    }
                }
                Joined::More => {
                    *chunk = &[];
                    return Divided::Nothing;
                }
                Joined::Not => {}
            }
        } else if self.scanner.take_all(whole) {
            *chunk = &[];
            return Divided::Nothing;
        }
        let (mut pos, mut parts) = (0, Parts::default());
        let found = self.scanner.scan::<false>(whole, &mut pos, &mut parts);
        *chunk = &whole[pos..];
        match found {
            Ok(Found::Event) => Divided::Event(self.scanner.lend(whole, &parts)),
            Ok(_) => Divided::Nothing,
            Err(limit) => Divided::Limit(limit),
        }
    }
}
