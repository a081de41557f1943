/// The parts of a header's value between the separators, trimmed. A separator inside a quoted
/// string does not separate.
pub(super) fn split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = end_of_part(text, separator);
        rest = text.get(end + 1..);
        Some(text[..end].trim_ascii())
    })
}

fn end_of_part(text: &[u8], separator: u8) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let end = text.iter().position(|byte| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => escaped = quoted,
            _ => {}
        }
        *byte == separator && !quoted
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn separators_in_quotes_do_not_count() {
        let parts = |value: &'static str| {
            split(value.as_bytes(), b',')
                .map(|part| std::str::from_utf8(part).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(""), [""]);
        assert_eq!(parts(" a ,\tb,"), ["a", "b", ""]);
        assert_eq!(parts(r#"a;x=",", b"#), [r#"a;x=",""#, "b"]);
        assert_eq!(parts(r#"a;x="\",", b"#), [r#"a;x="\",""#, "b"]);
        assert_eq!(parts(r"a\,b"), [r"a\", "b"]);
        assert_eq!(parts(r#"a"b,c"#), [r#"a"b,c"#]);
    }
}
