use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use http::Response;

use super::error::ClientError;
use super::event_source::EventSource;
use super::request::header_value;
use super::retry_after::retry_after;
use super::service::{HttpService, poll_ready};
use super::source_event::SourceEvent;
use crate::body::{PATIENCE, Read, Rejecting, Rejection, is_acceptable};
use crate::timer::Timer;

/// The maximum number of steps without an item in one poll, in case they never end.
pub(super) const STEPS_PER_POLL: usize = 256;

/// The state of a source's connection.
pub(super) enum ConnectionState<S: HttpService<B>, B, T: Timer> {
    /// Waiting for the service to be ready.
    Start,
    /// The request was sent.
    Requesting(Pin<Box<S::Future>>),
    Open(Pin<Box<S::ResponseBody>>),
    /// The response is not an event stream.
    Rejecting(Box<Rejecting<S::ResponseBody, T::Sleep>>),
    /// Waiting before the next request.
    Waiting(Pin<Box<T::Sleep>>),
    Closed,
}

// Everything that is pinned in it has its own box.
impl<S: HttpService<B>, B, T: Timer> Unpin for EventSource<S, B, T> {}

impl<S: HttpService<B>, B: Clone, T: Timer> Stream for EventSource<S, B, T> {
    type Item = SourceEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SourceEvent>> {
        let this = self.get_mut();
        for _ in 0..STEPS_PER_POLL {
            let step = match &mut this.state {
                ConnectionState::Start => this.poll_start(cx),
                ConnectionState::Requesting(_) => this.poll_response(cx),
                ConnectionState::Open(_) => this.poll_open(cx),
                ConnectionState::Rejecting(rejecting) => match rejecting.poll(cx) {
                    Poll::Ready(rejection) => Poll::Ready(this.reject(rejection)),
                    Poll::Pending => Poll::Pending,
                },
                ConnectionState::Waiting(sleep) => sleep.as_mut().poll(cx).map(|_| {
                    this.state = ConnectionState::Start;
                    None
                }),
                ConnectionState::Closed => return Poll::Ready(None),
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
        matches!(self.state, ConnectionState::Closed)
    }
}

/// An item to yield, or `None` if another step is needed first.
type Step = Poll<Option<SourceEvent>>;

impl<S: HttpService<B>, B: Clone, T: Timer> EventSource<S, B, T> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Step {
        match poll_ready(&mut self.service, cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(())) => {}
            // By Tower's contract, such a service must be discarded.
            Poll::Ready(Err(error)) => {
                return Poll::Ready(self.fail(ClientError::Service(error)));
            }
        }
        let id = self.last_event_id();
        let (request, complete) = self.template.request(&id);
        self.state = ConnectionState::Requesting(Box::pin(self.service.call(request)));
        self.health.ask(&self.timer, self.backoff.proof());
        self.watchdog.feed();
        Poll::Ready((!complete).then(|| SourceEvent::Error(ClientError::UnsendableId(id))))
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Step {
        let ConnectionState::Requesting(response) = &mut self.state else {
            return Poll::Ready(None);
        };
        match response.as_mut().poll(cx) {
            Poll::Ready(Ok(response)) => Poll::Ready(self.respond(response)),
            Poll::Ready(Err(error)) => {
                Poll::Ready(self.lose(ClientError::Transport(error.into()), false))
            }
            Poll::Pending => {
                // Polled so that its sleep runs.
                _ = self.health.has_taken_long(cx);
                self.poll_watchdog(cx)
            }
        }
    }

    fn respond(&mut self, response: Response<S::ResponseBody>) -> Option<SourceEvent> {
        self.watchdog.feed();
        if !is_acceptable(&response) {
            let sleep = self.timer.sleep(PATIENCE);
            self.state =
                ConnectionState::Rejecting(Box::new(Rejecting::new(response, Some(sleep))));
            return None;
        }
        let (head, body) = response.into_parts();
        self.state = ConnectionState::Open(Box::pin(body));
        self.health.open(&self.timer, self.backoff.proof());
        Some(SourceEvent::Open(Response::from_parts(head, ())))
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Step {
        let ConnectionState::Open(body) = &mut self.state else {
            return Poll::Ready(None);
        };
        if let Some(event) = self.reader.next_whole() {
            self.health.delivered = true;
            return Poll::Ready(Some(SourceEvent::Message(event)));
        }
        let Poll::Ready(read) = self.reader.poll_rest(body.as_mut(), cx, &mut 1) else {
            // Polled so that their sleeps run.
            _ = self.health.has_lasted(cx);
            _ = self.health.has_taken_long(cx);
            return self.poll_watchdog(cx);
        };
        Poll::Ready(match read {
            Read::Event => {
                self.health.delivered = true;
                Some(SourceEvent::Message(self.reader.take_event()))
            }
            Read::Comment(comment) => Some(SourceEvent::Comment(comment)),
            Read::Limit(limit) => Some(SourceEvent::Error(ClientError::Limit(limit))),
            // Not a sign of life, and a body may send any number of them.
            Read::Nothing => match self.poll_watchdog(cx) {
                Poll::Ready(step) => step,
                Poll::Pending => None,
            },
            Read::Data => {
                self.watchdog.feed();
                self.health.received = true;
                None
            }
            Read::Terminator => {
                self.close();
                None
            }
            Read::Failed(error) => {
                let healthy = self.health.has_lasted(cx);
                self.lose(ClientError::Transport(error.into()), healthy)
            }
            Read::Ended if self.reader.decoder().is_inside_event() => {
                let healthy = self.health.has_lasted(cx);
                self.lose(ClientError::Cut, healthy)
            }
            Read::Ended => {
                let healthy = self.health.received || self.health.has_taken_long(cx);
                let error = if self.reader.has_terminator() {
                    ClientError::Unterminated
                } else {
                    ClientError::Ended
                };
                self.lose(error, healthy)
            }
        })
    }

    fn poll_watchdog(&mut self, cx: &mut Context<'_>) -> Step {
        let Poll::Ready(time) = self.watchdog.poll(&self.timer, cx) else {
            return Poll::Pending;
        };
        // A connection without any data proves nothing, however long it was open.
        let healthy = self.health.received && self.health.has_lasted(cx);
        Poll::Ready(self.lose(ClientError::Idle(time), healthy))
    }

    fn reject(&mut self, rejection: Rejection) -> Option<SourceEvent> {
        if self.server_error_retries && rejection.is_temporary() {
            self.retry_after = retry_after(rejection.headers());
            self.lose(ClientError::Rejected(Box::new(rejection)), false)
        } else {
            self.fail(ClientError::Rejected(Box::new(rejection)))
        }
    }

    /// The standard's "reestablish the connection", if the policy allows it. If it does not, a
    /// clean end yields nothing.
    fn lose(&mut self, error: ClientError, healthy: bool) -> Option<SourceEvent> {
        let is_clean = matches!(
            error,
            ClientError::Ended | ClientError::Cut | ClientError::Unterminated
        );
        let has_id = || matches!(header_value(&self.last_event_id()), Ok(Some(_)));
        if !self.reconnect.after(is_clean, has_id) {
            if matches!(error, ClientError::Ended) {
                self.close();
                return None;
            }
            return self.fail(error);
        }
        if healthy || self.health.delivered {
            self.backoff.reset();
        } else if let Err(tries) = self.backoff.fail() {
            let last = Box::new(error);
            return self.fail(ClientError::GaveUp { tries, last });
        }
        self.disconnect();
        let retry = self.reader.decoder().reconnection_time();
        let delay = self.backoff.delay(retry, self.retry_after.take());
        self.state = ConnectionState::Waiting(Box::pin(self.timer.sleep(delay)));
        Some(SourceEvent::Error(error))
    }

    /// The standard's "fail the connection".
    fn fail(&mut self, error: ClientError) -> Option<SourceEvent> {
        self.close();
        Some(SourceEvent::Failed(error))
    }
}

impl<S: HttpService<B>, B, T: Timer> EventSource<S, B, T> {
    /// Resets the state of the connection.
    pub(super) fn disconnect(&mut self) {
        self.cut = self.reader.end();
        self.health.close();
        self.watchdog.stop();
    }
}
