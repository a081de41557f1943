use std::borrow::Cow;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::list::split;

/// `text/event-stream`, the media type of an event stream. Its encoding is always UTF-8.
///
/// ```
/// assert_eq!(tower_sse::headers::TEXT_EVENT_STREAM, "text/event-stream");
/// ```
pub const TEXT_EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Returns `true` if these headers label an event stream: a `Content-Type` of `text/event-stream`,
/// in any case, with any parameters.
///
/// Of several types, in one or several headers, the last valid one counts, as in browsers
/// ([Fetch]).
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
/// use tower_sse::headers::is_event_stream;
///
/// let mut headers = HeaderMap::new();
/// assert!(!is_event_stream(&headers));
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("Text/Event-Stream; charset=utf-8"));
/// assert!(is_event_stream(&headers));
/// headers.append(CONTENT_TYPE, HeaderValue::from_static("text/html"));
/// assert!(!is_event_stream(&headers));
/// ```
///
/// [Fetch]: https://fetch.spec.whatwg.org/#concept-header-extract-mime-type
#[must_use]
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let Some(first) = values.next() else {
        return false;
    };
    let mut all = Cow::Borrowed(first.as_bytes());
    for value in values {
        // A quoted string left open in one header continues in the next.
        all.to_mut().push(b',');
        all.to_mut().extend_from_slice(value.as_bytes());
    }
    let last = split(&all, b',').filter_map(essence).last();
    last.is_some_and(|essence| essence.eq_ignore_ascii_case(b"text/event-stream"))
}

/// The `type/subtype` of a media type, if it is valid and not `*/*`.
fn essence(media_type: &[u8]) -> Option<&[u8]> {
    let essence = split(media_type, b';').next()?;
    let slash = memchr::memchr(b'/', essence)?;
    let valid = is_token(&essence[..slash]) && is_token(&essence[slash + 1..]);
    (valid && essence != b"*/*").then_some(essence)
}

fn is_token(text: &[u8]) -> bool {
    let is_token_byte = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !text.is_empty() && text.iter().all(is_token_byte)
}

/// Returns `true` if the `Accept` of these request headers allows an event stream.
///
/// Without an `Accept`, everything is accepted. Of several matching ranges, the most specific
/// decides ([RFC 9110, 12.5.1]).
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
        .flat_map(|value| split(value.as_bytes(), b','))
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let mut best = (0, false);
    for range in ranges {
        let mut parts = split(range, b';');
        let specific = parts.next().map_or(0, specificity);
        let accepted = !parts.any(is_zero_weight);
        if specific > best.0 {
            best = (specific, accepted);
        } else if specific == best.0 && specific > 0 {
            best.1 |= accepted;
        }
    }
    best.1
}

/// How specifically a range matches an event stream; 0 if it does not match.
fn specificity(range: &[u8]) -> u8 {
    match range.to_ascii_lowercase().as_slice() {
        b"text/event-stream" => 3,
        b"text/*" => 2,
        // Java's `HttpURLConnection` sends a lone star.
        b"*/*" | b"*" => 1,
        _ => 0,
    }
}

/// Whether a parameter is a weight of zero, `q=0` to `q=0.000`.
fn is_zero_weight(parameter: &[u8]) -> bool {
    let Some(equals) = memchr::memchr(b'=', parameter) else {
        return false;
    };
    let name = parameter[..equals].trim_ascii();
    let value = parameter[equals + 1..].trim_ascii();
    name.eq_ignore_ascii_case(b"q")
        && value.contains(&b'0')
        && value.iter().all(|b| matches!(b, b'0' | b'.'))
}
