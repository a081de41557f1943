use http::Response;

use super::error::ClientError;
use crate::protocol::MessageEvent;

/// An item of an [`EventSource`](super::EventSource).
///
/// ```
/// # use futures_util::StreamExt;
/// # use http::{Request, Response};
/// # use tower_sse::EventSource;
/// # use tower_sse::client::SourceEvent;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// # let service = tower::service_fn(|_: Request<String>| async {
/// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
/// # });
/// # let request = Request::new(String::new());
/// let mut source = EventSource::new(service, request);
/// let Some(SourceEvent::Open(response)) = source.next().await else {
///     panic!("not open");
/// };
/// assert_eq!(response.status(), 200);
/// let Some(SourceEvent::Message(event)) = source.next().await else {
///     panic!("no message");
/// };
/// assert_eq!(event.data(), "x");
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceEvent {
    /// The connection is open. Contains the response without its body. This is the browser's
    /// `open`.
    Open(Response<()>),
    /// An event has arrived. This is the browser's `message`, and every other type of event.
    Message(MessageEvent),
    /// A comment has arrived. Contains everything after its colon. Only yielded if
    /// [enabled](super::EventSource::comments).
    Comment(String),
    /// An error occurred, and the source continues. This is the browser's `error`.
    Error(ClientError),
    /// The connection failed, and the stream ends. This is the browser's `error`, with `readyState`
    /// `CLOSED`.
    Failed(ClientError),
}

/// The standard's ready state.
///
/// ```
/// # use http::{Request, Response};
/// # use tower_sse::EventSource;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// # let service = tower::service_fn(|_: Request<String>| async {
/// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
/// # });
/// # let request = Request::new(String::new());
/// use tower_sse::client::ReadyState;
///
/// let mut source = EventSource::new(service, request);
/// assert_eq!(source.ready_state(), ReadyState::Connecting);
/// source.close();
/// assert_eq!(source.ready_state(), ReadyState::Closed);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadyState {
    /// Not connected yet, or waiting to reconnect.
    Connecting,
    /// Events are arriving as the server sends them.
    Open,
    /// Failed, or closed by [`close`](super::EventSource::close): no more events will arrive.
    Closed,
}
