use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use http::{Response, StatusCode};
use http_body::Body;

use super::error::ClientError;
use super::event_source::EventSource;
use super::rejection::{Rejecting, Rejection};
use super::retry_after::retry_after;
use super::service::{HttpService, poll_ready};
use super::source_event::SourceEvent;
use crate::body::next_chunk;
use crate::headers::is_event_stream;
use crate::protocol::Decoded;
use crate::timer::Timer;

/// How many steps without anything to say one poll takes at most, in case they never end.
const STEPS_PER_POLL: usize = 256;

/// Where a source is with its connection.
pub(super) enum State<S: HttpService<B>, B, T: Timer> {
    /// Waiting for the service to take a request.
    Start,
    /// The request is out.
    Requesting(Pin<Box<S::Future>>),
    Open(Pin<Box<S::ResponseBody>>),
    /// The response is no event stream.
    Rejecting(Box<Rejecting<S::ResponseBody, T>>),
    /// Waiting before the next request.
    Waiting(Pin<Box<T::Sleep>>),
    Closed,
}

// Nothing is pinned in it but what has a box of its own.
impl<S: HttpService<B>, B, T: Timer> Unpin for EventSource<S, B, T> {}

impl<S: HttpService<B>, B: Clone, T: Timer> Stream for EventSource<S, B, T> {
    type Item = SourceEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SourceEvent>> {
        let this = self.get_mut();
        for _ in 0..STEPS_PER_POLL {
            let step = match &mut this.state {
                State::Start => this.poll_start(cx),
                State::Requesting(_) => this.poll_response(cx),
                State::Open(_) => this.poll_open(cx),
                State::Rejecting(rejecting) => match rejecting.poll(cx) {
                    Poll::Ready(rejection) => Poll::Ready(Some(this.reject(rejection))),
                    Poll::Pending => Poll::Pending,
                },
                State::Waiting(sleep) => sleep.as_mut().poll(cx).map(|_| {
                    this.state = State::Start;
                    None
                }),
                State::Closed => return Poll::Ready(None),
            };
            match step {
                Poll::Ready(Some(event)) => return Poll::Ready(Some(event)),
                Poll::Ready(None) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: HttpService<B>, B: Clone, T: Timer> FusedStream for EventSource<S, B, T> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}

/// Something to say, or nothing yet: then there is another step to take.
type Step = Poll<Option<SourceEvent>>;

impl<S: HttpService<B>, B: Clone, T: Timer> EventSource<S, B, T> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Step {
        match poll_ready(&mut self.service, cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(())) => {}
            // Tower's contract: such a service is to be discarded.
            Poll::Ready(Err(error)) => {
                return Poll::Ready(Some(self.fail(ClientError::Service(error))));
            }
        }
        let id = self.decoder.last_event_id();
        let (request, complete) = self.template.request(&id);
        self.state = State::Requesting(Box::pin(self.service.call(request)));
        self.watchdog.feed();
        Poll::Ready((!complete).then(|| SourceEvent::Error(ClientError::UnsendableId(id))))
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Step {
        let State::Requesting(response) = &mut self.state else {
            return Poll::Ready(None);
        };
        match response.as_mut().poll(cx) {
            Poll::Ready(Ok(response)) => Poll::Ready(self.respond(response)),
            Poll::Ready(Err(error)) => {
                Poll::Ready(Some(self.lose(ClientError::Transport(error.into()), None)))
            }
            Poll::Pending => self.poll_watchdog(cx),
        }
    }

    fn respond(&mut self, response: Response<S::ResponseBody>) -> Option<SourceEvent> {
        let (head, body) = response.into_parts();
        let head = Response::from_parts(head, ());
        self.watchdog.feed();
        if head.status() == StatusCode::OK && is_event_stream(head.headers()) {
            self.state = State::Open(Box::pin(body));
            return Some(SourceEvent::Open(head));
        }
        self.state = State::Rejecting(Box::new(Rejecting::new(head, body, &self.timer)));
        None
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Step {
        loop {
            if let Some(event) = self.decode() {
                return Poll::Ready(Some(event));
            }
            match self.data.as_mut().and_then(next_chunk) {
                Some(chunk) => self.chunk = chunk,
                None => break,
            }
        }
        let State::Open(body) = &mut self.state else {
            return Poll::Ready(None);
        };
        match body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.data = frame.into_data().ok().filter(Buf::has_remaining);
                if self.data.is_some() {
                    self.watchdog.feed();
                    self.frames = self.frames.saturating_add(1);
                    if self.frames > 1 {
                        self.backoff.reset();
                    }
                }
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(self.lose(ClientError::Transport(error.into()), None)))
            }
            Poll::Ready(None) => Poll::Ready(Some(self.lose(ClientError::Ended, None))),
            Poll::Pending => self.poll_watchdog(cx),
        }
    }

    fn decode(&mut self) -> Option<SourceEvent> {
        let decoded = if self.comments {
            self.decoder.decode_with_comments(&mut self.chunk)
        } else {
            let event = self.decoder.decode(&mut self.chunk);
            event.map(|event| event.map(Decoded::Event))
        };
        Some(match decoded {
            Ok(None) => return None,
            Ok(Some(Decoded::Event(event))) => {
                self.frames = u8::MAX;
                self.backoff.reset();
                SourceEvent::Message(event)
            }
            Ok(Some(Decoded::Comment(comment))) => SourceEvent::Comment(comment),
            Err(limit) => SourceEvent::Error(ClientError::Limit(limit)),
        })
    }

    fn poll_watchdog(&mut self, cx: &mut Context<'_>) -> Step {
        match self.watchdog.poll(&self.timer, cx) {
            Poll::Ready(time) => Poll::Ready(Some(self.lose(ClientError::Idle(time), None))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn reject(&mut self, rejection: Rejection) -> SourceEvent {
        let retry_after = retry_after(rejection.headers());
        let retry = self.server_error_retries && rejection.is_temporary();
        let error = ClientError::Rejected(Box::new(rejection));
        if retry {
            self.lose(error, retry_after)
        } else {
            self.fail(error)
        }
    }

    /// The standard's "reestablish the connection".
    fn lose(&mut self, error: ClientError, retry_after: Option<Duration>) -> SourceEvent {
        if self.frames < 2 {
            if let Err(tries) = self.backoff.fail() {
                let last = Box::new(error);
                return self.fail(ClientError::GaveUp { tries, last });
            }
        }
        self.disconnect();
        let retry = self.decoder.reconnection_time();
        let delay = self.backoff.delay(retry, retry_after);
        self.state = State::Waiting(Box::pin(self.timer.sleep(delay)));
        SourceEvent::Error(error)
    }

    /// The standard's "fail the connection".
    fn fail(&mut self, error: ClientError) -> SourceEvent {
        self.close();
        SourceEvent::Failed(error)
    }
}

impl<S: HttpService<B>, B, T: Timer> EventSource<S, B, T> {
    /// Forgets what belongs to one connection.
    pub(super) fn disconnect(&mut self) {
        self.decoder.end();
        self.data = None;
        self.chunk = Bytes::new();
        self.frames = 0;
        self.watchdog.stop();
    }
}
