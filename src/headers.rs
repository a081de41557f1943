//! Which headers an event stream has, and which responses are one.

use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};

/// `text/event-stream`, the media type of an event stream. Its encoding is always UTF-8.
///
/// ```
/// assert_eq!(tower_sse::headers::TEXT_EVENT_STREAM, "text/event-stream");
/// ```
pub const TEXT_EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// `X-Accel-Buffering`, whose value `no` tells nginx not to hold a response back.
///
/// ```
/// assert_eq!(tower_sse::headers::X_ACCEL_BUFFERING, "x-accel-buffering");
/// ```
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

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

/// The response that tells a browser's `EventSource` to stop: 204, after which it does not
/// reconnect ([9.2.3]).
///
/// ```
/// let response = tower_sse::headers::stop::<String>();
/// assert_eq!(response.status(), 204);
/// ```
///
/// [9.2.3]: https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model
#[must_use]
pub fn stop<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The headers of an event stream; each can be changed or left out. On HTTP/2 and HTTP/3 `Connection`
/// is illegal and never added.
///
/// | header | default | without it |
/// |---|---|---|
/// | `Content-Type` | `text/event-stream` | the browser refuses the stream |
/// | `Cache-Control` | `no-cache, no-transform` | HAProxy's compression delays each event until the next |
/// | `X-Accel-Buffering` | `no` | nginx delivers nothing until its buffer is full |
/// | `Connection` | `keep-alive`, on HTTP/1 only | old proxies close the connection |
///
/// ```
/// use http::{HeaderMap, HeaderValue, Version, header::CACHE_CONTROL};
/// use tower_sse::headers::EventStreamHeaders;
///
/// let headers = EventStreamHeaders::new()
///     .cache_control(HeaderValue::from_static("no-store"))
///     .x_accel_buffering(None);
/// let mut map = HeaderMap::new();
/// headers.apply(Version::HTTP_2, &mut map);
/// assert_eq!(map[CACHE_CONTROL], "no-store");
/// assert_eq!(map.len(), 2);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EventStreamHeaders {
    content_type: Option<HeaderValue>,
    cache_control: Option<HeaderValue>,
    x_accel_buffering: Option<HeaderValue>,
    connection: Option<HeaderValue>,
}

impl EventStreamHeaders {
    /// The defaults.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let mut map = HeaderMap::new();
    /// EventStreamHeaders::new().apply(Version::HTTP_11, &mut map);
    /// assert_eq!(map[header::CONTENT_TYPE], "text/event-stream");
    /// assert_eq!(map[header::CACHE_CONTROL], "no-cache, no-transform");
    /// assert_eq!(map["x-accel-buffering"], "no");
    /// assert_eq!(map[header::CONNECTION], "keep-alive");
    /// ```
    pub const fn new() -> Self {
        Self {
            content_type: Some(TEXT_EVENT_STREAM),
            cache_control: Some(HeaderValue::from_static("no-cache, no-transform")),
            x_accel_buffering: Some(HeaderValue::from_static("no")),
            connection: Some(HeaderValue::from_static("keep-alive")),
        }
    }

    /// Another `Content-Type`, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let value = HeaderValue::from_static("text/event-stream; charset=utf-8");
    /// let headers = EventStreamHeaders::new().content_type(value.clone());
    /// let mut map = HeaderMap::new();
    /// headers.apply(Version::HTTP_2, &mut map);
    /// assert_eq!(map[header::CONTENT_TYPE], value);
    /// ```
    pub fn content_type(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            content_type: value.into(),
            ..self
        }
    }

    /// Another `Cache-Control`, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let headers = EventStreamHeaders::new().cache_control(HeaderValue::from_static("no-store"));
    /// let mut map = HeaderMap::new();
    /// headers.apply(Version::HTTP_2, &mut map);
    /// assert_eq!(map[header::CACHE_CONTROL], "no-store");
    /// ```
    pub fn cache_control(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            cache_control: value.into(),
            ..self
        }
    }

    /// Another `X-Accel-Buffering`, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, Version};
    /// # use tower_sse::headers::{EventStreamHeaders, X_ACCEL_BUFFERING};
    /// let mut map = HeaderMap::new();
    /// EventStreamHeaders::new().x_accel_buffering(None).apply(Version::HTTP_2, &mut map);
    /// assert!(!map.contains_key(X_ACCEL_BUFFERING));
    /// ```
    pub fn x_accel_buffering(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            x_accel_buffering: value.into(),
            ..self
        }
    }

    /// Another `Connection` on HTTP/1, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let mut map = HeaderMap::new();
    /// EventStreamHeaders::new().connection(None).apply(Version::HTTP_11, &mut map);
    /// assert!(!map.contains_key(header::CONNECTION));
    /// ```
    pub fn connection(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            connection: value.into(),
            ..self
        }
    }

    /// Adds the headers that are not there yet, for a response of this HTTP version; those that are
    /// there stay.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let no_store = HeaderValue::from_static("no-store");
    /// let mut map = HeaderMap::from_iter([(header::CACHE_CONTROL, no_store.clone())]);
    /// EventStreamHeaders::new().apply(Version::HTTP_2, &mut map);
    /// assert_eq!(map[header::CACHE_CONTROL], no_store);
    /// assert!(!map.contains_key(header::CONNECTION));
    /// ```
    pub fn apply(&self, version: Version, headers: &mut HeaderMap) {
        // Illegal on HTTP/2 and 3: Safari refuses the response, curl reports an error.
        let connection = if version < Version::HTTP_2 {
            &self.connection
        } else {
            &None
        };
        for (name, value) in [
            (CONTENT_TYPE, &self.content_type),
            (CACHE_CONTROL, &self.cache_control),
            (X_ACCEL_BUFFERING, &self.x_accel_buffering),
            (CONNECTION, connection),
        ] {
            if let Some(value) = value {
                headers.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
}

impl Default for EventStreamHeaders {
    fn default() -> Self {
        Self::new()
    }
}
