//! The data of a block that arrives in pieces, and of several lines while it is lent.
//!
//! Large pieces are checked to be UTF-8 as they arrive, while they are in the cache, so that the
//! text needs no check when it is given away: 30 % of `64 KiB line, 1,400 B`, owned, in
//! benches/decode. Small pieces are checked together, because checking a few bytes costs as much as
//! checking many.

use std::ops::Range;

use super::scan::Detour;
use super::text::{BlockText, check, join, joined_len};

/// The size in bytes from which a piece is large. A fuzzer's inputs are short, and should reach
/// this code too.
const LARGE: usize = if cfg!(fuzzing) { 16 } else { 512 };

/// The maximum number of bytes that wait for their check after checked text.
const MAX_FRESH: usize = if cfg!(fuzzing) { 32 } else { 1024 };

/// The sizes in bytes from which text, and unchecked data, is given away instead of copied. Copying
/// unchecked data costs no more than the standard library's check, and its buffer is reused.
const GIVE_AWAY: usize = 4 * 1024;
const GIVE_AWAY_FRESH: usize = 64 * 1024;

/// The maximum capacity in bytes of a buffer that is reused.
const KEEP: usize = 128 * 1024;

/// The maximum number of bytes reserved because the previous event had as many.
const RESERVE: usize = 1024 * 1024;

#[derive(Debug, Clone, Default)]
pub(super) struct DataBuffer {
    /// The beginning of the data, if large pieces have arrived and all of them were UTF-8 so far.
    text: String,
    /// The rest, which has not been checked or was not UTF-8.
    fresh: Vec<u8>,
    /// The length of the text that the last event took, or that was released.
    usual: usize,
}

impl DataBuffer {
    /// Begins the data of another event.
    #[inline(never)]
    pub(super) fn begin(&mut self) {
        self.clear();
        let usual = std::mem::take(&mut self.usual);
        self.text.reserve(usual.min(RESERVE));
    }

    fn clear(&mut self) {
        self.text.clear();
        self.fresh.clear();
    }

    /// Sets the data to that of these lines.
    #[inline]
    pub(super) fn join(
        &mut self,
        block: BlockText<'_>,
        first: &Range<usize>,
        lines: &[Range<usize>],
    ) {
        self.clear();
        self.text.reserve(joined_len(first, lines));
        join(&mut self.text, block, first, lines);
    }

    #[inline]
    pub(super) fn push(&mut self, piece: &[u8]) {
        if piece.len() >= LARGE && self.fresh.len() <= MAX_FRESH {
            return self.push_large(piece);
        }
        self.fresh.extend_from_slice(piece);
        if self.fresh.len() > MAX_FRESH && !self.text.is_empty() {
            let fresh = std::mem::take(&mut self.fresh);
            self.push_large(&fresh);
        }
    }

    /// Ends a line that another line follows.
    #[inline]
    pub(super) fn push_break(&mut self) {
        self.fresh.push(b'\n');
    }

    #[inline(never)]
    fn push_large(&mut self, mut piece: &[u8]) {
        if !self.fresh.is_empty() {
            // A split character lacks at most three bytes, all of them continuation bytes.
            let more = piece.iter().take(3);
            let more = more.take_while(|byte| matches!(byte, 0x80..=0xBF)).count();
            self.fresh.extend_from_slice(&piece[..more]);
            piece = &piece[more..];
            let Some(text) = check(&self.fresh) else {
                return self.push_unchecked(piece);
            };
            self.text.push_str(text);
            self.fresh.clear();
        }
        let (whole, cut) = piece.split_at(piece.len() - cut_len(piece));
        let Some(text) = check(whole) else {
            return self.push_unchecked(piece);
        };
        self.text.push_str(text);
        self.fresh.extend_from_slice(cut);
    }

    /// Pushes data that is not UTF-8. It is repaired only when the data is complete, because that
    /// makes it grow.
    #[cold]
    fn push_unchecked(&mut self, piece: &[u8]) {
        let mut all = std::mem::take(&mut self.text).into_bytes();
        all.extend_from_slice(&self.fresh);
        all.extend_from_slice(piece);
        self.fresh = all;
    }

