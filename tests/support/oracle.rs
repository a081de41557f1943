//! WHATWG HTML 9.2.5 and 9.2.6 transcribed sentence by sentence: slow, and obviously right.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

#![allow(clippy::collapsible_match, reason = "a sentence of the standard each")]

/// `EventId::MAX_LEN`, in bytes.
pub const MAX_ID: usize = 4096;

/// A dispatched event: the standard's `type`, `data` and `lastEventId`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    pub event_type: String,
    pub data: String,
    pub last_event_id: String,
    /// What the block itself set, which the standard does not tell.
    pub id: Option<String>,
    /// In milliseconds; set by the block itself, as the ID is.
    pub retry: Option<u64>,
}

/// What a whole event stream means, from its first byte to the end of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interpretation {
    pub events: Vec<Message>,
    /// Everything after the colon.
    pub comments: Vec<String>,
    /// The event source's last event ID string when the stream has ended.
    pub last_event_id: String,
    /// In milliseconds, if the stream set it.
    pub reconnection_time: Option<u64>,
}

/// Interprets a stream that is the first of its event source.
pub fn interpret(stream: &[u8]) -> Interpretation {
    interpret_from(stream, "")
}

/// Interprets a stream of an event source whose last event ID string is already set.
///
/// The standard says that each stream's last event ID *buffer* begins empty; taken by the letter, a
/// reconnection would forget the ID with the first event that has none. Browsers begin with the
/// event source's last event ID string, and so does this.
pub fn interpret_from(stream: &[u8], last_event_id: &str) -> Interpretation {
    let mut out = Interpretation {
        last_event_id: last_event_id.to_owned(),
        ..Interpretation::default()
    };
    let mut data = String::new();
    let mut event_type = String::new();
    let mut last_event_id = last_event_id.to_owned();
    let (mut id, mut retry) = (None, None);

    for line in lines(&decode(stream)) {
        if line.is_empty() {
            // "If the line is empty (a blank line): dispatch the event, as defined below."
            out.last_event_id.clone_from(&last_event_id);
            let (id, retry) = (id.take(), retry.take());
            if data.is_empty() {
                event_type.clear();
                continue;
            }
            if data.ends_with('\n') {
                data.pop();
            }
            if event_type.is_empty() {
                event_type.push_str("message");
            }
            out.events.push(Message {
                event_type: std::mem::take(&mut event_type),
                data: std::mem::take(&mut data),
                last_event_id: last_event_id.clone(),
                id,
                retry,
            });
            continue;
        }
        // "If the line starts with a U+003A COLON character (:): ignore the line."
        if let Some(comment) = line.strip_prefix(':') {
            out.comments.push(comment.to_owned());
            continue;
        }
        // "If the line contains a U+003A COLON character (:): collect the characters on the line
        // before the first colon, and let field be that string. Collect the characters on the line
        // after the first colon, and let value be that string. If value starts with a U+0020 SPACE
        // character, remove it from value. [...] Otherwise [...] using the whole line as the field
        // name, and the empty string as the field value."
        let (field, value) = match line.split_once(':') {
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (&line[..], ""),
        };
        match field {
            "event" => event_type = value.to_owned(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            // DIFFERENCE: one that is too long to be sent back is ignored too.
            "id" if !value.contains('\0') && value.len() <= MAX_ID => {
                last_event_id = value.to_owned();
                id = Some(value.to_owned());
            }
            // An empty value has no digits to interpret, and what no 64-bit integer holds cannot be
            // waited for.
            "retry" if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) => {
                let time = value.parse().ok();
                out.reconnection_time = time.or(out.reconnection_time);
                retry = time.or(retry);
            }
            _ => {}
        }
    }
    // "Once the end of the file is reached, any pending data must be discarded. (If the file ends in
    // the middle of an event, before the final empty line, the incomplete event is not dispatched.)"
    out
}

/// "Streams must be decoded using the UTF-8 decode algorithm", which strips one byte order mark and
/// replaces each maximal subpart of an ill-formed sequence.
fn decode(stream: &[u8]) -> String {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    String::from_utf8_lossy(stream).into_owned()
}

/// The lines that have an end: a CRLF pair, a lone LF or a lone CR.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' => {
                characters.next_if_eq(&'\n');
                lines.push(std::mem::take(&mut line));
            }
            '\n' => lines.push(std::mem::take(&mut line)),
            _ => line.push(c),
        }
    }
    lines
}
