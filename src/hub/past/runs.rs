//! Runs that end and begin while a client reads the past, or while the ring is away.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http_body::Body;

use super::memory_log::{MemoryLog, PastNode};
use crate::hub::core::Draft;
use crate::hub::foreign::id_of;
use crate::hub::{Hub, Subscription};
use crate::protocol::Event;

fn node(outer: &Arc<MemoryLog>) -> PastNode {
    let past = Arc::new(Arc::clone(outer));
    PastNode {
        hub: Hub::builder().after_key(6).past(past).build(),
        at: 6,
    }
}

fn poll(body: &mut Subscription) -> Poll<Option<String>> {
    let frame = Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()));
    let text = |frame: http_body::Frame<_>| {
        let bytes: bytes::Bytes = frame.into_data().unwrap();
        String::from_utf8(bytes.into()).unwrap()
    };
    frame.map(|frame| frame.map(|frame| text(frame.unwrap())))
}

fn append(hub: &Hub, topic: &str, key: u128, is_last: bool) {
    let block = Event::new(topic).encode_as(Some(&id_of(key)));
    let draft = Draft::with_number(block, 0, None);
    let draft = if is_last { draft.last() } else { draft };
    let shared = hub.shared();
    let appended = shared.with(|state, wakes| state.append(topic, draft, key, wakes));
    appended.unwrap();
}

#[test]
fn a_run_that_ended_in_a_ring_that_was_dropped_does_not_count() {
    crate::sync::run(|| {
        let hub = node(&Arc::default()).hub;
        let subscriber = || hub.subscriber().topics(["a", "b"]);
        // It is not polled after the cut, so others join its group.
        let _cut = subscriber().subscribe().unwrap();
        append(&hub, "a", 7, true);
        // The next run of `a` begins in between.
        hub.cut(9);
        let mut body = subscriber().after(id_of(9)).subscribe().unwrap();
        append(&hub, "b", 10, true);
        let frame = Some("id: 0-10\ndata: b\n\n".to_owned());
        assert_eq!(poll(&mut body), Poll::Ready(frame));
        assert_eq!(poll(&mut body), Poll::Pending);
    });
}

#[test]
fn a_client_that_resumes_where_a_ring_begins_again_stays() {
    crate::sync::run(|| {
        let hub = node(&Arc::default()).hub;
        let subscriber = || hub.subscriber().topic("a");
        let _cut = subscriber().subscribe().unwrap();
        append(&hub, "a", 7, false);
        append(&hub, "b", 8, false);
        hub.cut(9);
        let mut body = subscriber().after(id_of(9)).subscribe().unwrap();
        assert_eq!(poll(&mut body), Poll::Pending);
    });
}
