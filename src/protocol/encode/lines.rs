use std::fmt;

use super::line_feeds::line_feeds;

/// The field name of a data line.
pub(super) const DATA: &[u8; 6] = b"data: ";
/// Ends the data line and the block.
pub(super) const END: &[u8] = b"\n\n";
/// The prefix of a comment line.
pub(super) const COMMENT: &[u8; 2] = b": ";

/// Appends the text as lines with this prefix. CR, LF and CRLF each end a line.
pub(super) fn push_lines<const N: usize>(out: &mut Vec<u8>, prefix: &[u8; N], text: &Measured<'_>) {
    out.extend_from_slice(prefix);
    let Measured {
        text,
        has_cr,
        breaks,
        known,
        ..
    } = text;
    // Searching for one byte is faster than for either of two, and an LF is copied with its line.
    let rest = if !has_cr {
        let mut start = 0;
        let mut push = |end: usize| {
            out.extend_from_slice(&text[start..=end]);
            out.extend_from_slice(prefix);
            start = end + 1;
        };
        known[..KNOWN.min(*breaks)]
            .iter()
            .for_each(|end| push(*end));
        if *breaks > KNOWN {
            let after = known[KNOWN - 1] + 1;
            line_feeds(&text[after..], |end| push(after + end));
        }
        &text[start..]
    } else {
        push_ended(out, prefix, text, |rest| {
            memchr::memchr2(b'\r', b'\n', rest)
        })
    };
    out.extend_from_slice(rest);
    out.push(b'\n');
}

/// Appends all lines but the last, each followed by the prefix of the next, and returns the last
/// one. The closure finds the first CR or LF.
#[inline(always)]
fn push_ended<'a, const N: usize>(
    out: &mut Vec<u8>,
    prefix: &[u8; N],
    mut rest: &'a [u8],
    find: impl Fn(&[u8]) -> Option<usize>,
) -> &'a [u8] {
    while let Some(end) = find(rest) {
        out.extend_from_slice(&rest[..end]);
        out.push(b'\n');
        out.extend_from_slice(prefix);
        rest = rest[end..]
            .strip_prefix(b"\r\n")
            .unwrap_or(&rest[end + 1..]);
    }
    rest
}

/// Text that is short enough to be looked at byte by byte, such as a word of a language model that ends
/// a line. `benches/encode`, "line breaks", `Event` of a `String`: 31 ns, and 50 as [`Measured`].
pub(super) struct Short<'a>(&'a [u8]);

impl<'a> Short<'a> {
    #[inline]
    pub(super) fn new(text: &'a [u8]) -> Option<Self> {
        (text.len() <= 32).then_some(Self(text))
    }

    /// The number of bytes it takes as data lines.
    #[inline]
    pub(super) fn len(&self) -> usize {
        let mut len = DATA.len() + self.0.len() + 1;
        let mut before = 0;
        for b in self.0 {
            len = match b {
                b'\n' if before == b'\r' => len - 1,
                b'\n' | b'\r' => len + DATA.len(),
                _ => len,
            };
            before = *b;
        }
        len
    }

    /// Appends it as [`push_lines`] does.
    #[inline]
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(DATA);
        let rest = push_ended(out, DATA, self.0, |rest| {
            rest.iter().position(|b| matches!(b, b'\n' | b'\r'))
        });
        out.extend_from_slice(rest);
        out.push(b'\n');
    }
}

/// Appends the closure's output as data lines and the end of the block, or nothing if it fails.
///
/// The closure writes straight into the buffer, which is searched for line breaks afterwards, unless
/// the closure knows that there are none: serializers write a few bytes at a time, and rarely a line
/// break.
#[inline]
pub(super) fn write_data<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<Breaks, E>,
) -> Result<(), E> {
    let line = out.len();
    out.extend_from_slice(DATA);
    let start = out.len();
    match write(out) {
        Err(error) => {
            out.truncate(line);
            return Err(error);
        }
        Ok(Breaks::Unknown) if has_break(&out[start..]) => divide(out, line),
        Ok(_) => out.extend_from_slice(END),
    }
    Ok(())
}

/// Whether text that was written has line breaks.
pub(super) enum Breaks {
    #[cfg(feature = "json")]
    None,
    Unknown,
}

/// Turns the data line that begins here into several, and ends the block.
// Compiled where it is called, so that `push_lines` has one caller in this crate and is inlined
// there. `benches/encode`, "64 lines", `Block::write`: 570 ns, and 610 otherwise.
#[inline]
#[cold]
fn divide(out: &mut Vec<u8>, line: usize) {
    let text = out.split_off(line + DATA.len());
    out.truncate(line);
    push_lines(out, DATA, &Measured::new(&text));
    out.push(b'\n');
}

/// Receives the output of a `Display`.
pub(super) struct Display<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Display<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The length in bytes from which text is searched by a call.
pub(super) const LONG: usize = 1024;

/// Whether the text has more than one line.
#[inline]
pub(super) fn has_break(text: &[u8]) -> bool {
    // To look for any small byte takes half as long as to look for two bytes, and text of one line
    // rarely has one: only tabs are common.
    may_have_break(text) && memchr::memchr2(b'\r', b'\n', text).is_some()
}

/// Whether the text has a byte as small as a line break, or is long.
#[inline]
fn may_have_break(text: &[u8]) -> bool {
    match text.len() {
        0..8 => text.iter().any(|b| is_small(*b)),
        8..16 => has_small_by::<8>(text),
        16..32 => has_small_by::<16>(text),
        32..LONG => has_small_by::<32>(text),
        // A search for two bytes uses wider instructions than the compiler may, and ends at the
        // first line.
        _ => true,
    }
}

