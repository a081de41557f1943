use std::fmt;

/// The field name of a data line.
pub(super) const DATA: &[u8] = b"data: ";
/// Ends the data line and the block.
pub(super) const END: &[u8] = b"\n\n";
/// What a comment line begins with.
pub(super) const COMMENT: &[u8] = b": ";

/// Appends the text as lines with this prefix: CR, LF and CRLF each end one.
pub(super) fn push_lines(out: &mut Vec<u8>, prefix: &'static [u8], text: &Measured<'_>) {
    out.extend_from_slice(prefix);
    let Measured { text, has_cr, .. } = *text;
    // One byte is found faster than either of two, and an LF is copied with its line.
    let rest = if !has_cr {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            out.extend_from_slice(&text[start..=end]);
            out.extend_from_slice(prefix);
            start = end + 1;
        }
        &text[start..]
    } else {
        let mut rest = text;
        while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
            out.extend_from_slice(&rest[..end]);
            out.push(b'\n');
            out.extend_from_slice(prefix);
            rest = rest[end..]
                .strip_prefix(b"\r\n")
                .unwrap_or(&rest[end + 1..]);
        }
        rest
    };
    out.extend_from_slice(rest);
    out.push(b'\n');
}

/// Appends what the closure writes as data lines and the end of the block, or nothing if it fails.
///
/// It writes straight into the buffer, and the line breaks are looked for when all is there:
/// serialisers write a few bytes at a time, and hardly any of them writes a line break.
#[inline]
pub(super) fn write_data<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let line = out.len();
    out.extend_from_slice(DATA);
    let start = out.len();
    if let Err(error) = write(out) {
        out.truncate(line);
        return Err(error);
    }
    if has_break(&out[start..]) {
        let text = out.split_off(start);
        out.truncate(line);
        push_lines(out, DATA, &Measured::new(&text));
        out.push(b'\n');
    } else {
        out.extend_from_slice(END);
    }
    Ok(())
}

/// Takes what a value displays.
pub(super) struct Display<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Display<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Whether the text has more than one line.
#[inline]
pub(super) fn has_break(text: &[u8]) -> bool {
    match text.len() {
        0..8 => text.iter().any(|b| is_break(*b)),
        8..16 => has_break_by::<8>(text),
        16..256 => has_break_by::<16>(text),
        // Uses wider instructions than the compiler may, which is worth the call by now.
        _ => memchr::memchr2(b'\r', b'\n', text).is_some(),
    }
}

/// Looks at `N` bytes at a time in lanes that never meet, which the compiler turns into vector
/// instructions, and at the last `N` bytes whatever their place: there is no loop over a remainder.
#[inline]
fn has_break_by<const N: usize>(text: &[u8]) -> bool {
    let mut found = [0; N];
    let mut look = |chunk: &[u8]| {
        for (found, b) in found.iter_mut().zip(chunk) {
            *found |= u8::from(is_break(*b));
        }
    };
    text.last_chunk::<N>()
        .into_iter()
        .for_each(|last| look(last));
    text.chunks_exact(N).for_each(look);
    found != [0; N]
}

#[inline]
fn is_break(b: u8) -> bool {
    (b == b'\n') | (b == b'\r')
}

/// Text of several lines, with what has to be known to reserve exactly what it takes.
#[derive(Clone, Copy)]
pub(super) struct Measured<'a> {
    text: &'a [u8],
    has_cr: bool,
    /// CRLF, which takes two bytes and makes one break.
    pairs: usize,
    breaks: usize,
}

impl<'a> Measured<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        // memchr counts one byte much faster than it finds either of two.
        let lf = memchr::memchr_iter(b'\n', text).count();
        let cr = memchr::memchr_iter(b'\r', text).count();
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
        }
    }

    /// How many bytes it takes as lines with this prefix.
    pub(super) fn len(&self, prefix: &[u8]) -> usize {
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

        let mut written = Vec::new();
        write_data(&mut written, |out| {
            out.extend_from_slice(text.as_bytes());
            Ok::<_, ()>(())
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
            Err(())
        });
        assert!(failed.is_err());
        assert_eq!(out, b"before");
    }
}
