use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// A waker that remembers whether it was woken.
///
/// Besides its stream, a body waits for futures that rarely resolve: the heartbeat's sleep, a
/// shutdown, a maximum age. Polling those whenever the stream wakes the task would cost more than
/// the event. They are polled with this waker instead, and again only after it was woken, which is
/// one atomic load to check.
#[derive(Debug)]
pub(super) struct Alarm {
    state: Arc<AlarmState>,
    /// The task's waker, as in `state`, for comparison without the lock.
    task: Option<Waker>,
}

#[derive(Debug)]
struct AlarmState {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Alarm {
    /// Creates an alarm that has rung, so that the futures that ring it are polled a first time.
    pub(super) fn new() -> Self {
        let state = Arc::new(AlarmState {
            rung: AtomicBool::new(true),
            task: Mutex::new(None),
        });
        Self { state, task: None }
    }

    /// Whether it has rung since the last call. The next ring wakes `cx`'s task.
    #[inline]
    pub(super) fn has_rung(&mut self, cx: &Context<'_>) -> bool {
        if !self
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(cx.waker()))
        {
            self.watch(cx.waker());
        }
        // Read after the waker is in place: a ring before that is seen here, and a ring after it
        // wakes the task.
        self.state.rung.load(Ordering::Acquire) && self.state.rung.swap(false, Ordering::AcqRel)
    }

    /// The waker for the futures that ring this alarm.
    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.state))
    }

    #[cold]
    fn watch(&mut self, task: &Waker) {
        self.task = Some(task.clone());
        *self
            .state
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(task.clone());
    }
}

impl Wake for AlarmState {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        // Cloned and woken outside the lock: waking may run the task, which may take the lock.
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn loses_no_ring_of_another_thread() {
        use std::sync::atomic::AtomicUsize;
        use std::time::Duration;

        const RINGS: usize = 5_000;
        let mut alarm = Alarm::new();
        let (bell, heard) = (alarm.waker(), Arc::new(AtomicUsize::new(0)));
        let listener = Arc::clone(&heard);
        let ringer = std::thread::spawn(move || {
            for ring in 1..=RINGS {
                while listener.load(Ordering::SeqCst) < ring {
                    std::thread::yield_now();
                }
                bell.wake_by_ref();
            }
        });
        let task = || Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut waker = task();
        // Rung when made, and then once for each ring that is answered.
        for ring in 1..=RINGS + 1 {
            while !alarm.has_rung(&Context::from_waker(&waker)) {
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
        let mut alarm = Alarm::new();
        assert!(alarm.has_rung(&Context::from_waker(&wakers[0])));
        assert!(!alarm.has_rung(&Context::from_waker(&wakers[1])));
        alarm.waker().wake_by_ref();
        assert!(alarm.has_rung(&Context::from_waker(&wakers[1])));
        assert!(!alarm.has_rung(&Context::from_waker(&wakers[1])));
        assert_eq!(tasks.map(|task| task.0.load(Ordering::SeqCst)), [0, 1]);
    }
}
