//! The least work from one event to many bodies: a merged frame that all clone, a wake and a poll for
//! each body. No topics, no history, no heartbeats, and nobody leaves.

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

/// How many frames are kept for bodies whose turn has not come.
const FRAMES: usize = 8;

#[derive(Default)]
struct Hub {
    /// How many events there have been.
    published: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that nobody has taken.
    pending: Vec<Bytes>,
    /// How many have been taken.
    taken: u64,
    /// The last frames made of them, each with the events before it and at its end.
    frames: VecDeque<(u64, Bytes, u64)>,
    tasks: Vec<Option<Waker>>,
    waiting: Vec<usize>,
}

struct FloorBody {
    hub: Arc<Hub>,
    index: usize,
    taken: u64,
}

impl Hub {
    fn publish(&self, event: Bytes) {
        let mut state = self.state.lock().unwrap();
        let State {
            pending,
            tasks,
            waiting,
            ..
        } = &mut *state;
        pending.push(event);
        self.published.fetch_add(1, Ordering::Release);
        for index in waiting.drain(..) {
            if let Some(task) = &tasks[index] {
                task.wake_by_ref();
            }
        }
    }
}

impl State {
    fn merge(&mut self) {
        let (from, to) = (self.taken, self.taken + self.pending.len() as u64);
        let bytes = match &*self.pending {
            [only] => only.clone(),
            several => several.concat().into(),
        };
        self.pending.clear();
        self.taken = to;
        self.frames.push_back((from, bytes, to));
        if self.frames.len() > FRAMES {
            self.frames.pop_front();
        }
    }
}

impl Body for FloorBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        // Its task is left with the last frame.
        if this.taken > 0 && this.hub.published.load(Ordering::Acquire) == this.taken {
            return Poll::Pending;
        }
        let mut state = this.hub.state.lock().unwrap();
        let task = &mut state.tasks[this.index];
        if !task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            *task = Some(cx.waker().clone());
        }
        if state.taken == this.taken && !state.pending.is_empty() {
            state.merge();
        }
        state.waiting.push(this.index);
        if state.taken == this.taken {
            return Poll::Pending;
        }
        let mut frames = state.frames.iter().rev();
        let (_, bytes, to) = frames
            .find(|frame| frame.0 == this.taken)
            .expect("no body lags");
        this.taken = *to;
        Poll::Ready(Some(Ok(Frame::data(bytes.clone()))))
    }
}

pub(crate) fn floor() -> Contestant {
    let hub = Arc::new(Hub::default());
    hub.state.lock().unwrap().tasks.resize(BODIES, None);
    let bodies = bodies(|index| FloorBody {
        hub: Arc::clone(&hub),
        index,
        taken: 0,
    });
    Contestant {
        name: "floor",
        side: Side::Floor,
        bodies,
        publish: Box::new(move |n| hub.publish(ready_bytes(n))),
    }
}
