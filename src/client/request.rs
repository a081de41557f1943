use http::header::{ACCEPT, CACHE_CONTROL};
use http::request::Parts;
use http::{HeaderValue, Request};

use crate::headers::TEXT_EVENT_STREAM;
use crate::last_event_id::{LAST_EVENT_ID, LastEventId};
use crate::protocol::EventId;

type OnRequest = Box<dyn FnMut(&mut Parts) + Send + Sync>;

/// The request that is sent each time, except for its `Last-Event-ID`.
pub(super) struct Template<B> {
    request: Request<B>,
    pub(super) on_request: Option<OnRequest>,
}

impl<B> Template<B> {
    /// Returns the template, and the last event ID of the request.
    pub(super) fn new(mut request: Request<B>) -> (Self, EventId) {
        let headers = request.headers_mut();
        headers.entry(ACCEPT).or_insert(TEXT_EVENT_STREAM);
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-cache"));
        let id = LastEventId::from_headers(headers, usize::MAX);
        headers.remove(LAST_EVENT_ID);
        let id = id.ok().flatten().map_or(EventId::EMPTY, EventId::from);
        let template = Self {
            request,
            on_request: None,
        };
        (template, id)
    }

    pub(super) fn uri(&self) -> &http::Uri {
        self.request.uri()
    }
}

impl<B: Clone> Template<B> {
    /// Returns the request with this last event ID, and `true`. If no header can carry the ID,
    /// returns the request without it, and `false`.
    pub(super) fn request(&mut self, id: &EventId) -> (Request<B>, bool) {
        let mut request = self.request.clone();
        if let Some(on_request) = &mut self.on_request {
            let (mut parts, body) = request.into_parts();
            on_request(&mut parts);
            request = Request::from_parts(parts, body);
        }
        let headers = request.headers_mut();
        match header_value(id) {
            Ok(Some(value)) => _ = headers.insert(LAST_EVENT_ID, value),
            Ok(None) => _ = headers.remove(LAST_EVENT_ID),
            Err(Unsendable) => {
                headers.remove(LAST_EVENT_ID);
                return (request, false);
            }
        }
        (request, true)
    }
}

/// The ID cannot be sent in a header.
#[derive(Debug)]
pub(super) struct Unsendable;

/// The value of `Last-Event-ID`; `None` for an empty ID, which is not sent.
pub(super) fn header_value(id: &EventId) -> Result<Option<HeaderValue>, Unsendable> {
    // HTTP strips white space around a value, and HTTP/2 peers may refuse a value that has it.
    let value = id.as_bytes().trim_ascii();
    if value.is_empty() {
        return Ok(None);
    }
    match HeaderValue::from_bytes(value) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(Unsendable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(id: &str) -> Option<Option<String>> {
        let (mut template, _) = Template::new(Request::new(()));
        let (request, sendable) = template.request(&EventId::try_from(id).unwrap());
        let header = request.headers().get(LAST_EVENT_ID);
        let header = header.map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap());
        sendable.then_some(header)
    }

    #[test]
    fn an_id_goes_out_as_utf_8_or_not_at_all() {
        assert_eq!(header("müller 7"), Some(Some("müller 7".into())));
        assert_eq!(header("a\tb"), Some(Some("a\tb".into())));
        assert_eq!(header(" 7 "), Some(Some("7".into())));
        assert_eq!(header(""), Some(None));
        assert_eq!(header(" "), Some(None));
        let longest = "7".repeat(EventId::MAX_LEN);
        assert_eq!(header(&longest), Some(Some(longest.clone())));
        for unsendable in ["a\u{1}b", "\u{7f}", "\u{1b}[31m"] {
            assert_eq!(header(unsendable), None, "{unsendable:?}");
        }
    }

    #[test]
    fn headers_that_are_set_stay() {
        let request = Request::builder()
            .header(ACCEPT, "text/*")
            .header(LAST_EVENT_ID, "7");
        let (mut template, id) = Template::new(request.body(()).unwrap());
        assert_eq!(id, EventId::from(7u64));
        let (request, _) = template.request(&EventId::EMPTY);
        assert_eq!(request.headers()[ACCEPT], "text/*");
        assert_eq!(request.headers()[CACHE_CONTROL], "no-cache");
        assert!(!request.headers().contains_key(LAST_EVENT_ID));
    }
}
