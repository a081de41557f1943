/// Tracks where a comment may be inserted into an event stream made elsewhere.
///
/// That is only after a line feed: not inside a line, not after a CR, whose LF may follow, and not
/// before the first line, because a byte order mark is only valid at the very start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Boundary {
    /// The last bytes that passed, newest last.
    tail: [u8; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing may be inserted.
    Inside,
    /// Between two lines of an event: a comment line without an empty line.
    Line,
    /// Between two events: anything.
    Event,
}

impl Boundary {
    /// Records that these bytes have passed.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        let last = &bytes[bytes.len().saturating_sub(self.tail.len())..];
        self.tail.rotate_left(last.len());
        let from = self.tail.len() - last.len();
        self.tail[from..].copy_from_slice(last);
    }

    /// What may be inserted after the bytes that have passed.
    pub(crate) fn place(self) -> Place {
        match self.tail {
            [_, b'\n', b'\n'] | [b'\n' | b'\r', b'\r', b'\n'] => Place::Event,
            [_, _, b'\n'] => Place::Line,
            _ => Place::Inside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(stream: &str) -> Place {
        let mut whole = Boundary::default();
        whole.pass(stream.as_bytes());
        for cut in 0..=stream.len() {
            let mut cut_up = Boundary::default();
            let (a, b) = stream.as_bytes().split_at(cut);
            cut_up.pass(a);
            cut_up.pass(b);
            assert_eq!(cut_up.place(), whole.place(), "{stream:?} cut at {cut}");
        }
        whole.place()
    }

    #[test]
    fn only_after_a_line_feed() {
        for stream in [
            "",
            "\u{feff}",
            "d",
            "data: x",
            "data: x\r",
            "data: x\n\r",
            "\r\n\r",
            "\r\r",
        ] {
            assert_eq!(place(stream), Place::Inside, "{stream:?}");
        }
        for stream in [
            "data: x\n",
            "data: x\r\n",
            "\n",
            "\r\n",
            "data: x\n\ndata: y\n",
        ] {
            assert_eq!(place(stream), Place::Line, "{stream:?}");
        }
        for stream in [
            "data: x\n\n",
            "data: x\r\n\r\n",
            "data: x\r\r\n",
            "x\r\n\n",
            "x\n\r\n",
        ] {
            assert_eq!(place(stream), Place::Event, "{stream:?}");
        }
    }
}
