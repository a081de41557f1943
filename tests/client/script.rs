//! A service that answers from a script, on tokio's paused clock.

use std::collections::VecDeque;
use std::future::{Future, Pending, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};
use tower::Service;
use tower_sse::EventSource;
use tower_sse::client::{ReadyState, Reconnect, SourceEvent};
use tower_sse::timer::TokioTimer;

/// What a body does next.
pub(crate) enum Act {
    Send(&'static [u8]),
    Wait(Duration),
    Break,
    /// Stays open and sends nothing more.
    Stall,
}

/// A body that acts, and ends when there is no act left.
pub(crate) struct Acts {
    acts: VecDeque<Act>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Acts {
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self {
            acts: acts.into_iter().collect(),
            sleep: None,
        }
    }
}

impl Body for Acts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.sleep = None;
            }
            return Poll::Ready(match self.acts.pop_front() {
                None => None,
                Some(Act::Send(bytes)) => Some(Ok(Frame::data(Bytes::from_static(bytes)))),
                Some(Act::Break) => Some(Err(io::Error::other("broken"))),
                Some(Act::Stall) => {
                    self.acts.push_front(Act::Stall);
                    return Poll::Pending;
                }
                Some(Act::Wait(time)) => {
                    self.sleep = Some(Box::pin(tokio::time::sleep(time)));
                    continue;
                }
            });
        }
    }
}

pub(crate) enum Answer {
    Response(Response<Acts>),
    /// The connection cannot be made.
    Refuse,
    /// The response never comes.
    Hang,
    /// The service is not ready any more.
    Dead,
}

/// 200 with the right type.
pub(crate) fn stream(acts: impl IntoIterator<Item = Act>) -> Answer {
    let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
    Answer::Response(response.body(Acts::new(acts)).unwrap())
}

pub(crate) fn send(bytes: &'static str) -> Act {
    Act::Send(bytes.as_bytes())
}

pub(crate) fn status(status: u16) -> Answer {
    let mut response = Response::new(Acts::new([send("because")]));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Answer::Response(response)
}

/// One request as the service got it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) at: Duration,
    pub(crate) request: Request<String>,
}

impl Asked {
    pub(crate) fn last_event_id(&self) -> Option<&[u8]> {
        let id = self.request.headers().get("last-event-id");
        id.map(http::HeaderValue::as_bytes)
    }
}

#[derive(Clone)]
pub(crate) struct Script {
    start: Instant,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            start: Instant::now(),
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            asked: Arc::default(),
        }
    }

    pub(crate) fn source(&self) -> Source {
        EventSource::new(self.clone(), request()).reconnect_when(Reconnect::Always)
    }

    /// When the requests came, from the start on.
    pub(crate) fn times(&self) -> Vec<Duration> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|asked| asked.at)
            .collect()
    }

    pub(crate) fn last_event_ids(&self) -> Vec<Option<String>> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|asked| {
                asked
                    .last_event_id()
                    .map(|id| String::from_utf8(id.to_vec()).unwrap())
            })
            .collect()
    }
}

pub(crate) type Source = EventSource<Script, String, TokioTimer>;

pub(crate) fn request() -> Request<String> {
    Request::post("http://example.org/feed?x=1")
        .header("x-mine", "yes")
        .body("question".to_owned())
        .unwrap()
}

impl Service<Request<String>> for Script {
    type Response = Response<Acts>;
    type Error = io::Error;
    type Future = futures_util::future::Either<
        Ready<io::Result<Response<Acts>>>,
        Pending<io::Result<Response<Acts>>>,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.answers.lock().unwrap().front() {
            Some(Answer::Dead) => Err(io::Error::other("dead")),
            _ => Ok(()),
        })
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let at = self.start.elapsed();
        self.asked.lock().unwrap().push(Asked { at, request });
        let answer = self.answers.lock().unwrap().pop_front();
        futures_util::future::Either::Left(ready(match answer {
            Some(Answer::Response(response)) => Ok(response),
            Some(Answer::Refuse) => Err(io::Error::other("refused")),
            Some(Answer::Hang) => {
                return futures_util::future::Either::Right(std::future::pending());
            }
            Some(Answer::Dead) => unreachable!("not ready"),
            // The end of every script.
            None => Ok(Response::builder().status(204).body(Acts::new([])).unwrap()),
        }))
    }
}

/// Everything that a source says, with its ready state after it, until the script's end.
pub(crate) async fn all(source: &mut Source) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(event) = source.next().await {
        let state = match source.ready_state() {
            ReadyState::Connecting => "connecting",
            ReadyState::Open => "open",
            ReadyState::Closed => "closed",
        };
        all.push(format!("{} ({state})", say(&event)));
    }
    all
}

pub(crate) fn say(event: &SourceEvent) -> String {
    match event {
        SourceEvent::Open(response) => format!("open {}", response.status()),
        SourceEvent::Message(event) => format!("{} {}", event.event_type(), event.data()),
        SourceEvent::Comment(comment) => format!("comment {comment}"),
        SourceEvent::Error(error) => format!("error: {error}"),
        SourceEvent::Failed(error) => format!("failed: {error}"),
        other => panic!("{other:?}"),
    }
}
