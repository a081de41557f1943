//! The least work from one event to many bodies: a frame of all that is pending, which all clone without a
//! lock, a wake and a poll for each body, by whichever task. No topics, no history, nobody leaves, and all
//! are woken where one waits. With heartbeats, each poll looks whether the body's sleep has ended, and each
//! frame is noted for the next time that it does.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};
use support::Side;
use tokio::time::{Instant, Sleep};

use crate::bodies::{BODIES, bodies};
use crate::contestants::{Contestant, HEARTBEAT, ready_bytes};

/// How many frames a segment has.
const FRAMES: usize = 256;

struct Hub {
    /// How many events are in no frame yet.
    pending: AtomicUsize,
    /// Whether a body waits that has not been woken since.
    has_waiting: AtomicBool,
    state: Mutex<State>,
}

struct State {
    pending: Vec<Bytes>,
    tasks: Vec<Option<Waker>>,
}

/// Frames that all bodies read one after the other. The first that reads one makes it of all events that
/// are pending; the others need no lock.
struct Segment {
    frames: [OnceLock<Bytes>; FRAMES],
    next: OnceLock<Arc<Segment>>,
}

struct FloorBody {
    hub: Arc<Hub>,
    segment: Arc<Segment>,
    /// How many frames of the segment have been read.
    read: usize,
    index: usize,
    /// The task that the hub wakes.
    task: Option<Waker>,
    heartbeats: Option<Heartbeats>,
}

/// A heartbeat where nothing was sent from one end of the sleep to the next.
pub(crate) struct Heartbeats {
    sleep: Pin<Box<Sleep>>,
    alarm: Option<Arc<Alarm>>,
    pub(crate) is_busy: bool,
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
    pub(crate) fn new() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(HEARTBEAT)),
            alarm: None,
            is_busy: false,
        }
    }

    pub(crate) fn is_silent(&self, task: &Waker) -> bool {
        let alarm = self.alarm.as_ref();
        alarm.is_some_and(|alarm| {
            alarm.task.will_wake(task) && !alarm.is_due.load(Ordering::Acquire)
        })
    }

    /// Whether a heartbeat is due.
    #[cold]
    pub(crate) fn poll(&mut self, task: &Waker) -> bool {
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
    /// Wakes all bodies if one of them waits: a task that has been woken already is not woken again.
    fn publish(&self, event: Bytes) {
        let mut state = self.state.lock().unwrap();
        state.pending.push(event);
        self.pending.store(state.pending.len(), Ordering::SeqCst);
        if self.has_waiting.swap(false, Ordering::SeqCst) {
            for task in state.tasks.iter().flatten() {
                task.wake_by_ref();
            }
        }
    }

    /// Makes the next frame of what is pending, unless another body has.
    #[cold]
    fn merge(&self, frame: &OnceLock<Bytes>) {
        let mut state = self.state.lock().unwrap();
        frame.get_or_init(|| match &*std::mem::take(&mut state.pending) {
            [only] => only.clone(),
            several => several.concat().into(),
        });
        self.pending.store(state.pending.len(), Ordering::SeqCst);
    }
}

impl Segment {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            frames: [const { OnceLock::new() }; FRAMES],
            next: OnceLock::new(),
        })
    }
}

impl FloorBody {
    /// Whether no frame follows, so that the hub will wake the task.
    #[inline]
    fn is_waiting(&mut self, cx: &Context<'_>) -> bool {
        loop {
            if self.read == FRAMES {
                self.read = 0;
                self.segment = Arc::clone(self.segment.next.get_or_init(Segment::new));
            }
            let frame = &self.segment.frames[self.read];
            if frame.get().is_some() {
                return false;
            }
            if !self
                .task
                .as_ref()
                .is_some_and(|task| task.will_wake(cx.waker()))
            {
                self.task = Some(cx.waker().clone());
                self.hub.state.lock().unwrap().tasks[self.index] = self.task.clone();
            }
            if !self.hub.has_waiting.load(Ordering::SeqCst) {
                self.hub.has_waiting.store(true, Ordering::SeqCst);
            }
            if self.hub.pending.load(Ordering::SeqCst) > 0 {
                self.hub.merge(frame);
            } else if frame.get().is_none() {
                return true;
            }
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
        if let Some(heartbeats) = &mut this.heartbeats
            && !heartbeats.is_silent(cx.waker())
            && heartbeats.poll(cx.waker())
        {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b":\n")))));
        }
        if this.is_waiting(cx) {
            return Poll::Pending;
        }
        let frame = &this.segment.frames[this.read];
        this.read += 1;
        if let Some(heartbeats) = &mut this.heartbeats {
            heartbeats.is_busy = true;
        }
        let frame = frame.get().expect("it has been looked at");
        Poll::Ready(Some(Ok(Frame::data(frame.clone()))))
    }
}

pub(crate) fn floor(heartbeats: bool) -> Contestant {
    let hub = Arc::new(Hub {
        pending: AtomicUsize::new(0),
        has_waiting: AtomicBool::new(false),
        state: Mutex::new(State {
            pending: Vec::new(),
            tasks: vec![None; BODIES],
        }),
    });
    let segment = Segment::new();
    let bodies = bodies(|index| FloorBody {
        hub: Arc::clone(&hub),
        segment: Arc::clone(&segment),
        read: 0,
        index,
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
