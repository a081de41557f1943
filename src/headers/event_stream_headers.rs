use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Version};

use super::TEXT_EVENT_STREAM;
use super::list::split;

/// `X-Accel-Buffering`, whose value `no` tells nginx not to buffer a response.
///
/// ```
/// assert_eq!(tower_sse::headers::X_ACCEL_BUFFERING, "x-accel-buffering");
/// ```
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const NO_CACHE_NO_TRANSFORM: HeaderValue = HeaderValue::from_static("no-cache, no-transform");

/// The headers of an event stream; each can be changed or left out.
///
/// | header | default | without it |
/// |---|---|---|
/// | `Content-Type` | `text/event-stream` | the browser refuses the stream |
/// | `Cache-Control` | `no-cache, no-transform` | HAProxy's compression delays each event until the next |
/// | `X-Accel-Buffering` | `no` | nginx delivers nothing until its buffer is full |
/// | `Connection` | `keep-alive`, on HTTP/1.1 only | old proxies close the connection |
///
/// `Connection` is illegal on HTTP/2 and HTTP/3, so it is not added there, nor on HTTP/1.0 or for a
/// request with `Connection: close`. A server that closes connections by itself, such as hyper with
/// `keep_alive(false)` or during a shutdown, appends its `close` to the header.
/// [`connection(None)`](Self::connection) leaves the header to the server.
///
/// `no-transform` keeps proxies from compressing the stream. If another layer has encoded the
/// response already, which its `Content-Encoding` tells, the default `Cache-Control` is `no-cache`
/// alone.
///
/// ```
/// use http::{HeaderMap, HeaderValue, Version, header::CACHE_CONTROL};
/// use tower_sse::headers::EventStreamHeaders;
///
/// let headers = EventStreamHeaders::new()
///     .cache_control(HeaderValue::from_static("no-store"))
///     .x_accel_buffering(None);
/// let mut map = HeaderMap::new();
/// headers.apply(Version::HTTP_2, &HeaderMap::new(), &mut map);
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
    /// Creates the default headers.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let mut map = HeaderMap::new();
    /// EventStreamHeaders::new().apply(Version::HTTP_11, &HeaderMap::new(), &mut map);
    /// assert_eq!(map[header::CONTENT_TYPE], "text/event-stream");
    /// assert_eq!(map[header::CACHE_CONTROL], "no-cache, no-transform");
    /// assert_eq!(map["x-accel-buffering"], "no");
    /// assert_eq!(map[header::CONNECTION], "keep-alive");
    /// ```
    pub const fn new() -> Self {
        Self {
            content_type: Some(TEXT_EVENT_STREAM),
            cache_control: Some(NO_CACHE_NO_TRANSFORM),
            x_accel_buffering: Some(HeaderValue::from_static("no")),
            connection: Some(HeaderValue::from_static("keep-alive")),
        }
    }

    /// Sets another `Content-Type`, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let value = HeaderValue::from_static("text/event-stream; charset=utf-8");
    /// let headers = EventStreamHeaders::new().content_type(value.clone());
    /// let mut map = HeaderMap::new();
    /// headers.apply(Version::HTTP_2, &HeaderMap::new(), &mut map);
    /// assert_eq!(map[header::CONTENT_TYPE], value);
    /// ```
    pub fn content_type(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            content_type: value.into(),
            ..self
        }
    }

    /// Sets another `Cache-Control`, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let headers = EventStreamHeaders::new().cache_control(HeaderValue::from_static("no-store"));
    /// let mut map = HeaderMap::new();
    /// headers.apply(Version::HTTP_2, &HeaderMap::new(), &mut map);
    /// assert_eq!(map[header::CACHE_CONTROL], "no-store");
    /// ```
    pub fn cache_control(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            cache_control: value.into(),
            ..self
        }
    }

    /// Sets another `X-Accel-Buffering`, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, Version};
    /// # use tower_sse::headers::{EventStreamHeaders, X_ACCEL_BUFFERING};
    /// let mut map = HeaderMap::new();
    /// let headers = EventStreamHeaders::new().x_accel_buffering(None);
    /// headers.apply(Version::HTTP_2, &HeaderMap::new(), &mut map);
    /// assert!(!map.contains_key(X_ACCEL_BUFFERING));
    /// ```
    pub fn x_accel_buffering(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            x_accel_buffering: value.into(),
            ..self
        }
    }

    /// Sets another `Connection` where `keep-alive` would be added, or none.
    ///
    /// ```
    /// # use http::{HeaderMap, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let mut map = HeaderMap::new();
    /// let headers = EventStreamHeaders::new().connection(None);
    /// headers.apply(Version::HTTP_11, &HeaderMap::new(), &mut map);
    /// assert!(!map.contains_key(header::CONNECTION));
    /// ```
    pub fn connection(self, value: impl Into<Option<HeaderValue>>) -> Self {
        Self {
            connection: value.into(),
            ..self
        }
    }

    /// Adds the missing headers to a response, for a request with this HTTP version and these
    /// headers. Existing headers are kept, except that the default `Cache-Control` of an encoded
    /// response loses its `no-transform`.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, Version, header};
    /// # use tower_sse::headers::EventStreamHeaders;
    /// let no_store = HeaderValue::from_static("no-store");
    /// let close = HeaderValue::from_static("close");
    /// let request = HeaderMap::from_iter([(header::CONNECTION, close)]);
    /// let mut response = HeaderMap::from_iter([(header::CACHE_CONTROL, no_store.clone())]);
    /// EventStreamHeaders::new().apply(Version::HTTP_11, &request, &mut response);
    /// assert_eq!(response[header::CONTENT_TYPE], "text/event-stream");
    /// assert_eq!(response[header::CACHE_CONTROL], no_store);
    /// assert!(!response.contains_key(header::CONNECTION));
    /// ```
    pub fn apply(&self, version: Version, request: &HeaderMap, response: &mut HeaderMap) {
        self.add(may_keep_alive(version, request), response);
    }

    /// Like [`apply`](Self::apply), with the result of [`may_keep_alive`].
    pub(crate) fn add(&self, keep_alive: bool, response: &mut HeaderMap) {
        self.add_missing(keep_alive, response);
        if is_encoded(response) && response.get(CACHE_CONTROL) == Some(&NO_CACHE_NO_TRANSFORM) {
            response.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
    }

    /// Like [`add`](Self::add), except that `no-transform` stays.
    pub(crate) fn add_missing(&self, keep_alive: bool, response: &mut HeaderMap) {
        let connection = if keep_alive { &self.connection } else { &None };
        for (name, value) in [
            (CONTENT_TYPE, &self.content_type),
            (CACHE_CONTROL, &self.cache_control),
            (X_ACCEL_BUFFERING, &self.x_accel_buffering),
            (CONNECTION, connection),
        ] {
            if let Some(value) = value {
                response.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
}

/// Whether the response to a request may have `Connection: keep-alive`.
///
/// On HTTP/2 and 3 it is illegal: Safari refuses the response, and curl reports an error. On
/// HTTP/1.0 it would promise a length, which a stream does not have.
pub(crate) fn may_keep_alive(version: Version, request: &HeaderMap) -> bool {
    let closes = |token: &[u8]| token.eq_ignore_ascii_case(b"close");
    version == Version::HTTP_11 && !tokens(request, &CONNECTION).any(closes)
}

/// Whether the body is encoded, so that nothing can be inserted between its bytes.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    tokens(headers, &CONTENT_ENCODING)
        .any(|token| !token.is_empty() && !token.eq_ignore_ascii_case(b"identity"))
}

/// The elements of a header that is a list, over all its lines.
pub(crate) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    let values = headers.get_all(name).iter();
    values.flat_map(|value| split(value.as_bytes(), b','))
}

impl Default for EventStreamHeaders {
    fn default() -> Self {
        Self::new()
    }
}
