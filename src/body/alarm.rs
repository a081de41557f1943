use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

/// A waker that remembers whether it was woken.
///
/// Besides its stream, a body waits for futures that rarely resolve: the heartbeat's sleep, a
/// shutdown, a maximum age. Polling those whenever the stream wakes the task would cost more than
/// the event. They are polled with this waker instead, and again only after it was woken, which is
/// one atomic load to check.
///
/// If another task polls the body, a new waker is created, and the futures are polled with it. This
/// needs neither a lock nor a second copy of the task's waker, and bodies rarely change their task.
#[derive(Debug)]
pub(super) struct Alarm {
    /// `None` before the first poll.
    state: Option<Arc<AlarmState>>,
}

#[derive(Debug)]
struct AlarmState {
    task: Waker,
    rung: AtomicBool,
}

impl Alarm {
    /// Creates an alarm that has rung, so that the futures that ring it are polled a first time.
    pub(super) const fn new() -> Self {
        Self { state: None }
    }

    /// Whether it has rung since the last call, or another task asks than in the last call. In both
    /// cases, the futures must be polled with [`waker`](Self::waker).
    #[inline]
    pub(super) fn has_rung(&mut self, cx: &Context<'_>) -> bool {
        match &self.state {
            Some(state) if state.task.will_wake(cx.waker()) => {
                state.rung.load(Ordering::Acquire) && state.rung.swap(false, Ordering::AcqRel)
            }
            _ => {
                self.state = Some(AlarmState::new(cx));
                true
            }
        }
    }

    /// Whether it has not rung since the last call of [`has_rung`](Self::has_rung), by the same task.
    #[inline]
    pub(super) fn is_silent(&self, cx: &Context<'_>) -> bool {
        self.state.as_ref().is_some_and(|state| {
            // Not `will_wake`, which loads both words of a waker at once. A runtime stores them one
            // after the other just before it polls, and such a load has to wait for that:
            // `benches/fan_out`, "tasks, burst 1, heartbeats", 4 ns of 82.
            let (own, other) = (&state.task, cx.waker());
            own.data() == other.data()
                && !state.rung.load(Ordering::Acquire)
                && ptr::eq(own.vtable(), other.vtable())
        })
    }

    /// The waker for the futures that ring this alarm. It wakes the task that last asked whether the
    /// alarm has rung.
    pub(super) fn waker(&mut self, cx: &Context<'_>) -> Waker {
        let state = self.state.get_or_insert_with(|| AlarmState::new(cx));
        Waker::from(Arc::clone(state))
    }
}

impl AlarmState {
    #[cold]
    fn new(cx: &Context<'_>) -> Arc<Self> {
        Arc::new(Self {
            task: cx.waker().clone(),
            rung: AtomicBool::new(false),
        })
    }
}

impl Wake for AlarmState {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Count(std::sync::atomic::AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Wakes a thread.
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// Counts its calls. A call wakes the waker of the last poll.
    #[derive(Default)]
    struct Bell(Mutex<(usize, Option<Waker>)>);

    impl Bell {
        fn call(&self) {
            let mut bell = self.0.lock().unwrap();
            bell.0 += 1;
            let waker = bell.1.take();
            drop(bell);
            waker.inspect(Waker::wake_by_ref);
        }

        fn poll(&self, waker: Waker) -> usize {
            let mut bell = self.0.lock().unwrap();
            bell.1 = Some(waker);
            bell.0
        }
    }

    #[test]
    fn loses_no_ring_of_another_thread() {
        use std::sync::atomic::AtomicUsize;
        use std::time::Duration;

        const RINGS: usize = 5_000;
        let mut alarm = Alarm::new();
        let (bell, heard) = (Arc::new(Bell::default()), Arc::new(AtomicUsize::new(0)));
        let (caller, listener) = (Arc::clone(&bell), Arc::clone(&heard));
        let ringer = std::thread::spawn(move || {
            for ring in 0..RINGS {
                while listener.load(Ordering::SeqCst) < ring {
                    std::thread::yield_now();
                }
                caller.call();
            }
        });
        let task = || Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut waker = task();
        for ring in 1..=RINGS {
            loop {
                let cx = &Context::from_waker(&waker);
                if alarm.has_rung(cx) && bell.poll(alarm.waker(cx)) == ring {
                    break;
                }
                let start = std::time::Instant::now();
                std::thread::park_timeout(Duration::from_secs(20));
                assert!(start.elapsed() < Duration::from_secs(20), "ring {ring}");
            }
            if ring % 3 == 0 {
                waker = task();
            }
            heard.store(ring, Ordering::SeqCst);
        }
        ringer.join().unwrap();
    }

    #[test]
    fn rings_once_and_wakes_the_last_task_that_asked() {
        let tasks = [0, 1].map(|_| Arc::new(Count(0.into())));
        let wakers = tasks.clone().map(Waker::from);
        let [first, second] = [0, 1].map(|n| Context::from_waker(&wakers[n]));
        let bell = Bell::default();
        let mut alarm = Alarm::new();
        for cx in [&first, &second] {
            assert!(alarm.has_rung(cx), "another task");
            bell.poll(alarm.waker(cx));
            assert!(!alarm.has_rung(cx));
        }
        bell.call();
        assert!(alarm.has_rung(&second));
        assert!(!alarm.has_rung(&second));
        assert_eq!(tasks.map(|task| task.0.load(Ordering::SeqCst)), [0, 1]);
    }
}
