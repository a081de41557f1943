//! Threads that wait for futures, and the machine's clock.

use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::Sleep;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future on this thread until it completes.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Sleeps on the machine's clock, even where a test has paused tokio's.
pub fn after(time: Duration) -> Pin<Box<Sleep>> {
    static CLOCK: LazyLock<Runtime> = LazyLock::new(|| {
        let mut clock = Builder::new_multi_thread();
        clock.worker_threads(1).enable_time().build().unwrap()
    });
    let _entered = CLOCK.enter();
    Box::pin(tokio::time::sleep(time))
}

/// Runs a test in which something has to happen within a time on the machine's clock, with twice the
/// time whenever it was too late for that, which is `None`.
pub fn in_time<T>(test: impl FnMut(Duration) -> Option<T>) -> T {
    let mut times = (0..12).map(|n| Duration::from_millis(20 << n));
    times.find_map(test).expect("a machine that gets on")
}
