//! Threads that wait for futures, and sleeps for any thread.

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
