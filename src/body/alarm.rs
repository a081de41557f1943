use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// A waker that remembers that it was used.
///
/// A body waits for its stream and, besides, for futures that resolve once in a long while: the
/// heartbeat's sleep, a shutdown, a maximum age. Polling those whenever the stream wakes the task
/// costs more than the event does. They are polled with this waker instead, and again only after it
/// was woken; asking is one atomic load.
#[derive(Debug)]
pub(super) struct Alarm {
    shared: Arc<Shared>,
    /// The task's waker as `shared` has it, for comparing without the lock.
    task: Option<Waker>,
}

#[derive(Debug)]
struct Shared {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Alarm {
    /// An alarm that has rung, so that what waits on it is polled a first time.
    pub(super) fn new() -> Self {
        let shared = Arc::new(Shared {
            rung: AtomicBool::new(true),
            task: Mutex::new(None),
        });
        Self { shared, task: None }
    }

    /// Whether it has rung since the last call; the next ring wakes `cx`'s task.
    #[inline]
    pub(super) fn has_rung(&mut self, cx: &Context<'_>) -> bool {
        if !self
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(cx.waker()))
        {
            self.watch(cx.waker());
        }
        // After the waker is in place: a ring before that is seen here, a ring after it wakes.
        self.shared.rung.load(Ordering::Acquire) && self.shared.rung.swap(false, Ordering::AcqRel)
    }

    /// The waker for the futures that ring this alarm.
    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.shared))
    }

    #[cold]
    fn watch(&mut self, task: &Waker) {
        self.task = Some(task.clone());
        *self
            .shared
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(task.clone());
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        // Cloned out of the lock: waking may run the task, which may take the lock.
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
