use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

/// `text/event-stream`, the media type of an event stream. Its encoding is always UTF-8.
///
/// ```
/// assert_eq!(tower_sse::headers::TEXT_EVENT_STREAM, "text/event-stream");
/// ```
pub const TEXT_EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Whether these headers label an event stream: a `Content-Type` of `text/event-stream`, in any
/// case, with any parameters.
///
/// Of several types, in one header or in many, the last one that is a media type counts, as in
/// browsers ([Fetch]).
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
/// use tower_sse::headers::is_event_stream;
///
/// let mut headers = HeaderMap::new();
/// assert!(!is_event_stream(&headers));
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("Text/Event-Stream; charset=utf-8"));
/// assert!(is_event_stream(&headers));
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-streams"));
/// assert!(!is_event_stream(&headers));
/// headers.append(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
/// assert!(is_event_stream(&headers));
/// ```
///
/// [Fetch]: https://fetch.spec.whatwg.org/#concept-header-extract-mime-type
#[must_use]
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_TYPE).iter();
    let types = values
        .flat_map(|value| split_list(value.as_bytes()))
        .filter_map(essence);
    types
        .last()
        .is_some_and(|essence| essence.eq_ignore_ascii_case(b"text/event-stream"))
}

/// The members of a list, which commas separate, except those in quoted strings.
fn split_list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' => return !quoted,
            _ => {}
        }
        false
    })
}

/// A media type without its parameters; `None` for what is not a media type, and for any of them.
fn essence(value: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let essence = value[..end].trim_ascii();
    let slash = memchr::memchr(b'/', essence)?;
    let is_token = |part: &[u8]| !part.is_empty() && part.iter().copied().all(is_token_byte);
    let is_type = is_token(&essence[..slash]) && is_token(&essence[slash + 1..]);
    (is_type && essence != b"*/*").then_some(essence)
}

/// [RFC 9110, 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether the `Accept` of these request headers lets an event stream be the answer.
///
/// Without an `Accept` everything is accepted; of several ranges that fit, the most specific decides
/// ([RFC 9110, 12.5.1]).
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::ACCEPT};
/// use tower_sse::headers::accepts_event_stream;
///
/// let accepts = |value| {
///     let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]);
///     accepts_event_stream(&headers)
/// };
/// assert!(accepts("text/event-stream"));
/// assert!(accepts("application/json, text/*;q=0.1"));
/// assert!(!accepts("application/json"));
/// assert!(!accepts("*/*, text/event-stream;q=0"));
/// ```
///
/// [RFC 9110, 12.5.1]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
#[must_use]
pub fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let mut best = (0, false);
    for range in ranges {
        let mut parts = range.split(|b| *b == b';').map(<[u8]>::trim_ascii);
        let specific = match parts.next() {
            Some(b"*/*") => 1,
            Some(essence) if essence.eq_ignore_ascii_case(b"text/*") => 2,
            Some(essence) if essence.eq_ignore_ascii_case(b"text/event-stream") => 3,
            _ => 0,
        };
        let refused = parts.any(|part| {
            let weight = part.strip_prefix(b"q=").or(part.strip_prefix(b"Q="));
            weight.is_some_and(|weight| weight.iter().all(|b| matches!(b, b'0' | b'.')))
        });
        if specific > best.0 {
            best = (specific, !refused);
        }
    }
    best.1
}
