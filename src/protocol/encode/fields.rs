use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::data::Repr;
use super::lines::{COMMENT, DATA, END, LONG, Measured, Short, has_break, push_lines};
use crate::protocol::value::{IdPiece, TypePiece};

/// The size in bytes from which a one-line payload is sent as its own chunk instead of being
/// copied.
///
/// A chunk of its own costs hyper two more frames. In `benches/hyper.rs`, which sends both, sharing
/// is faster from 16 KiB on over HTTP/1, where frames are cheap (3 times at 32 KiB, 5.5 times at 64
/// KiB). Over HTTP/2, where they are not, it is 0.7 times as fast at 16 KiB, 0.9 at 24 KiB, 1.1 at
/// 32 KiB and 1.4 at 64 KiB.
pub(super) const SHARE: usize = 32 * 1024;

const EVENT: &[u8] = b"event: ";
const ID: &[u8] = b"id: ";
const LF_ID: &[u8] = b"\nid: ";
const LF_DATA: &[u8] = b"\ndata: ";
const RETRY: &[u8] = b"retry: ";

/// The value of a `retry` field: whole milliseconds, rounded down and saturating.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The fields of one block, borrowed.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) comment: Option<&'a [u8]>,
    pub(super) retry: Option<u64>,
    /// Empty if there is none.
    pub(super) event_type: TypePiece<'a>,
    pub(super) id: Option<IdPiece<'a>>,
    pub(super) data: Payload<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    None,
    /// Text as given, line breaks and all.
    Text(&'a [u8]),
    /// Complete data lines and the empty line after them.
    Lines(&'a [u8]),
}

impl<'a> Fields<'a> {
    pub(super) const NONE: Self = Self {
        comment: None,
        retry: None,
        event_type: TypePiece::Slice(b""),
        id: None,
        data: Payload::None,
    };

    #[inline(always)]
    pub(super) const fn of_text(text: &'a [u8]) -> Self {
        Self {
            data: Payload::Text(text),
            ..Self::NONE
        }
    }

    /// Appends the block, after one exact reservation if `out` is empty.
    ///
    /// Always inlined, with everything it calls, so that fields known to be absent cost nothing: a
    /// writer's event has no comment, and often neither type nor ID. `benches/encode.rs`,
    /// `Block::write` of the typical event: 497 instructions, and 577 if left to the compiler.
    #[inline(always)]
    pub(super) fn encode(&self, out: &mut Vec<u8>, usual: usize) {
        match self.data {
            Payload::Text(text) => {
                if has_break(text) {
                    return Self::encode_lines(*self, text, out, usual);
                }
                let len = self.head_len() + DATA.len() + text.len() + END.len();
                reserve(out, len, usual);
                match self.encode_open_head(out) {
                    true => out.extend_from_slice(LF_DATA),
                    false => out.extend_from_slice(DATA),
                }
                out.extend_from_slice(text);
                out.extend_from_slice(END);
            }
            Payload::Lines(lines) => {
                reserve(out, self.head_len() + lines.len(), usual);
                self.encode_head(out);
                out.extend_from_slice(lines);
            }
            Payload::None => Self::encode_without_data(*self, out, usual),
        }
    }

    /// Appends a block without data.
    #[inline(never)]
    fn encode_without_data(self, out: &mut Vec<u8>, usual: usize) {
        reserve(out, self.head_len() + 1, usual);
        // In the other cases, something longer follows.
        Fields {
            id: self.id.as_ref().map(IdPiece::exact),
            event_type: self.event_type.exact(),
            ..self
        }
        .encode_head(out);
        out.push(b'\n');
    }

    /// The block alone, in one exact allocation.
    #[inline(always)]
    pub(super) fn encoded(&self) -> Box<[u8]> {
        match self.data {
            Payload::Text(text) if self.is_only_data() => only_text(text),
            _ => {
                let mut out = Vec::new();
                self.encode(&mut out, 0);
                out.into_boxed_slice()
            }
        }
    }

    /// Appends a block with text of several lines.
    // By value, so that the fields of text of one line need not be built in memory.
    #[inline(never)]
    fn encode_lines(self, text: &[u8], out: &mut Vec<u8>, usual: usize) {
        if let Some(short) = Short::new(text) {
            reserve(out, self.head_len() + short.len() + 1, usual);
            self.encode_head(out);
            short.push(out);
            out.push(b'\n');
            return;
        }
        let text = Measured::new(text);
        reserve(out, self.head_len() + text.len(DATA) + 1, usual);
        self.encode_head(out);
        push_lines(out, DATA, &text);
        out.push(b'\n');
    }

    /// Appends everything before the data's text, which the caller sends separately, followed by
    /// [`END`].
    pub(super) fn encode_before_text(&self, out: &mut Vec<u8>) {
        reserve(out, self.head_len() + DATA.len(), 0);
        self.encode_head(out);
        out.extend_from_slice(DATA);
    }

    #[inline(always)]
    fn is_only_data(&self) -> bool {
        self.id.is_none()
            && self.event_type.is_empty()
            && self.comment.is_none()
            && self.retry.is_none()
    }

    #[inline]
    fn head_len(&self) -> usize {
        let mut len = 0;
        if self.comment.is_some() || self.retry.is_some() {
            len += rare_len(self.comment, self.retry);
        }
        if !self.event_type.is_empty() {
            len += EVENT.len() + self.event_type.len() + 1;
        }
        if let Some(id) = self.id {
            len += ID.len() + id.len() + 1;
        }
        len
    }

    // Inlined like `encode`: 543 instructions instead of 497 if left to the compiler.
    #[inline(always)]
    pub(super) fn encode_head(&self, out: &mut Vec<u8>) {
        if self.encode_open_head(out) {
            out.push(b'\n');
        }
    }

    /// The same without the end of the last line, which is appended together with what follows.
    /// Returns whether a line is open.
    #[inline(always)]
    fn encode_open_head(&self, out: &mut Vec<u8>) -> bool {
        if self.comment.is_some() || self.retry.is_some() {
            encode_rare(self.comment, self.retry, out);
        }
        let has_type = !self.event_type.is_empty();
        if has_type {
            out.extend_from_slice(EVENT);
            self.event_type.push(out);
        }
        if let Some(id) = self.id {
            match has_type {
                true => out.extend_from_slice(LF_ID),
                false => out.extend_from_slice(ID),
            }
            id.push(out);
        }
        has_type || self.id.is_some()
    }
}

/// Text of such a length is copied before it is searched for line breaks.
///
/// `benches/encode`, "token", `Event` of a `String`: 31.4 ns, and 33.8 otherwise. If the text has a
/// line break, which longer text rarely lacks, the copy was in vain: four lines of 49 bytes take 73
/// ns, and 68 otherwise.
const COPIED_FIRST: Range<usize> = 32..256;

/// A block of data alone.
///
/// The compiler sees that the `Vec` has room for everything, because no sum of such lengths can
/// overflow. Then the `Vec` is never lent to the code that grows it, and stays in registers.
/// `benches/encode`, "16 B", `Event` of a `&'static str`: 17.2 ns, and 18.2 otherwise.
#[inline(always)]
pub(super) fn only_text(text: &[u8]) -> Box<[u8]> {
    if text.len() >= LONG {
        return only_long(text);
    }
    let is_copied_first = COPIED_FIRST.contains(&text.len());
    if !is_copied_first && has_break(text) {
        return only_lines(text);
    }
    let mut out = Vec::with_capacity(DATA.len() + text.len() + END.len());
    out.extend_from_slice(DATA);
    out.extend_from_slice(text);
    out.extend_from_slice(END);
    if is_copied_first && has_break(text) {
        return only_lines(text);
    }
    out.into_boxed_slice()
}

/// The same for long text, out of line: one more call costs it little.
#[inline(never)]
fn only_long(text: &[u8]) -> Box<[u8]> {
    let mut out = Vec::new();
    Fields::of_text(text).encode(&mut out, 0);
    out.into_boxed_slice()
}

/// The same for text of several lines.
#[cold]
#[inline(never)]
fn only_lines(text: &[u8]) -> Box<[u8]> {
    let mut out = Vec::new();
    if let Some(short) = Short::new(text) {
        // Not as below, where the fields would be built in memory: "line breaks", `Event` of a
        // `String`: 30 ns, and 36 otherwise.
        out = Vec::with_capacity(short.len() + 1);
        short.push(&mut out);
        out.push(b'\n');
    } else {
        Fields::NONE.encode_lines(text, &mut out, 0);
    }
    out.into_boxed_slice()
}

// By value, because all fields of an event would be built in memory to lend two of them.
#[cold]
fn rare_len(comment: Option<&[u8]>, retry: Option<u64>) -> usize {
    let retry = retry.map_or(0, |retry| {
        RETRY.len() + itoa::Buffer::new().format(retry).len() + 1
    });
    retry + comment.map_or(0, comment_len)
}

#[cold]
fn encode_rare(comment: Option<&[u8]>, retry: Option<u64>, out: &mut Vec<u8>) {
    if let Some(comment) = comment {
        push_comment(out, comment);
    }
    if let Some(retry) = retry {
        push_field(out, RETRY, itoa::Buffer::new().format(retry).as_bytes());
    }
}

/// Makes room for a block, if there is none. The last frame of several blocks took `usual` bytes.
///
/// If the block is the first of a frame, its room is exact, unless frames usually hold several times
/// as much: then the frame costs one allocation, and it is exact if it is as long as the last one.
#[inline]
pub(super) fn reserve(out: &mut Vec<u8>, additional: usize, usual: usize) {
    if out.capacity() == 0 {
        // Not `reserve_exact`, which goes through the code for growing, and that is not inlined.
        *out = Vec::with_capacity(first_room(additional, usual));
    } else if out.capacity() - out.len() < additional {
        grow(out, additional, usual);
    }
}

/// The room for a frame whose first block has this length.
#[inline]
pub(super) fn first_room(len: usize, usual: usize) -> usize {
    if usual / 4 > len { usual } else { len }
}

/// Makes as much room as the last frame took, so that a frame of many blocks costs two allocations
/// and not a dozen.
#[inline(never)]
pub(super) fn grow(out: &mut Vec<u8>, additional: usize, usual: usize) {
    let len = out.len();
    let room = usual.saturating_sub(len).max(len).max(512);
    out.reserve(room.max(additional));
}

#[inline]
fn push_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn comment_len(comment: &[u8]) -> usize {
    if comment.is_empty() {
        return 2;
    }
    Measured::new(comment).len(COMMENT)
}

fn push_comment(out: &mut Vec<u8>, comment: &[u8]) {
    if comment.is_empty() {
        out.extend_from_slice(b":\n");
        return;
    }
    push_lines(out, COMMENT, &Measured::new(comment));
}

/// The payload to share, if this is text of one line that is long enough.
#[inline]
pub(super) fn shareable(data: &Repr) -> Option<&Bytes> {
    match data {
        Repr::Shared(text) => long_line(text),
        _ => None,
    }
}

fn long_line(text: &Bytes) -> Option<&Bytes> {
    (text.len() >= SHARE && !has_break(text)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::value::{EventId, EventType};

    #[test]
    fn a_block_alone_is_exact_whatever_it_has() {
        let (id, event_type) = (EventId::from(7), EventType::from_static("card"));
        for len in (0..70).chain([SHARE - 1, SHARE, SHARE + 1]) {
            let text = "x".repeat(len);
            for which in 0..16 {
                let has = |bit: u32| which & (1 << bit) != 0;
                let fields = Fields {
                    comment: has(0).then_some(b"note".as_slice()),
                    retry: has(1).then_some(20),
                    event_type: match has(2) {
                        true => event_type.piece(),
                        false => Fields::NONE.event_type,
                    },
                    id: has(3).then(|| id.piece()),
                    data: Payload::Text(text.as_bytes()),
                };
                let lines = [
                    has(0).then_some(": note\n"),
                    has(1).then_some("retry: 20\n"),
                    has(2).then_some("event: card\n"),
                    has(3).then_some("id: 7\n"),
                ];
                let head: String = lines.into_iter().flatten().collect();
                let expected = format!("{head}data: {text}\n\n").into_bytes();

                let mut out = fields.encoded().into_vec();
                assert_eq!(out, expected, "{which}, {len}");
                fields.encode(&mut out, 0);
                assert_eq!(out, expected.repeat(2), "{which}, {len}");
                let mut alone = Vec::new();
                fields.encode(&mut alone, 0);
                assert_eq!(alone.capacity(), expected.len(), "{which}, {len}");

                let mut frame = Vec::new();
                fields.encode(&mut frame, 1000);
                assert_eq!(frame, expected, "{which}, {len}");
                let room = first_room(expected.len(), 1000);
                assert_eq!(frame.capacity(), room, "{which}, {len}");
            }
        }
    }

    #[test]
    fn text_alone_is_divided_wherever_it_has_a_break() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let borders = [0, 8, 16, 32, COPIED_FIRST.end, LONG, 1100];
        let rounds = if cfg!(miri) { 50 } else { 5_000 };
        for round in 0..rounds {
            let len = (borders[random(7)] + random(5)).saturating_sub(2);
            let mut text = vec![b'x'; len];
            for _ in 0..random(4).min(len) {
                text[random(len)] = *b"\n\r\n\t\x0b".get(random(6)).unwrap_or(&b'\r');
            }
            let text = String::from_utf8(text).unwrap();
            let lines = text.replace("\r\n", "\n").replace(['\r', '\n'], "\ndata: ");
            let expected = format!("data: {lines}\n\n");

            let fields = Fields::of_text(text.as_bytes());
            assert_eq!(*fields.encoded(), *expected.as_bytes(), "{round}: {text:?}");
            let mut out = Vec::new();
            fields.encode(&mut out, 0);
            assert_eq!(out, expected.as_bytes(), "{round}: {text:?}");
            assert_eq!(out.capacity(), out.len(), "{round}: {text:?}");
        }
    }
}
