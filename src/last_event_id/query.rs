//! The ID in the query of a URI.

pub(super) fn names_last_event_id(name: &str) -> bool {
    let letters = name.bytes().filter(|b| !matches!(b, b'-' | b'_'));
    letters.map(|b| b.to_ascii_lowercase()).eq(*b"lasteventid")
}

/// Decodes form encoding: `+` is a space, `%` and two hexadecimal digits are a byte, and anything
/// else is kept.
pub(super) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        out.push(match first {
            b'+' => b' ',
            b'%' => match hex_byte(tail) {
                Some(byte) => {
                    rest = &tail[2..];
                    byte
                }
                None => b'%',
            },
            byte => *byte,
        });
    }
    out
}

fn hex_byte(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}
