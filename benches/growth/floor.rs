//! The least that a hub does with many topics. A topic is found by its name, its subscriber's task is
//! taken and woken, and its body, which is polled, hands out the event and leaves its task. There is
//! no history, no place, and no limit.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::{Publishes, event};

#[derive(Default)]
pub(crate) struct FloorHub {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The subscriber of each topic. All follow a topic that is not there.
    topics: HashMap<String, usize>,
    subscribers: Vec<Subscriber>,
}

#[derive(Default)]
struct Subscriber {
    pending: Option<Bytes>,
    task: Option<Waker>,
}

pub(crate) struct FloorBody {
    state: Arc<Mutex<State>>,
    subscriber: usize,
}

impl Body for FloorBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut state = self.state.lock().unwrap();
        let subscriber = &mut state.subscribers[self.subscriber];
        if let Some(pending) = subscriber.pending.take() {
            return Poll::Ready(Some(Ok(Frame::data(pending))));
        }
        subscriber.task = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Publishes for FloorHub {
    type Body = FloorBody;

    fn follow(&self, topic: &str, _shared: bool) -> Pin<Box<FloorBody>> {
        let mut state = self.state.lock().unwrap();
        let subscriber = state.subscribers.len();
        state.topics.insert(topic.to_owned(), subscriber);
        state.subscribers.push(Subscriber::default());
        Box::pin(FloorBody {
            state: Arc::clone(&self.state),
            subscriber,
        })
    }

    fn publish(&self, topic: &str) {
        let block = event().encode().into_bytes();
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        let followers = match state.topics.get(topic) {
            Some(only) => &mut state.subscribers[*only..=*only],
            None => &mut state.subscribers[..],
        };
        for subscriber in followers {
            subscriber.pending = Some(block.clone());
            if let Some(task) = subscriber.task.take() {
                task.wake();
            }
        }
    }
}

/// The least that retains events: the topic is found by its name, and loses its oldest event.
pub(crate) struct FloorLog {
    topics: HashMap<String, VecDeque<Bytes>>,
    retained: usize,
}

impl FloorLog {
    pub(crate) fn new(names: &[String], retained: usize) -> Self {
        let topics = names.iter().map(|name| (name.clone(), VecDeque::new()));
        Self {
            topics: topics.collect(),
            retained,
        }
    }

    pub(crate) fn publish(&mut self, topic: &str) {
        let block = event().encode().into_bytes();
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.push_back(block);
            if topic.len() > self.retained {
                topic.pop_front();
            }
        }
    }
}

/// The least that publishers on several threads share: the retained events, in their order.
pub(crate) struct FloorRing {
    events: Mutex<VecDeque<Bytes>>,
    retained: usize,
}

impl FloorRing {
    pub(crate) fn new(retained: usize) -> Self {
        Self {
            events: Mutex::new(VecDeque::with_capacity(retained + 1)),
            retained,
        }
    }

    pub(crate) fn publish(&self) {
        let block = event().encode().into_bytes();
        let mut events = self.events.lock().unwrap();
        events.push_back(block);
        let oldest = if events.len() > self.retained {
            events.pop_front()
        } else {
            None
        };
        drop(events);
        drop(oldest);
    }

    pub(crate) fn len(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}
