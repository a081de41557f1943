use http::{Response, StatusCode};

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
