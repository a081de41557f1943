//! The floor of a hub with one lock: the least work where the lock guards what a hub has to know, namely the
//! last 4,096 events, the place of each body, and who waits. A body that has read all waits without the lock.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};
use support::Side;

use crate::bodies::{BODIES, bodies};
use crate::contestants::{Contestant, ready_bytes};
use crate::floor::Heartbeats;

/// How many events are kept: as many as a hub retains of a topic by default.
const HISTORY: usize = 4_096;

struct Hub {
    /// How many events have been published.
    published: AtomicU64,
    state: Mutex<State>,
}

struct State {
    history: VecDeque<Bytes>,
    published: u64,
    /// The last frame, and the places where it begins and ends.
    frame: Bytes,
    from: u64,
    to: u64,
    readers: Vec<Reader>,
    waiting: Vec<usize>,
}

#[derive(Clone, Default)]
struct Reader {
    place: u64,
    task: Option<Waker>,
}

struct LockedBody {
    hub: Arc<Hub>,
    index: usize,
    /// How many events it has read.
    read: u64,
    /// The task that the hub wakes.
    task: Option<Waker>,
    heartbeats: Option<Heartbeats>,
}

impl Hub {
    fn publish(&self, event: Bytes) {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        state.history.push_back(event);
        state.published += 1;
        self.published.store(state.published, Ordering::Release);
        if state.history.len() > HISTORY {
            state.history.pop_front();
        }
        for index in state.waiting.drain(..) {
            if let Some(task) = &state.readers[index].task {
                task.wake_by_ref();
            }
        }
    }

    /// The frame from this place on.
    // Not inlined: it is then stored where the caller wants it, before the lock is released.
    #[inline(never)]
    fn read(&self, index: usize, read: &mut u64) -> Option<Bytes> {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        if state.to < state.published {
            state.merge();
        }
        let reader = &mut state.readers[index];
        if reader.place != state.from {
            return None;
        }
        state.waiting.push(index);
        reader.place = state.to;
        *read = state.to;
        Some(state.frame.clone())
    }
}

impl State {
    /// Makes the next frame of all that is pending.
    #[cold]
    fn merge(&mut self) {
        let pending = usize::try_from(self.published - self.to).unwrap();
        let pending = self.history.range(self.history.len() - pending..);
        self.frame = match pending.len() {
            1 => pending.last().unwrap().clone(),
            _ => pending
                .map(|event| &**event)
                .collect::<Vec<_>>()
                .concat()
                .into(),
        };
        (self.from, self.to) = (self.to, self.published);
    }
}

impl Body for LockedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(heartbeats) = &mut this.heartbeats
            && !heartbeats.is_silent(cx.waker())
            && heartbeats.poll(cx.waker())
        {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b":\n")))));
        }
        if !this
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(cx.waker()))
        {
            this.task = Some(cx.waker().clone());
            let mut state = this.hub.state.lock().unwrap();
            state.readers[this.index].task = this.task.clone();
            state.waiting.push(this.index);
        }
        if this.hub.published.load(Ordering::Acquire) == this.read {
            return Poll::Pending;
        }
        if let Some(heartbeats) = &mut this.heartbeats {
            heartbeats.is_busy = true;
        }
        let frame = this.hub.read(this.index, &mut this.read);
        let frame = frame.expect("all bodies are at the same place");
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}

pub(crate) fn locked(heartbeats: bool) -> Contestant {
    let hub = Arc::new(Hub {
        published: AtomicU64::new(0),
        state: Mutex::new(State {
            history: VecDeque::with_capacity(HISTORY + 1),
            published: 0,
            frame: Bytes::new(),
            from: 0,
            to: 0,
            readers: vec![Reader::default(); BODIES],
            waiting: Vec::with_capacity(BODIES),
        }),
    });
    let bodies = bodies(|index| LockedBody {
        hub: Arc::clone(&hub),
        index,
        read: 0,
        task: None,
        heartbeats: heartbeats.then(Heartbeats::new),
    });
    Contestant {
        name: "floor, locked",
        side: Side::Floor,
        bodies,
        publish: Box::new(move |n| hub.publish(ready_bytes(n))),
    }
}