/// Takes the smallest of `N` bytes at a time in independent lanes, which the compiler turns into
/// vector instructions, and then the last `N` bytes, which may overlap, so that no loop over a
/// remainder is needed.
#[inline]
fn has_small_by<const N: usize>(text: &[u8]) -> bool {
    let mut smallest = [u8::MAX; N];
    let mut look = |chunk: &[u8]| {
        for (smallest, b) in smallest.iter_mut().zip(chunk) {
            *smallest = (*smallest).min(*b);
        }
    };
    text.last_chunk::<N>()
        .into_iter()
        .for_each(|last| look(last));
    text.chunks_exact(N).for_each(look);
    smallest.iter().fold(false, |any, b| any | is_small(*b))
}

/// Whether it is as small as a line break.
#[inline]
fn is_small(b: u8) -> bool {
    b <= b'\r'
}

/// Text of several lines, with the counts needed to reserve exactly the space it takes.
pub(super) struct Measured<'a> {
    text: &'a [u8],
    has_cr: bool,
    /// The number of CRLFs, which take two bytes and make one break.
    pairs: usize,
    breaks: usize,
    /// The positions of the first LFs, which are found only once instead of being counted first.
    /// `benches/encode`, "64 lines", `Block::write`: 550 ns, and 575 otherwise.
    known: [usize; KNOWN],
}

const KNOWN: usize = 64;

impl<'a> Measured<'a> {
    #[inline]
    pub(super) fn new(text: &'a [u8]) -> Self {
        let mut known = [0; KNOWN];
        let mut lf = 0;
        line_feeds(text, |at| {
            if let Some(known) = known.get_mut(lf) {
                *known = at;
            }
            lf += 1;
        });
        // Most text has no CR, and checking that is faster than counting.
        let cr = match memchr::memchr(b'\r', text) {
            None => 0,
            Some(first) => memchr::memchr_iter(b'\r', &text[first..]).count(),
        };
        let pairs = match (lf, cr) {
            (0, _) | (_, 0) => 0,
            _ => memchr::memchr_iter(b'\r', text)
                .filter(|at| text.get(at + 1) == Some(&b'\n'))
                .count(),
        };
        Self {
            text,
            has_cr: cr > 0,
            pairs,
            breaks: lf + cr - pairs,
            known,
        }
    }

    /// The number of bytes it takes as lines with this prefix.
    pub(super) fn len<const N: usize>(&self, prefix: &[u8; N]) -> usize {
        self.text.len() - self.pairs + self.breaks * prefix.len() + prefix.len() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> String {
        let mut out = Vec::new();
        let measured = Measured::new(text.as_bytes());
        push_lines(&mut out, DATA, &measured);
        assert_eq!(out.len(), measured.len(DATA), "{text:?}");
        if let Some(short) = Short::new(text.as_bytes()) {
            let mut pushed = Vec::new();
            short.push(&mut pushed);
            assert_eq!(pushed, out, "{text:?}");
            assert_eq!(pushed.len(), short.len(), "{text:?}");
        }

        let mut written = Vec::new();
        write_data(&mut written, |out| {
            out.extend_from_slice(text.as_bytes());
            Ok::<_, ()>(Breaks::Unknown)
        })
        .unwrap();
        assert_eq!(written, [&out[..], b"\n"].concat(), "{text:?}");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_kind_of_break_ends_one_line() {
        for (text, expected) in [
            ("", "data: \n"),
            ("a", "data: a\n"),
            ("\r", "data: \ndata: \n"),
            ("a\nb\n\n", "data: a\ndata: b\ndata: \ndata: \n"),
            ("a\nb\rc\r\nd", "data: a\ndata: b\ndata: c\ndata: d\n"),
            ("\r\r\n\n", "data: \ndata: \ndata: \ndata: \n"),
        ] {
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn there_may_be_any_number_of_lines() {
        for breaks in [1, KNOWN - 1, KNOWN, KNOWN + 1, KNOWN + 2, 3 * KNOWN] {
            for (line_break, line) in [("\n", "data: x\n"), ("\r\n", "data: x\n")] {
                let text = format!("x{line_break}").repeat(breaks);
                assert_eq!(lines(&text), line.repeat(breaks) + "data: \n");
            }
        }
    }

    #[test]
    fn short_text_is_divided_as_long_text_is() {
        for len in 0..8 {
            for which in 0..4_u32.pow(len) {
                let bytes = (0..len).map(|at| b"a\r\nb"[(which >> (2 * at) & 3) as usize]);
                let text = String::from_utf8(bytes.collect()).unwrap();
                // Both in `lines`.
                let divided = lines(&text);
                let padded = lines(&format!("{}{text}", "x".repeat(40)));
                let expected = format!("data: {}{}", "x".repeat(40), &divided[DATA.len()..]);
                assert_eq!(padded, expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_break_is_found_wherever_it_is() {
        for len in [1, 7, 8, 9, 15, 16, 17, 40, 255, 256, 257, 1000] {
            let text = "x".repeat(len);
            assert!(!has_break(text.as_bytes()), "{len}");
            assert_eq!(lines(&text), format!("data: {text}\n"));
            for at in 0..len {
                for b in [b'\r', b'\n'] {
                    let mut text = text.clone().into_bytes();
                    text[at] = b;
                    assert!(has_break(&text), "{at} of {len}");
                }
            }
        }
    }

    #[test]
    fn a_writer_that_fails_leaves_nothing() {
        let mut out = b"before".to_vec();
        let failed = write_data(&mut out, |out| {
            out.extend_from_slice(b"half");
            Err::<Breaks, _>(())
        });
        assert!(failed.is_err());
        assert_eq!(out, b"before");
    }
}
