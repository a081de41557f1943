use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::body::{BoxError, Rejection};
use crate::protocol::{EventId, LimitExceeded};

/// An error between an [`EventSource`](super::EventSource) and its server.
///
/// The [`SourceEvent`](super::SourceEvent) that carries it says whether the source reconnects.
///
/// ```
/// # use futures_util::StreamExt;
/// # use http::{Request, Response};
/// # use tower_sse::EventSource;
/// # use tower_sse::client::SourceEvent;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// # let service = tower::service_fn(|_: Request<String>| async {
/// #     Response::builder().status(404).header("x-why", "no").body("because".to_owned())
/// # });
/// # let request = Request::new(String::new());
/// use tower_sse::client::ClientError;
///
/// let mut source = EventSource::new(service, request);
/// let Some(SourceEvent::Failed(error)) = source.next().await else {
///     panic!("did not fail");
/// };
/// assert!(matches!(error, ClientError::Rejected(_)));
/// assert_eq!(error.to_string(), "the response is not an event stream: 404 Not Found");
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The server ended the stream, between two events.
    Ended,
    /// The server ended the stream in the middle of an event, which is lost unless the server sends
    /// it again.
    Cut,
    /// The server ended the stream without its [terminator](super::EventSource::until).
    Unterminated,
    /// The connection broke or could not be made. Contains the error of the service or the body.
    Transport(BoxError),
    /// No data arrived for this long.
    Idle(Duration),
    /// The response was not an event stream.
    Rejected(Box<Rejection>),
    /// An event was too long and was dropped.
    Limit(LimitExceeded),
    /// The last event ID cannot be sent, because it contains control characters. The request was
    /// sent without it.
    UnsendableId(EventId),
    /// The service reported an error instead of becoming ready, and can no longer be used.
    Service(BoxError),
    /// Too many connections in a row failed.
    GaveUp {
        /// The number of failed connections.
        tries: u32,
        /// The error of the last connection, which is also the source of this error.
        last: Box<ClientError>,
    },
}

impl ClientError {
    /// Returns the rejected response, if there is one, also if it made the source give up.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().status(404).header("x-why", "no").body("because".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// let Some(SourceEvent::Failed(error)) = source.next().await else {
    ///     panic!("did not fail");
    /// };
    /// assert_eq!(error.rejection().unwrap().status(), 404);
    /// # }
    /// ```
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::GaveUp { last, .. } => last.rejection(),
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("the event stream has ended"),
            Self::Transport(_) => f.write_str("the connection failed"),
            Self::Cut => f.write_str("the event stream ended in the middle of an event"),
            Self::Unterminated => f.write_str("the event stream ended without its terminator"),
            Self::Idle(time) => write!(f, "no data received for {} s", time.as_secs_f64()),
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Limit(limit) => limit.fmt(f),
            Self::UnsendableId(_) => f.write_str("the last event ID cannot be sent in a header"),
            Self::Service(_) => f.write_str("the HTTP service can no longer be used"),
            Self::GaveUp { tries: 1, .. } => f.write_str("gave up after 1 try"),
            Self::GaveUp { tries, .. } => write!(f, "gave up after {tries} tries"),
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Transport(error) | Self::Service(error) => Some(&**error),
            Self::GaveUp { last, .. } => Some(&**last),
            _ => None,
        }
    }
}
