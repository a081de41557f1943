use std::fmt;

use super::data::Data;
use super::lines::{DATA, END};

/// An event's data written line by line, for formats that give each line a meaning, such as
/// Datastar's.
///
/// [`line`](Self::line) adds a complete line. Text written through [`fmt::Write`] continues the
/// last line, and each CR, LF or CRLF ends one, so `writeln!` adds a line too. No text can break
/// out of the data, whatever it contains.
///
/// To send text unchanged, including a trailing newline, use [`Event::new`](crate::Event::new).
///
/// ```
/// use std::fmt::Write;
/// use tower_sse::{Event, protocol::DataLines};
///
/// let mut lines = DataLines::new();
/// lines.line("selector #score");
/// lines.line("mode inner");
/// write!(lines, "elements <b>{} : {}</b>", 2, 1)?;
/// let event = Event::new(lines).with_type("datastar-patch-elements");
/// assert_eq!(
///     event.encode(),
///     "event: datastar-patch-elements\n\
///      data: selector #score\ndata: mode inner\ndata: elements <b>2 : 1</b>\n\n",
/// );
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct DataLines {
    /// Complete `data: ...` lines, except that the last may lack its end.
    lines: Vec<u8>,
    /// Whether the last line may be continued.
    is_open: bool,
    /// Whether the last line was ended by a CR, which an LF may follow as its other half.
    after_cr: bool,
}

impl DataLines {
    /// Creates data without lines, which is the same as one empty line.
    ///
    /// ```
    /// # use tower_sse::{Event, protocol::DataLines};
    /// assert_eq!(Event::new(DataLines::new()).encode(), "data: \n\n");
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lines: Vec::new(),
            is_open: false,
            after_cr: false,
        }
    }

    /// Adds a complete line, or several if the text has line breaks.
    ///
    /// ```
    /// # use std::fmt::Write;
    /// # use tower_sse::{Event, protocol::DataLines};
    /// let mut lines = DataLines::new();
    /// lines.write_str("one")?;
    /// lines.line("two\nthree");
    /// lines.line("");
    /// assert_eq!(Event::new(lines).encode(), "data: one\ndata: two\ndata: three\ndata: \n\n");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn line(&mut self, text: &str) {
        self.end_line();
        self.continue_line(text);
        if !self.is_open {
            self.lines.extend_from_slice(DATA);
            self.is_open = true;
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        if self.is_open {
            self.lines.push(b'\n');
        }
        (self.is_open, self.after_cr) = (false, false);
    }

    fn continue_line(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while !rest.is_empty() {
            if !self.is_open {
                self.lines.extend_from_slice(DATA);
            }
            let end = memchr::memchr2(b'\r', b'\n', rest);
            self.lines
                .extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            self.is_open = end.is_none();
            let Some(end) = end else { return };
            self.lines.push(b'\n');
            self.after_cr = rest[end..] == *b"\r";
            rest = rest[end..]
                .strip_prefix(b"\r\n")
                .unwrap_or(&rest[end + 1..]);
        }
    }

    /// All lines, and the empty line that ends the block.
    pub(super) fn into_encoded(mut self) -> Vec<u8> {
        if self.lines.is_empty() {
            self.lines.extend_from_slice(DATA);
            self.is_open = true;
        }
        self.lines
            .extend_from_slice(if self.is_open { END } else { b"\n" });
        self.lines
    }
}

impl fmt::Write for DataLines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.continue_line(text);
        Ok(())
    }
}

impl From<DataLines> for Data {
    fn from(lines: DataLines) -> Self {
        Self::from_encoded(lines.into_encoded())
    }
}

impl<S: AsRef<str>> Extend<S> for DataLines {
    fn extend<I: IntoIterator<Item = S>>(&mut self, lines: I) {
        for line in lines {
            self.line(line.as_ref());
        }
    }
}

impl<S: AsRef<str>> FromIterator<S> for DataLines {
    fn from_iter<I: IntoIterator<Item = S>>(lines: I) -> Self {
        let mut all = Self::new();
        all.extend(lines);
        all
    }
}

impl fmt::Debug for DataLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = String::from_utf8_lossy(&self.lines);
        f.debug_tuple("DataLines").field(&lines).finish()
    }
}
