use std::fmt;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, Request};

use super::InvalidLastEventId;
use super::policy::Policy;
use super::query::{names_last_event_id, percent_decode};
use crate::protocol::EventId;

/// `Last-Event-ID`, the header in which a client sends the ID of the last event it saw.
///
/// ```
/// let request = http::Request::get("/feed").header(tower_sse::LAST_EVENT_ID, "7").body(())?;
/// assert_eq!(request.headers()["Last-Event-ID"], "7");
/// # Ok::<(), http::Error>(())
/// ```
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The ID of the last event that a reconnecting client saw ([9.2.4]).
///
/// [`SseLayer`](crate::SseLayer) puts it into the request's extensions; with the feature `axum`,
/// `Option<LastEventId>` is an extractor. It is only the client's claim: it says where to resume,
/// never what the client may see.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use tower_sse::LastEventId;
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(LastEventId::from_headers(&headers, LastEventId::MAX_LEN)?, None);
///
/// headers.insert("last-event-id", HeaderValue::from_bytes("zürich-7".as_bytes()).unwrap());
/// let last = LastEventId::from_headers(&headers, LastEventId::MAX_LEN)?.unwrap();
/// assert_eq!(last.as_str(), "zürich-7");
///
/// let error = LastEventId::from_headers(&headers, 4).unwrap_err();
/// assert_eq!(error.to_string(), "Last-Event-ID is 9 bytes long, over the limit of 4");
/// # Ok::<(), tower_sse::InvalidLastEventId>(())
/// ```
///
/// [9.2.4]: https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LastEventId(EventId);

impl LastEventId {
    /// The longest ID that the layer and the extractor accept by default: [`EventId::MAX_LEN`], 4 KiB.
    /// A higher limit has no effect, as no event can have had a longer ID.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue};
    /// # use tower_sse::{LAST_EVENT_ID, LastEventId};
    /// let id = HeaderValue::try_from("x".repeat(LastEventId::MAX_LEN + 1)).unwrap();
    /// let headers = HeaderMap::from_iter([(LAST_EVENT_ID, id)]);
    /// assert!(LastEventId::from_headers(&headers, LastEventId::MAX_LEN).is_err());
    /// ```
    pub const MAX_LEN: usize = EventId::MAX_LEN;

    /// Reads the ID of a request: the ID that an outer [`SseLayer`](crate::SseLayer) found, or the
    /// header, of at most [`MAX_LEN`](Self::MAX_LEN) bytes.
    ///
    /// Use it in handlers with side effects: an invalid ID is an error here, whereas the extensions
    /// merely contain no `LastEventId`.
    ///
    /// # Errors
    ///
    /// If the layer found an invalid ID, or the header is invalid.
    ///
    /// ```
    /// use tower_sse::LastEventId;
    ///
    /// let request = http::Request::get("/feed").header("last-event-id", "42").body(()).unwrap();
    /// assert_eq!(LastEventId::from_request(&request)?.unwrap().number(), Some(42));
    /// # Ok::<(), tower_sse::InvalidLastEventId>(())
    /// ```
    pub fn from_request<B>(request: &Request<B>) -> Result<Option<Self>, InvalidLastEventId> {
        let found = Policy::new().read(request.uri(), request.headers(), request.extensions());
        found.into_result()
    }

    /// Reads the ID from the request's header; `None` if the header is missing or empty. Of
    /// several, the first counts.
    ///
    /// # Errors
    ///
    /// If the value is longer than `max_len` bytes, or not UTF-8.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue};
    /// # use tower_sse::{LAST_EVENT_ID, LastEventId};
    /// let headers = HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_static("42"))]);
    /// assert_eq!(LastEventId::from_headers(&headers, 100)?.unwrap().number(), Some(42));
    /// assert!(LastEventId::from_headers(&headers, 1).is_err());
    /// # Ok::<(), tower_sse::InvalidLastEventId>(())
    /// ```
    pub fn from_headers(
        headers: &HeaderMap,
        max_len: usize,
    ) -> Result<Option<Self>, InvalidLastEventId> {
        match headers.get(LAST_EVENT_ID) {
            Some(value) => Self::parse(value.as_bytes(), max_len),
            None => Ok(None),
        }
    }

    /// Reads the ID from the query of the request's URI, for first connections: `EventSource`
    /// cannot set headers. `None` if the parameter is missing or empty. Of several, the first
    /// counts.
    ///
    /// The parameter is `lastEventId`, in any of the usual spellings: `last-event-id`,
    /// `last_event_id`, `Last-Event-ID`.
    ///
    /// # Errors
    ///
    /// If the decoded value is longer than `max_len` bytes, or is not a valid ID: not UTF-8, or
    /// with a NUL, CR or LF.
    ///
    /// ```
    /// use tower_sse::LastEventId;
    ///
    /// let last = LastEventId::from_query("topic=7&lastEventId=z%C3%BCrich+7", 100)?.unwrap();
    /// assert_eq!(last.as_str(), "zürich 7");
    /// assert_eq!(LastEventId::from_query("topic=7", 100)?, None);
    /// assert!(LastEventId::from_query("last-event-id=7%0Adata", 100).is_err());
    /// # Ok::<(), tower_sse::InvalidLastEventId>(())
    /// ```
    pub fn from_query(query: &str, max_len: usize) -> Result<Option<Self>, InvalidLastEventId> {
        let value = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| names_last_event_id(name))
            .map(|(_, value)| value);
        match value {
            Some(value) => Self::parse(&percent_decode(value), max_len),
            None => Ok(None),
        }
    }

    fn parse(value: &[u8], max_len: usize) -> Result<Option<Self>, InvalidLastEventId> {
        if value.is_empty() {
            return Ok(None);
        }
        // No event can have had a longer ID, whatever the setting.
        let max_len = max_len.min(EventId::MAX_LEN);
        // Before the copy, so that a value that is too long costs nothing.
        if value.len() > max_len {
            return Err(InvalidLastEventId::too_long(value.len(), max_len));
        }
        match EventId::try_from(Bytes::copy_from_slice(value)) {
            Ok(id) => Ok(Some(Self(id))),
            Err(error) => Err(InvalidLastEventId::text(error)),
        }
    }

    /// Returns the ID, which is never empty.
    ///
    /// ```
    /// # use tower_sse::{EventId, LastEventId};
    /// let last = LastEventId::from_query("lastEventId=7", 100)?.unwrap();
    /// assert_eq!(*last.id(), EventId::from(7u64));
    /// # Ok::<(), tower_sse::InvalidLastEventId>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.0
    }

    /// Returns the ID as text.
    ///
    /// ```
    /// # use tower_sse::LastEventId;
    /// let last = LastEventId::from_query("lastEventId=match-7%2F42", 100)?.unwrap();
    /// assert_eq!(last.as_str(), "match-7/42");
    /// # Ok::<(), tower_sse::InvalidLastEventId>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the ID as a number, if it is one in the form that [`EventId`] writes: decimal
    /// digits, without a sign or leading zeros.
    ///
    /// ```
    /// use tower_sse::LastEventId;
    ///
    /// let number = |query| LastEventId::from_query(query, 100).unwrap().unwrap().number();
    /// assert_eq!(number("lastEventId=42"), Some(42));
    /// assert_eq!(number("lastEventId=042"), None);
    /// assert_eq!(number("lastEventId=%2B42"), None);
    /// ```
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let number = self.as_str().parse().ok()?;
        (EventId::from(number) == self.0).then_some(number)
    }
}

impl From<LastEventId> for EventId {
    fn from(last: LastEventId) -> Self {
        last.0
    }
}

impl fmt::Display for LastEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
