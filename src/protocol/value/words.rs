/// Up to `8 * W - 1` bytes of text, as words that are built and read in registers.
///
/// A `memcpy` stores bytes in other portions than the next move loads, and the load then waits for
/// the stores. `benches/encode`, "typical", `Event` of a `String`: 39 ns, and 47 with one `memcpy`
/// into the ID and one out of it.
#[derive(Clone, Copy)]
#[repr(align(8))]
pub(in crate::protocol) struct Words<const W: usize>([[u8; 8]; W]);

impl<const W: usize> Words<W> {
    /// The maximum length of the text. The last byte is its length.
    pub(in crate::protocol) const MAX_LEN: usize = 8 * W - 1;

    /// Stores the text, if it is not too long.
    #[inline(always)]
    pub(super) fn new(text: &[u8]) -> Option<Self> {
        if text.len() > Self::MAX_LEN {
            return None;
        }
        Some(Self::with_len(Self::words(text), text.len()))
    }

    /// Stores text of up to sixteen bytes, and of no more than `MAX_LEN`, in registers.
    #[inline]
    pub(in crate::protocol) fn short(text: &[u8]) -> Self {
        Self::of_sixteen(sixteen(text), text.len())
    }

    /// The first `len` of these bytes, the first in the lowest place, with zeros after them.
    #[inline(always)]
    pub(super) fn of_sixteen(bytes: u128, len: usize) -> Self {
        let mut words = [0; W];
        (words[0], words[1]) = halves(bytes);
        Self::with_len(words, len)
    }

    /// Like [`of_sixteen`](Self::of_sixteen), for up to 48 bytes. Bytes that do not fit must be zero.
    #[inline(always)]
    pub(super) fn of_sixteens(parts: [u128; 3], len: usize) -> Self {
        let mut words = [0; W];
        let parts = parts
            .into_iter()
            .flat_map(|part| <[u64; 2]>::from(halves(part)));
        for (word, part) in words.iter_mut().zip(parts) {
            *word = part;
        }
        Self::with_len(words, len)
    }

    // Out of line, so that what builds an event is small enough to be inlined.
    #[inline(never)]
    fn words(text: &[u8]) -> [u64; W] {
        let mut words = [0; W];
        for (pair, text) in words.chunks_mut(2).zip(text.chunks(16)) {
            let (low, high) = halves(sixteen(text));
            pair[0] = low;
            if let Some(second) = pair.get_mut(1) {
                *second = high;
            }
        }
        words
    }

    #[inline(always)]
    fn with_len(mut words: [u64; W], len: usize) -> Self {
        words[W - 1] |= (len as u64) << 56;
        Self(words.map(u64::to_le_bytes))
    }

    #[inline(always)]
    pub(in crate::protocol) fn len(&self) -> usize {
        // Not the byte alone, which would divide the word into smaller parts.
        (u64::from_le_bytes(self.0[W - 1]) >> 56) as usize
    }

    #[inline]
    pub(in crate::protocol) fn as_bytes(&self) -> &[u8] {
        &self.0.as_flattened()[..self.len()]
    }

    /// Appends the text. Up to seven bytes are temporarily written after it, which an exact
    /// reservation for more than the text has room for.
    #[inline(always)]
    pub(in crate::protocol) fn push(&self, out: &mut Vec<u8>) {
        let len = self.len();
        let end = out.len() + len;
        for (i, word) in self.0.iter().enumerate() {
            if 8 * i >= len {
                break;
            }
            out.extend_from_slice(word);
        }
        out.truncate(end);
    }
}

#[inline(always)]
pub(super) fn halves(all: u128) -> (u64, u64) {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = all as u64;
    let high = (all >> 64) as u64;
    (low, high)
}

/// The first sixteen bytes, with zeros after the end of the text.
#[inline]
pub(super) fn sixteen(text: &[u8]) -> u128 {
    if let Some(all) = text.first_chunk::<16>() {
        return u128::from_le_bytes(*all);
    }
    // The first bytes and the last bytes, which agree where they overlap.
    let bits = 8 * text.len();
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        let last = u128::from(u64::from_le_bytes(*last)) << (bits - 64);
        return u128::from(u64::from_le_bytes(*first)) | last;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let last = u128::from(u32::from_le_bytes(*last)) << (bits - 32);
        return u128::from(u32::from_le_bytes(*first)) | last;
    }
    text.iter()
        .rev()
        .fold(0, |all, b| (all << 8) | u128::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const W: usize>() {
        for len in 0..8 * W {
            let text: Vec<u8> = (1..).take(len).collect();
            let words = Words::<W>::new(&text).unwrap();
            assert_eq!(words.len(), len);
            assert_eq!(words.as_bytes(), text);
            assert!(
                words.0.as_flattened()[len..8 * W - 1]
                    .iter()
                    .all(|b| *b == 0)
            );

            let mut out = b"before".to_vec();
            words.push(&mut out);
            assert_eq!(out, [b"before", &text[..]].concat());
        }
        assert!(Words::<W>::new(&vec![b'x'; 8 * W]).is_none());
    }

    #[test]
    fn keep_text_of_every_length() {
        check::<2>();
        check::<3>();
        check::<4>();
        check::<5>();
    }

    #[test]
    fn need_no_more_room_than_seven_bytes() {
        for len in 0..40 {
            let text = vec![b'x'; len];
            let words = Words::<5>::new(&text).unwrap();
            let mut out = Vec::with_capacity(len + 7);
            let capacity = out.capacity();
            words.push(&mut out);
            assert_eq!(out.capacity(), capacity);
        }
    }
}
