use http::{Response, StatusCode};

/// Returns a 204 response without a body, after which a browser's `EventSource` does not reconnect
/// ([9.2.3]).
///
/// Use it in a handler with nothing left to send, such as one whose stream has finished. Any status
/// but 200 closes an `EventSource`, but 204 is not an error to proxies and monitoring.
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
