//! A naive model of the decoder's limits: it rewrites a stream with limits into one without, for the
//! oracle, in which an event says where each error was.

/// The type of the events that stand for errors; their data is [`LINE`] or [`EVENT`].
pub const ERROR: &str = "limit exceeded";
pub const LINE: &str = "line";
pub const EVENT: &str = "event";

/// The limits of a decoder, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub max_line: usize,
    pub max_event: usize,
}

impl Limits {
    pub const NONE: Self = Self {
        max_line: usize::MAX,
        max_event: usize::MAX,
    };
}

/// The stream without the blocks that are too long, and an event for each of them.
pub fn rewrite(limits: Limits, stream: &[u8]) -> Vec<u8> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    // One to be stripped instead, in case that there are two.
    let mut out = b"\xEF\xBB\xBF".to_vec();
    let mut block: Vec<&[u8]> = Vec::new();
    let mut block_len = 0;
    let mut skipping = false;
    for (line, ended) in lines(stream) {
        if line.is_empty() && ended {
            out.extend(block.drain(..).flat_map(|line| [line, b"\n"].concat()));
            out.push(b'\n');
            block_len = 0;
            skipping = false;
            continue;
        }
        if skipping {
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let name = &line[..colon.unwrap_or(line.len())];
        // Nothing is said of a line of which it is not known yet what it is.
        let is_known = ended || colon.is_some() || line.len() > 5;
        let counts = [&b"data"[..], b"event", b"id", b"retry"].contains(&name);
        let room = if counts {
            limits.max_event.saturating_sub(block_len)
        } else {
            usize::MAX
        };
        if is_known && line.len() > room.min(limits.max_line) {
            // These had their effect before.
            block.retain(|line| line.starts_with(b":") || line.starts_with(b"retry"));
            out.extend(block.drain(..).flat_map(|line| [line, b"\n"].concat()));
            let limit = if limits.max_line <= room { LINE } else { EVENT };
            // An empty line before it, so that it has no retry of its own.
            out.extend(format!("\nevent: {ERROR}\ndata: {limit}\n\n").into_bytes());
            block_len = 0;
            skipping = true;
        } else if ended {
            block.push(line);
            block_len += if counts { line.len() + 1 } else { 0 };
        }
    }
    out.extend(block.into_iter().flat_map(|line| [line, b"\n"].concat()));
    out
}

/// The lines, and whether they have an end, which the last one may lack.
fn lines(stream: &[u8]) -> Vec<(&[u8], bool)> {
    let mut lines = Vec::new();
    let mut rest = stream;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        lines.push((&rest[..end], true));
        let len = if rest[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[end + len..];
    }
    if !rest.is_empty() {
        lines.push((rest, false));
    }
    lines
}
