//! Searching for the line feeds of text with several lines.

use memchr::memchr;

/// The number of bytes that are searched here at once. A multiple of 16.
const NEAR: usize = 256;
/// With fewer line feeds in them, lines are long.
const MANY: usize = 3;
/// The number of long lines that `memchr` finds before as many bytes are searched here again.
const LONG: usize = 16;

/// Calls the closure with the position of each LF.
///
/// A call of `memchr` for each line costs more than its search of a short line. Longer lines are
/// left to `memchr`, whose instructions are wider than the compiler may use here.
/// `benches/encode`, "64 lines", `Block::write`: 438 ns, and 562 with `memchr_iter`.
#[inline(always)]
pub(super) fn line_feeds(text: &[u8], mut each: impl FnMut(usize)) {
    let mut start = 0;
    while start < text.len() {
        let near = &text[start..text.len().min(start + NEAR)];
        let mut found = 0;
        near_line_feeds(near, |at| {
            found += 1;
            each(start + at);
        });
        start += near.len();
        if found < MANY {
            for _ in 0..LONG {
                let Some(at) = memchr(b'\n', &text[start..]) else {
                    return;
                };
                each(start + at);
                start += at + 1;
            }
        }
    }
}

#[inline(always)]
fn near_line_feeds(text: &[u8], mut each: impl FnMut(usize)) {
    let mut at = 0;
    while let Some(chunk) = text[at..].first_chunk::<16>() {
        // One comparison of sixteen bytes, which most have none of. Not `any`, which would be sixteen.
        if chunk.iter().fold(false, |any, b| any | (*b == b'\n')) {
            let (low, high) = chunk.split_at(8);
            for (start, word) in [(at, low), (at + 8, high)] {
                let mut marks = marks(word);
                while marks != 0 {
                    each(start + marks.trailing_zeros() as usize / 8);
                    marks &= marks - 1;
                }
            }
        }
        at += 16;
    }
    for (i, b) in text[at..].iter().enumerate() {
        if *b == b'\n' {
            each(at + i);
        }
    }
}

/// Eight bytes, with the highest bit of each LF set, and no other.
#[inline(always)]
fn marks(word: &[u8]) -> u64 {
    const LANES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f * LANES;

    let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
    // Zero where the byte is an LF. Adding 0x7f carries into the highest bit everywhere else.
    let other = word ^ (LANES * u64::from(b'\n'));
    !(((other & LOW) + LOW) | other | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        line_feeds(text, |at| found.push(at));
        found
    }

    fn naive(text: &[u8]) -> Vec<usize> {
        (0..text.len()).filter(|at| text[*at] == b'\n').collect()
    }

    #[test]
    fn each_is_found_in_lines_of_any_length() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let rounds = if cfg!(miri) { 20 } else { 2_000 };
        for round in 0..rounds {
            let mut text = Vec::new();
            for _ in 0..random(40) {
                let longest = [1, 3, 20, 70, 300, 1_000][random(6)];
                // Neighbours of an LF, in value and with the highest bit.
                let filler = [0x09, 0x0b, 0x0d, 0x8a, 0xff, 0x00, b'x'][random(7)];
                text.resize(text.len() + random(longest), filler);
                text.push(if random(8) == 0 { 0x0b } else { b'\n' });
            }
            text.resize(text.len() + random(300), b'x');
            assert_eq!(found(&text), naive(&text), "round {round}");
        }
    }

    #[test]
    fn one_is_found_at_any_position() {
        for len in [1, 15, 16, 17, NEAR - 1, NEAR, NEAR + 1, 3 * NEAR] {
            assert!(found(&vec![b'x'; len]).is_empty());
            for at in 0..len {
                let mut text = vec![0x0b; len];
                text[at] = b'\n';
                assert_eq!(found(&text), [at], "{len}");
            }
            let all: Vec<usize> = (0..len).collect();
            assert_eq!(found(&vec![b'\n'; len]), all);
        }
    }
}
