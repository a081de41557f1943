use http::{Response, StatusCode};

/// A 204 without a body: a browser's `EventSource` closes and does not reconnect ([9.2.3]).
///
/// For a handler with nothing left to send, such as one whose stream has finished. Every status but
/// 200 closes an `EventSource`; this is the one that is not an error to proxies and monitoring.
///
/// ```
/// let response = tower_sse::headers::no_content::<String>();
/// assert_eq!(response.status(), 204);
/// ```
///
/// [9.2.3]: https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model
#[must_use]
pub fn no_content<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
