//! Finding where lines begin and end: [9.2.5]'s `end-of-line` and byte order mark, across any
//! chunks.
//!
//! [9.2.5]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// State of the last chunk that affects the start of the next one.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamStart {
    /// The number of bytes of a byte order mark seen so far; its full length also if there is none.
    bom: usize,
    /// Whether a CR has ended a line. An LF right after it is not a second end.
    after_cr: bool,
}

/// The result of [`StreamStart::skip`]: whether a line begins after the skipped bytes.
pub(super) enum Skipped {
    All,
    /// These bytes looked like the beginning of a byte order mark but belong to the line.
    FalseBom(&'static [u8]),
}

impl StreamStart {
    /// Whether a line begins at the current position.
    #[inline]
    pub(super) fn is_at_line(&self) -> bool {
        self.bom == BOM.len() && !self.after_cr
    }

    /// Whether a possible byte order mark has begun and is incomplete.
    pub(super) fn is_inside_bom(&self) -> bool {
        (1..BOM.len()).contains(&self.bom)
    }

    /// Skips bytes that do not belong to a line.
    #[inline]
    pub(super) fn skip(&mut self, chunk: &[u8], pos: &mut usize) -> Skipped {
        if self.bom < BOM.len() {
            return self.skip_bom(chunk, pos);
        }
        if self.after_cr {
            if let Some(first) = chunk.get(*pos) {
                self.after_cr = false;
                *pos += usize::from(*first == b'\n');
            }
        }
        Skipped::All
    }

    #[cold]
    fn skip_bom(&mut self, chunk: &[u8], pos: &mut usize) -> Skipped {
        while self.bom < BOM.len() {
            match chunk.get(*pos) {
                None => return Skipped::All,
                Some(byte) if *byte == BOM[self.bom] => {
                    self.bom += 1;
                    *pos += 1;
                }
                Some(_) => {
                    let seen = std::mem::replace(&mut self.bom, BOM.len());
                    return match seen {
                        0 => Skipped::All,
                        _ => Skipped::FalseBom(&BOM[..seen]),
                    };
                }
            }
        }
        Skipped::All
    }

