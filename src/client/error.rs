use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::rejection::Rejection;
use crate::protocol::{EventId, LimitExceeded};

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// What goes wrong between an [`EventSource`](super::EventSource) and its server.
///
/// Whether the source goes on is said by the
/// [`SourceEvent`](super::SourceEvent) it comes in.
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
/// assert_eq!(error.to_string(), "the response is no event stream: 404 Not Found");
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The server ended the stream.
    Ended,
    /// The connection broke, or none could be made; the service's or the body's error.
    Transport(BoxError),
    /// No byte came for this long.
    Idle(Duration),
    /// The response was no event stream.
    Rejected(Box<Rejection>),
    /// An event was too long and has been dropped.
    Limit(LimitExceeded),
    /// The last event ID fits into no header: it has control characters, or is longer than 4 KiB.
    /// The request went out without it.
    UnsendableId(EventId),
    /// The service said that it will never be ready again.
    Service(BoxError),
    /// So many connections in a row delivered nothing; the last one for this reason.
    GaveUp {
        /// How many they were.
        tries: u32,
        /// What went wrong with the last one.
        last: Box<ClientError>,
    },
}

impl ClientError {
    /// The response, if one was rejected, also where that made the source give up.
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
            Self::Idle(time) => write!(f, "no byte came for {time:?}"),
            Self::Rejected(rejection) => {
                write!(f, "the response is no event stream: {rejection}")
            }
            Self::Limit(limit) => limit.fmt(f),
            Self::UnsendableId(_) => f.write_str("no header can carry the last event ID"),
            Self::Service(_) => f.write_str("the service will not be ready again"),
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
