use std::fmt;
use std::future::{Future, Pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;

use super::event_stream::EventStream;
use super::rejection::{Rejecting, Rejection, is_acceptable};

/// The future of [`EventStream::from_response`]. It resolves to an event stream at once, or to a
/// [`Rejection`] once the beginning of the response's body has been read.
///
/// ```
/// use futures_util::FutureExt;
/// use http::Response;
/// use tower_sse::EventStream;
/// use tower_sse::body::FromResponse;
///
/// let response = Response::builder()
///     .header("content-type", "text/event-stream")
///     .body("data: x\n\n".to_owned())
///     .unwrap();
/// let future: FromResponse<String> = EventStream::from_response(response);
/// assert!(future.now_or_never().unwrap().is_ok());
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct FromResponse<B: Body, F = Pending<()>> {
    state: Verdict<B, F>,
}

#[allow(clippy::large_enum_variant, reason = "nearly all are accepted")]
enum Verdict<B: Body, F> {
    Accepted(EventStream<B>),
    Rejecting(Rejecting<B, F>),
    Done,
}

impl<B: Body, F: Future> FromResponse<B, F> {
    pub(super) fn new(response: Response<B>, sleep: impl FnOnce() -> Option<F>) -> Self {
        let state = if is_acceptable(&response) {
            Verdict::Accepted(EventStream::new(response.into_body()))
        } else {
            Verdict::Rejecting(Rejecting::new(response, sleep()))
        };
        Self { state }
    }
}

// Everything that is pinned in it has its own box.
impl<B: Body, F> Unpin for FromResponse<B, F> {}

impl<B: Body, F: Future> Future for FromResponse<B, F> {
    type Output = Result<EventStream<B>, Rejection>;

    /// # Panics
    ///
    /// If it is polled after it has resolved.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Verdict::Rejecting(rejecting) = &mut this.state {
            let Poll::Ready(rejection) = rejecting.poll(cx) else {
                return Poll::Pending;
            };
            this.state = Verdict::Done;
            return Poll::Ready(Err(rejection));
        }
        match std::mem::replace(&mut this.state, Verdict::Done) {
            Verdict::Accepted(events) => Poll::Ready(Ok(events)),
            _ => panic!("polled after it has resolved"),
        }
    }
}

impl<B: Body, F> fmt::Debug for FromResponse<B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            Verdict::Accepted(_) => "accepted",
            Verdict::Rejecting(_) => "rejecting",
            Verdict::Done => "done",
        };
        f.debug_struct("FromResponse")
            .field("state", &state)
            .finish()
    }
}
