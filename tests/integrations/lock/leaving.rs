//! What subscribers that leave allocate and free under the lock.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http_body::Body;

use crate::hub::{Hub, Subscription};
use crate::protocol::Event;
use crate::sync;

/// More than fill several pieces of each list.
const SUBSCRIBERS: usize = 4_000;

/// In small chunks, together. With glibc, a call that allocates 1 KiB or frees a large chunk merges all
/// small chunks that were freed before. That takes long if many subscribers have left.
const MOST_ALLOCATED: usize = 2 * 1024;
const MOST_FREED: usize = 4 * 1024;

fn poll(body: &mut Subscription) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(frame)) = Pin::new(&mut *body).poll_frame(&mut cx) {
        drop(frame);
    }
}

fn come(hub: &Hub, n: usize) -> Subscription {
    let subscriber = hub.subscriber().topic(format!("own/{n}")).topic("shared");
    subscriber.owner(format!("owner/{n}")).subscribe().unwrap()
}

/// In the order in which they came, in the opposite order, and in neither.
pub(crate) fn run() {
    for order in 0..3 {
        let hub = Hub::new();
        let mut all: Vec<_> = (0..SUBSCRIBERS).map(|n| come(&hub, n)).collect();
        hub.topic("shared").publish(Event::new("to all"));
        all.iter_mut().for_each(poll);
        match order {
            0 => {}
            1 => all.reverse(),
            _ => (0..SUBSCRIBERS).for_each(|n| all.swap(n, n * 7_919 % SUBSCRIBERS)),
        }
        _ = sync::most_memory();
        drop(all);
        let (allocated, freed) = sync::most_memory();
        println!("leaving: {allocated} bytes allocated and {freed} freed under the lock at most");
        assert!(allocated < MOST_ALLOCATED && freed < MOST_FREED);
    }
}