    /// The position of the line after the one that ends at `end`, where there is a CR or LF.
    #[inline]
    pub(super) fn after(&mut self, chunk: &[u8], end: usize) -> usize {
        if chunk[end] == b'\n' {
            return end + 1;
        }
        match chunk.get(end + 1) {
            Some(b'\n') => end + 2,
            Some(_) => end + 1,
            None => {
                self.after_cr = true;
                end + 1
            }
        }
    }
}

/// The number of bytes that are searched before `memchr` is called.
pub(super) const NEAR: usize = 24;

/// The end of the line that contains the position `from`, if it ends in this chunk.
// 6 % fewer instructions for `typical`, lent, in benches/decode than with `inline`.
#[inline(always)]
pub(super) fn find_end(chunk: &[u8], from: usize) -> Option<usize> {
    let at = find_small(chunk, from)?;
    match chunk[at] {
        b'\n' | b'\r' => Some(at),
        _ => find_far_end(chunk, at),
    }
}

/// Like [`find_end`], but finds the first byte that is CR or smaller if it is one of the first
/// [`NEAR`] bytes.
///
/// Checks those itself, eight at a time: most lines end in them, and a call would cost more.
#[inline(always)]
pub(super) fn find_small(chunk: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..NEAR / 8 {
        let Some(word) = chunk.get(at..)?.first_chunk() else {
            return find_near_small(chunk, at);
        };
        let found = small(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    find_far_end(chunk, at)
}

/// Like [`find_small`], with less than eight bytes left in the chunk.
#[inline]
fn find_near_small(chunk: &[u8], from: usize) -> Option<usize> {
    let len = chunk.len() - from;
    match chunk.last_chunk() {
        // The last word of the chunk, with 0xFF instead of its bytes before `from`, at the other end.
        Some(last) if len > 0 => {
            let word = u64::from_le_bytes(*last) >> (64 - 8 * len);
            let found = small(word | u64::MAX << (8 * len));
            (found != 0).then(|| from + (found.trailing_zeros() / 8) as usize)
        }
        _ => {
            let small = |byte: &u8| *byte <= b'\r';
            chunk[from..].iter().position(small).map(|at| from + at)
        }
    }
}

/// Like [`find_end`], for lines that are usually long.
#[inline]
pub(super) fn find_far_end(chunk: &[u8], from: usize) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', chunk.get(from..)?).map(|at| from + at)
}

/// Sets the high bit of the first byte that is as small as CR or LF, and possibly of bytes after it.
///
/// One subtraction looks for both, and of the bytes that are as small only tabs are common.
#[inline]
fn small(word: u64) -> u64 {
    word.wrapping_sub(ONES * (b'\r' as u64 + 1)) & !word & HIGHS
}

/// Whether the value, which is usually short, contains a NUL.
// `contains` takes 100 of the 650 instructions of `typical, 16 KiB`, lent as bytes, in benches/decode.
#[inline]
pub(super) fn has_nul(value: &[u8]) -> bool {
    match (value.first_chunk(), value.last_chunk()) {
        // The two words overlap, or meet.
        (Some(first), Some(last)) if value.len() <= 16 => {
            zeros(u64::from_le_bytes(*first)) | zeros(u64::from_le_bytes(*last)) != 0
        }
        (None, _) => value.contains(&0),
        _ => memchr::memchr(0, value).is_some(),
    }
}

/// Sets the high bit of the first byte that is zero, and possibly of bytes after it.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_wherever_they_are() {
        // Bytes that differ from CR and LF in one bit, or by one, or follow them.
        let filler = [
            0x00, 0x08, 0x09, 0x0B, 0x0C, 0x0E, 0x1A, 0x4A, 0x8A, 0x8D, 0xFF, b'x',
        ];
        // Miri is slow.
        let step = if cfg!(miri) { 13 } else { 1 };
        for len in (0..80).step_by(step) {
            for fill in filler {
                let mut line = vec![fill; len];
                assert_eq!(find_end(&line, 0), None);
                for end in [b'\n', b'\r'] {
                    line.push(end);
                    for after in [fill, b'\n', b'\r', 0x0B] {
                        line.resize(len + 9, after);
                        for from in (0..=len).step_by(step) {
                            assert_eq!(find_end(&line, from), Some(len));
                        }
                        line.truncate(len + 1);
                    }
                    line.pop();
                }
            }
        }
    }

    #[test]
    fn small_bytes_are_found_only_nearby() {
        let naive = |line: &[u8], from: usize| {
            let small = |at: &usize| line[*at] <= b'\r' && *at < from + NEAR;
            let near = (from..line.len()).find(small);
            near.or_else(|| (from..line.len()).find(|at| matches!(line[*at], b'\n' | b'\r')))
        };
        let step = if cfg!(miri) { 7 } else { 1 };
        for len in (0..2 * NEAR + 9).step_by(step) {
            for small in [0x00, b'\t', b'\n', 0x0B, b'\r'] {
                for at in (0..len).step_by(step) {
                    for filler in [0x0E, 0x80, 0x8A, 0xFF] {
                        let mut line = vec![filler; len];
                        line[at] = small;
                        line[len - 1] = b'\n';
                        for from in (0..len).step_by(5) {
                            let found = find_small(&line, from);
                            assert_eq!(found, naive(&line, from), "{small} at {at}, from {from}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_nul_is_found_wherever_it_is() {
        for len in 0..40 {
            let mut value = vec![0x80; len];
            assert!(!has_nul(&value));
            for at in 0..len {
                value[at] = 0;
                assert!(has_nul(&value), "{at} of {len}");
                value[at] = 0x01;
                assert!(!has_nul(&value), "{at} of {len}");
            }
        }
    }
}