    /// Returns the complete data, with U+FFFD for each maximal subpart of an ill-formed sequence.
    ///
    /// Must be called once for each event.
    #[inline]
    pub(super) fn finish(&mut self, detour: &mut Detour) -> &str {
        let Self { text, fresh, .. } = self;
        if fresh.is_empty() {
            return text;
        }
        match check(fresh) {
            Some(data) if text.is_empty() => data,
            Some(rest) => {
                text.push_str(rest);
                text
            }
            None => {
                *detour = Detour::Release;
                repair(text, fresh);
                text
            }
        }
    }

    /// Takes the data that [`finish`](Self::finish) returned, with extra capacity.
    ///
    /// Short data is copied to its exact size and the buffer is reused. Long data is not copied,
    /// unless the buffer is much too large for it.
    pub(super) fn take(&mut self, room: usize) -> String {
        if self.text.is_empty() && self.fresh.len() >= GIVE_AWAY_FRESH {
            match String::from_utf8(std::mem::take(&mut self.fresh)) {
                Ok(text) => return text,
                Err(error) => self.fresh = error.into_bytes(),
            }
        }
        match check(&self.fresh) {
            Some(data) if self.text.is_empty() => return copy(data, room),
            Some(rest) => self.text.push_str(rest),
            None => repair(&mut self.text, &self.fresh),
        }
        self.fresh.clear();
        let len = self.text.len();
        if len < GIVE_AWAY || len < self.text.capacity() / 2 {
            return copy(&self.text, room);
        }
        self.usual = len + room;
        std::mem::take(&mut self.text)
    }

    /// Whether the buffers are larger than most events need.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.text.capacity() + self.fresh.capacity() > KEEP
    }

    /// Releases large buffers.
    pub(super) fn release(&mut self) {
        if self.is_large() {
            self.usual = self.text.len();
            (self.text, self.fresh) = (String::new(), Vec::new());
        }
    }
}

/// Appends bytes that are not UTF-8 to the text, repaired.
#[cold]
fn repair(text: &mut String, fresh: &[u8]) {
    let mut all = std::mem::take(text).into_bytes();
    all.extend_from_slice(fresh);
    *text = String::from_utf8_lossy(&all).into_owned();
}

fn copy(text: &str, room: usize) -> String {
    let mut copy = String::with_capacity(text.len() + room);
    copy.push_str(text);
    copy
}

/// The number of bytes at the end that may be the beginning of an incomplete character.
fn cut_len(piece: &[u8]) -> usize {
    for (len, byte) in (1..=3).zip(piece.iter().rev()) {
        let whole = match byte {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if len < whole { len } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large and small pieces, of text and of bytes that are not UTF-8, cut anywhere.
    #[test]
    fn text_in_pieces_is_the_text() {
        let parts: [&[u8]; 12] = [
            b"a",
            b"\n",
            "\u{e4}".as_bytes(),
            "\u{65e5}".as_bytes(),
            "\u{1f980}".as_bytes(),
            b"\x80",
            b"\xE0\x80",
            b"\xE6\x97",
            b"\xF0\x9F\xA6",
            b"\xF4\x90",
            b"\xED\xA0\x80",
            b"\xFF",
        ];
        let mut seed = 7_u64;
        let mut below = |end: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % end
        };
        let mut buffer = DataBuffer::default();
        let rounds = if cfg!(miri) { 20 } else { 3_000 };
        for round in 0..rounds {
            let mut data = Vec::new();
            for _ in 0..below(12) {
                let part = match below(3) {
                    0 => b"x",
                    _ => parts[below(parts.len())],
                };
                data.extend(part.iter().cycle().take(below(2 * LARGE)));
            }
            buffer.begin();
            let mut rest = &data[..];
            while !rest.is_empty() {
                let most = if below(3) == 0 { 3 } else { 3 * LARGE };
                let (piece, after) = rest.split_at(rest.len().min(1 + below(most)));
                buffer.push(piece);
                rest = after;
            }
            let wanted = String::from_utf8_lossy(&data);
            match round % 2 {
                0 => assert_eq!(buffer.finish(&mut Detour::None), wanted),
                _ => assert_eq!(buffer.take(7), wanted),
            }
        }
    }
}
