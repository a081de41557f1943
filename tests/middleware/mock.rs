//! A service that a test answers by hand, and that insists on being ready when it is called.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::sync::{mpsc, oneshot};
use tower::BoxError;
use tower_service::Service;

type Answer<B> = Result<B, BoxError>;

/// A service and what answers for it. It is always ready unless told otherwise.
pub(crate) fn pair<A, B>() -> (Mock<A, B>, Handle<A, B>) {
    let gate = Arc::new(Mutex::new(Gate {
        allowed: usize::MAX,
        error: None,
        waker: None,
    }));
    let (calls, asked) = mpsc::unbounded_channel();
    let mock = Mock {
        calls,
        gate: Arc::clone(&gate),
        is_ready: false,
    };
    (mock, Handle { asked, gate })
}

#[derive(Debug)]
struct Gate {
    /// How many calls may still become ready.
    allowed: usize,
    error: Option<BoxError>,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(crate) struct Mock<A, B> {
    calls: mpsc::UnboundedSender<(A, SendResponse<B>)>,
    gate: Arc<Mutex<Gate>>,
    is_ready: bool,
}

impl<A, B> Clone for Mock<A, B> {
    fn clone(&self) -> Self {
        Self {
            calls: self.calls.clone(),
            gate: Arc::clone(&self.gate),
            is_ready: false,
        }
    }
}

impl<A, B: Send + 'static> Service<A> for Mock<A, B> {
    type Response = B;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Answer<B>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Answer<()>> {
        let mut gate = self.gate.lock().unwrap();
        if let Some(error) = gate.error.take() {
            return Poll::Ready(Err(error));
        }
        if !self.is_ready {
            let Some(left) = gate.allowed.checked_sub(1) else {
                gate.waker = Some(cx.waker().clone());
                return Poll::Pending;
            };
            gate.allowed = left;
            self.is_ready = true;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, asked: A) -> Self::Future {
        assert!(
            std::mem::take(&mut self.is_ready),
            "called before it was ready"
        );
        let (send, answer) = oneshot::channel();
        let sent = self.calls.send((asked, SendResponse(send)));
        assert!(sent.is_ok(), "nobody answers any more");
        Box::pin(async { answer.await.expect("an answer") })
    }
}

#[derive(Debug)]
pub(crate) struct SendResponse<B>(oneshot::Sender<Answer<B>>);

impl<B> SendResponse<B> {
    pub(crate) fn send_response(self, response: B) {
        _ = self.0.send(Ok(response));
    }

    pub(crate) fn send_error(self, error: impl Into<BoxError>) {
        _ = self.0.send(Err(error.into()));
    }
}

#[derive(Debug)]
pub(crate) struct Handle<A, B> {
    asked: mpsc::UnboundedReceiver<(A, SendResponse<B>)>,
    gate: Arc<Mutex<Gate>>,
}

impl<A, B> Handle<A, B> {
    /// Lets this many more calls become ready.
    pub(crate) fn allow(&mut self, calls: usize) {
        let mut gate = self.gate.lock().unwrap();
        gate.allowed = calls;
        gate.waker.take().into_iter().for_each(Waker::wake);
    }

    /// Fails the next time that readiness is asked for.
    pub(crate) fn send_error(&mut self, error: impl Into<BoxError>) {
        self.gate.lock().unwrap().error = Some(error.into());
    }

    pub(crate) async fn next_request(&mut self) -> Option<(A, SendResponse<B>)> {
        poll_fn(|cx| self.asked.poll_recv(cx)).await
    }
}
