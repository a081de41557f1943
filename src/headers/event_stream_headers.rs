use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Version};

use super::TEXT_EVENT_STREAM;

/// `X-Accel-Buffering`, whose value `no` tells nginx not to hold a response back.
///
/// ```
/// assert_eq!(tower_sse::headers::X_ACCEL_BUFFERING, "x-accel-buffering");
/// ```
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

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
