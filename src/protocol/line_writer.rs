use std::fmt;
use std::io;

/// The field name of a data line.
pub(super) const DATA: &[u8] = b"data: ";
/// What a comment line begins with.
pub(super) const COMMENT: &[u8] = b": ";

/// Writes text as lines that all begin with the same prefix, in pieces of any size.
///
/// CR, LF and CRLF each end one line, also when the pair is split over two pieces.
pub(super) struct LineWriter<'a> {
    out: &'a mut Vec<u8>,
    prefix: &'static [u8],
    after_cr: bool,
}

impl<'a> LineWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, prefix: &'static [u8]) -> Self {
        out.extend_from_slice(prefix);
        Self {
            out,
            prefix,
            after_cr: false,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, mut text: &[u8]) {
        if self.after_cr && !text.is_empty() {
            self.after_cr = false;
            text = text.strip_prefix(b"\n").unwrap_or(text);
        }
        while let Some(end) = find_break(text) {
            self.out.extend_from_slice(&text[..end]);
            self.out.push(b'\n');
            self.out.extend_from_slice(self.prefix);
            let rest = &text[end + 1..];
            text = match (text[end], rest.first()) {
                (b'\r', Some(b'\n')) => &rest[1..],
                (b'\r', None) => {
                    self.after_cr = true;
                    rest
                }
                _ => rest,
            };
        }
        self.out.extend_from_slice(text);
    }

    /// Ends the last line.
    pub(super) fn finish(self) {
        self.out.push(b'\n');
    }
}

impl fmt::Write for LineWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

impl io::Write for LineWriter<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.push(text);
        Ok(text.len())
    }

    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        self.push(text);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the first CR or LF stands.
#[inline]
fn find_break(text: &[u8]) -> Option<usize> {
    // Serialisers write a few bytes at a time; a call into memchr costs more than the look.
    if text.len() < 16 {
        text.iter().position(|b| matches!(b, b'\r' | b'\n'))
    } else {
        memchr::memchr2(b'\r', b'\n', text)
    }
}

/// How many line breaks the text has, and how many bytes they take.
#[inline]
pub(super) fn count_breaks(text: &[u8]) -> (usize, usize) {
    // Short text is looked at by a loop that the compiler turns into vector instructions; long text
    // by memchr, which uses wider ones and stops at the first break.
    let first = if text.len() <= 1024 {
        if !has_break(text) {
            return (0, 0);
        }
        0
    } else {
        match memchr::memchr2(b'\r', b'\n', text) {
            None => return (0, 0),
            Some(first) => first,
        }
    };
    count_from(&text[first..])
}

#[inline]
fn has_break(text: &[u8]) -> bool {
    let mut found = false;
    for chunk in text.chunks(64) {
        found |= chunk
            .iter()
            .fold(false, |found, b| found | (*b == b'\n') | (*b == b'\r'));
    }
    found
}

fn count_from(text: &[u8]) -> (usize, usize) {
    let bytes = text.iter().filter(|b| matches!(**b, b'\r' | b'\n')).count();
    let pairs = memchr::memchr_iter(b'\r', text).filter(|at| text.get(at + 1) == Some(&b'\n'));
    (bytes - pairs.count(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> String {
        let mut out = Vec::new();
        let mut writer = LineWriter::new(&mut out, DATA);
        for piece in pieces {
            writer.push(piece.as_bytes());
        }
        writer.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_kind_of_break_ends_one_line() {
        assert_eq!(
            lines(&["a\nb\rc\r\nd"]),
            "data: a\ndata: b\ndata: c\ndata: d\n"
        );
        assert_eq!(lines(&["\r\r\n\n"]), "data: \ndata: \ndata: \ndata: \n");
    }

    #[test]
    fn a_pair_may_be_split_over_pieces() {
        assert_eq!(lines(&["a\r", "", "\nb"]), "data: a\ndata: b\n");
        assert_eq!(lines(&["a\r", "b"]), "data: a\ndata: b\n");
        assert_eq!(lines(&["a\r", "\n\nb"]), "data: a\ndata: \ndata: b\n");
    }

    #[test]
    fn breaks_are_counted_in_short_and_long_text() {
        for pad in [0, 15, 63, 64, 1_024, 5_000] {
            let pad = "x".repeat(pad);
            assert_eq!(count_breaks(pad.as_bytes()), (0, 0));
            let text = format!("{pad}a\nb\rc\r\n\r{pad}\r");
            assert_eq!(count_breaks(text.as_bytes()), (5, 6), "{text:?}");
        }
    }
}
