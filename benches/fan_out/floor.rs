//! The least work from one event to many bodies: a merged frame that all clone, a wake and a poll for
//! each body, by whichever task. No topics, no history, and nobody leaves. With heartbeats, each poll
//! looks whether the body's sleep has ended, and each frame is noted for the next time that it does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};
use support::Side;
use tokio::time::{Instant, Sleep};

use crate::bodies::{BODIES, bodies};
use crate::contestants::{Contestant, HEARTBEAT, ready_bytes};

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
    /// The task that the hub wakes.
    task: Option<Waker>,
    heartbeats: Option<Heartbeats>,
}

/// A heartbeat where nothing was sent from one end of the sleep to the next.
struct Heartbeats {
    sleep: Pin<Box<Sleep>>,
    alarm: Option<Arc<Alarm>>,
    is_busy: bool,
}

/// What the sleep wakes.
struct Alarm {
    task: Waker,
    is_due: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.is_due.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl Heartbeats {
    fn new() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(HEARTBEAT)),
            alarm: None,
            is_busy: false,
        }
    }

    fn is_silent(&self, task: &Waker) -> bool {
        let alarm = self.alarm.as_ref();
        alarm.is_some_and(|alarm| {
            alarm.task.will_wake(task) && !alarm.is_due.load(Ordering::Acquire)
        })
    }

    /// Whether a heartbeat is due.
    #[cold]
    fn poll(&mut self, task: &Waker) -> bool {
        let alarm = Arc::new(Alarm {
            task: task.clone(),
            is_due: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&alarm));
        self.alarm = Some(alarm);
        let mut is_due = false;
        while self
            .sleep
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            is_due |= !std::mem::take(&mut self.is_busy);
            self.sleep.as_mut().reset(Instant::now() + HEARTBEAT);
        }
        is_due
    }
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

impl FloorBody {
    #[inline]
    fn poll_hub(&mut self, cx: &Context<'_>) -> Poll<Bytes> {
        let task = cx.waker();
        let is_known = self.task.as_ref().is_some_and(|own| own.will_wake(task));
        // The task is left with the last frame.
        if is_known && self.taken > 0 && self.hub.published.load(Ordering::Acquire) == self.taken {
            return Poll::Pending;
        }
        let mut state = self.hub.state.lock().unwrap();
        if !is_known {
            self.task = Some(task.clone());
            state.tasks[self.index] = Some(task.clone());
        }
        if state.taken == self.taken && !state.pending.is_empty() {
            state.merge();
        }
        state.waiting.push(self.index);
        if state.taken == self.taken {
            return Poll::Pending;
        }
        let mut frames = state.frames.iter().rev();
        let (_, bytes, to) = frames
            .find(|frame| frame.0 == self.taken)
            .expect("no body lags");
        self.taken = *to;
        Poll::Ready(bytes.clone())
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
        if let Some(heartbeats) = &mut this.heartbeats
            && !heartbeats.is_silent(cx.waker())
            && heartbeats.poll(cx.waker())
        {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b":\n")))));
        }
        let polled = this.poll_hub(cx);
        if let (Poll::Ready(_), Some(heartbeats)) = (&polled, &mut this.heartbeats) {
            heartbeats.is_busy = true;
        }
        polled.map(|bytes| Some(Ok(Frame::data(bytes))))
    }
}

pub(crate) fn floor(heartbeats: bool) -> Contestant {
    let hub = Arc::new(Hub::default());
    hub.state.lock().unwrap().tasks.resize(BODIES, None);
    let bodies = bodies(|index| FloorBody {
        hub: Arc::clone(&hub),
        index,
        taken: 0,
        task: None,
        heartbeats: heartbeats.then(Heartbeats::new),
    });
    Contestant {
        name: "floor",
        side: Side::Floor,
        bodies,
        publish: Box::new(move |n| hub.publish(ready_bytes(n))),
    }
}
