//! Events and errors as text for a terminal.

use std::error::Error;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tower_sse::MessageEvent;

/// `12:34:56 goal #42 1 : 0`
pub(crate) fn as_text(event: &MessageEvent, colour: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let mut line = paint("2", &time_of_day());
    _ = write!(line, " {}", paint("1;36", &printable(event.event_type())));
    if !event.last_event_id().is_empty() {
        let id = format!("#{}", printable(event.last_event_id()));
        _ = write!(line, " {}", paint("33", &id));
    }
    for (n, text) in event.data().split('\n').enumerate() {
        // Further lines stand under the first one's start.
        line.push_str(if n == 0 { " " } else { "\n         " });
        line.push_str(&printable(text));
    }
    line
}

pub(crate) fn as_json(event: &MessageEvent) -> String {
    let event = json!({
        "type": event.event_type(),
        "id": event.last_event_id(),
        "data": event.data(),
    });
    event.to_string()
}

/// What a stream says must not drive the terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// UTC.
pub(crate) fn time_of_day() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        now / 3600 % 24,
        now / 60 % 60,
        now % 60
    )
}

pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        _ = write!(text, ": {error}");
        cause = error.source();
    }
    printable(&text)
}
