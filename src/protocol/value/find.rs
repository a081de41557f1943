//! Searching for the few bytes that text must not contain.

const LANES: u64 = 0x0101_0101_0101_0101;

/// The position of the first of these bytes.
///
/// Searches eight bytes at a time, because nearly all text has none. `benches/body.rs`, "ready",
/// writer form: 18.5 ns per event, and 20.3 byte by byte; `Block::write` with a UUID for an ID:
/// 26.7 and 35.7.
#[inline]
pub(super) const fn find<const N: usize>(bytes: [u8; N], text: &[u8]) -> Option<usize> {
    let end = largest(&bytes) as u64 + 1;
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        if has_below(end, u64::from_le_bytes(*word)) {
            return first(&bytes, text);
        }
        rest = after;
    }
    // The last eight bytes, which may overlap the previous ones, so that no loop over a remainder
    // is needed.
    if let (false, Some(word)) = (rest.is_empty(), text.last_chunk::<8>()) {
        return if has_below(end, u64::from_le_bytes(*word)) {
            first(&bytes, text)
        } else {
            None
        };
    }
    first(&bytes, rest)
}

/// Whether one of the eight bytes is below `end`, which is at most 128: one subtraction for all that
/// is looked for.
#[inline]
pub(super) const fn has_below(end: u64, word: u64) -> bool {
    // The lowest such byte borrows, and no byte before it does.
    word.wrapping_sub(LANES * end) & !word & (LANES << 7) != 0
}

#[inline]
const fn largest(bytes: &[u8]) -> u8 {
    let mut largest = 0;
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] > largest {
            largest = bytes[i];
        }
        i += 1;
    }
    largest
}

/// Like [`find`], byte by byte.
#[inline]
const fn first(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let mut i = 0;
        while i < bytes.len() {
            if text[at] == bytes[i] {
                return Some(at);
            }
            i += 1;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_search_byte_by_byte() {
        const BYTES: [u8; 3] = [b'\0', b'\r', b'\n'];
        // Miri is slow.
        let step = if cfg!(miri) { 13 } else { 1 };
        for len in (0..40).step_by(step) {
            // Neighbours of what is looked for, in value and with the highest bit.
            for filler in [0x01, 0x09, 0x0b, 0x0c, 0x0e, 0x80, 0x8a, 0x8d, 0xff, b'x'] {
                let text = vec![filler; len];
                assert_eq!(find(BYTES, &text), None, "{filler:#x}, {len}");
                for at in 0..len {
                    for byte in (0..=u8::MAX).step_by(step) {
                        let mut text = text.clone();
                        text[at] = byte;
                        let expected = BYTES.contains(&byte).then_some(at);
                        assert_eq!(find(BYTES, &text), expected, "{byte:#x} at {at} of {len}");
                    }
                    let mut text = text.clone();
                    text[at..].fill(b'\n');
                    assert_eq!(find(BYTES, &text), Some(at));
                }
            }
        }
    }
}
