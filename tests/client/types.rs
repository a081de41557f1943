//! Random `Content-Type`s, against a transcription of Fetch.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use tower_sse::headers::is_event_stream;

use crate::support::rng::Rng;

/// [Get, decode, and split](https://fetch.spec.whatwg.org/#header-value-get-decode-and-split), on
/// headers that are combined already.
fn split(input: &str) -> Vec<String> {
    let input: Vec<char> = input.chars().collect();
    let (mut position, mut values, mut value) = (0, Vec::new(), String::new());
    loop {
        while position < input.len() && !['"', ','].contains(&input[position]) {
            value.push(input[position]);
            position += 1;
        }
        if position < input.len() {
            if input[position] == '"' {
                quoted_string(&input, &mut position, &mut value);
                if position < input.len() {
                    continue;
                }
            } else {
                position += 1;
            }
        }
        values.push(value.trim_matches([' ', '\t']).to_owned());
        value.clear();
        if position >= input.len() {
            return values;
        }
    }
}

/// [Collect an HTTP quoted string](https://fetch.spec.whatwg.org/#collect-an-http-quoted-string)
fn quoted_string(input: &[char], position: &mut usize, value: &mut String) {
    let start = *position;
    *position += 1;
    loop {
        while *position < input.len() && !['"', '\\'].contains(&input[*position]) {
            *position += 1;
        }
        if *position >= input.len() {
            break;
        }
        let is_backslash = input[*position] == '\\';
        *position += 1;
        if !is_backslash || *position >= input.len() {
            break;
        }
        *position += 1;
    }
    value.extend(&input[start..*position]);
}

/// The essence of what [parsing a MIME type](https://mimesniff.spec.whatwg.org/#parse-a-mime-type)
/// gives.
fn essence(input: &str) -> Option<String> {
    let is_token = |text: &str| {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        !text.is_empty() && text.chars().all(is_token)
    };
    let (of_type, rest) = input
        .trim_matches([' ', '\t', '\r', '\n'])
        .split_once('/')?;
    let subtype = rest
        .split(';')
        .next()?
        .trim_end_matches([' ', '\t', '\r', '\n']);
    (is_token(of_type) && is_token(subtype)).then(|| format!("{of_type}/{subtype}").to_lowercase())
}

/// [Extract a MIME type](https://fetch.spec.whatwg.org/#concept-header-extract-mime-type)
fn extract(values: &[String]) -> Option<String> {
    let mut last = None;
    for value in split(&values.join(", ")) {
        last = essence(&value).filter(|essence| essence != "*/*").or(last);
    }
    last
}

// Clauses: content-type
#[test]
fn are_read_as_browsers_read_them() {
    let pieces = [
        "text/event-stream",
        "Text/Event-Stream",
        "text/event-stream",
        "text/html",
        "*/*",
        "text",
        "/",
        ",",
        ",",
        ";",
        "\"",
        "\\",
        " ",
        "\t",
        "charset=utf-8",
        "é",
    ];
    let mut rng = Rng::new(9110);
    let mut streams = 0;
    for _ in 0..50_000 {
        let values: Vec<String> = (0..rng.below(4))
            .map(|_| {
                (0..rng.below(7))
                    .map(|_| *rng.pick(&pieces))
                    .collect::<String>()
            })
            // What a parser of HTTP hands over has no white space around it.
            .map(|value: String| value.trim_matches([' ', '\t']).to_owned())
            .collect();
        let mut headers = HeaderMap::new();
        for value in &values {
            headers.append(
                CONTENT_TYPE,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let expected = extract(&values).as_deref() == Some("text/event-stream");
        assert_eq!(is_event_stream(&headers), expected, "{values:?}");
        streams += usize::from(expected);
    }
    assert!(streams > 2_000, "{streams}");
}
