use std::fmt;

use super::data_lines::DataLines;
use super::event_writer::EventWriter;

/// Writes the data of an event line by line, returned by [`EventWriter::begin_data`] and
/// [`Writer::begin_data`](super::Writer::begin_data).
///
/// It accepts lines as [`DataLines`] does. [`finish`](Self::finish) writes the complete event. If
/// it is dropped before that, for example by a `?`, nothing is written.
///
/// ```
/// use std::fmt::Write;
/// use tower_sse::Block;
///
/// let block = Block::write(|out| {
///     let mut data = out.typed("datastar-patch-elements").begin_data();
///     data.line("selector #score");
///     data.line("mode inner");
///     write!(data, "elements <b>{} : {}</b>", 2, 1).unwrap();
///     data.finish();
///
///     let mut unfinished = out.begin_data();
///     unfinished.line("never sent");
/// });
/// assert_eq!(
///     block,
///     "event: datastar-patch-elements\n\
///      data: selector #score\ndata: mode inner\ndata: elements <b>2 : 1</b>\n\n",
/// );
/// ```
#[must_use = "nothing is written before `finish`"]
pub struct DataWriter<'a> {
    event: EventWriter<'a>,
    // Kept apart from the writer's buffer, which therefore never contains part of an event, even if
    // this is forgotten or a `Display` panics.
    lines: DataLines,
}

impl<'a> DataWriter<'a> {
    pub(super) fn new(event: EventWriter<'a>) -> Self {
        Self {
            event,
            lines: DataLines::new(),
        }
    }

    /// Adds a complete line, or several if the text has line breaks.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// let block = Block::write(|out| {
    ///     let mut data = out.id(7).begin_data();
    ///     data.line("one");
    ///     data.line("two\nthree");
    ///     data.finish();
    /// });
    /// assert_eq!(block, "id: 7\ndata: one\ndata: two\ndata: three\n\n");
    /// ```
    pub fn line(&mut self, text: &str) {
        self.lines.line(text);
    }

    /// Writes the event. Without lines, its data is empty.
    ///
    /// ```
    /// # use tower_sse::Block;
    /// assert_eq!(Block::write(|out| out.begin_data().finish()), "data: \n\n");
    /// ```
    pub fn finish(self) {
        self.event.encoded(&self.lines.into_encoded());
    }
}

impl fmt::Write for DataWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.lines.write_str(text)
    }
}

impl fmt::Debug for DataWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataWriter")
            .field("event", &self.event)
            .field("lines", &self.lines)
            .finish()
    }
}
