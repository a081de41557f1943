//! Runs that end and begin while a client reads the past, or while the ring is away.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use http_body::Body;

use super::memory_log::{MemoryLog, PastNode};
use crate::hub::core::{Draft, State};
use crate::hub::foreign::id_of;
use crate::hub::{Hub, Start, Subscription};
use crate::protocol::Event;

#[derive(Default)]
struct RunWake(AtomicBool);

impl Wake for RunWake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

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

#[test]
fn a_client_ahead_of_its_node_waits_for_the_next_run() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        let hub = node(&outer).hub;
        let entries = [(6, "b"), (7, "a"), (8, "a"), (9, "a")];
        outer.entries.lock().unwrap().extend(entries);
        let subscriber = hub.subscriber().topic("a").after(id_of(8));
        let mut body = subscriber.subscribe().unwrap();
        let wake = Arc::new(RunWake::default());
        let waker = Waker::from(Arc::clone(&wake));
        let mut cx = Context::from_waker(&waker);
        let frame = Some("id: 0-9\ndata: a\n\n".to_owned());
        assert_eq!(poll(&mut body), Poll::Ready(frame));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        // The run ends at 7, before it came, and the next one begins.
        append(&hub, "a", 7, true);
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        wake.0.store(false, Ordering::Relaxed);
        append(&hub, "a", 8, false);
        assert!(wake.0.load(Ordering::Relaxed));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        wake.0.store(false, Ordering::Relaxed);
        append(&hub, "a", 9, false);
        assert!(wake.0.load(Ordering::Relaxed));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        append(&hub, "a", 10, false);
        let frame = Some("id: 0-10\ndata: a\n\n".to_owned());
        assert_eq!(poll(&mut body), Poll::Ready(frame));
        assert_eq!(poll(&mut body), Poll::Pending);
    });
}

#[test]
fn a_run_that_is_over_when_the_ring_begins_is_replayed() {
    crate::sync::run(|| {
        let hub = node(&Arc::default()).hub;
        hub.shared().change(State::break_off);
        let mut over = hub.subscriber().topic("a").subscribe().unwrap();
        let mut goes_on = hub.subscriber().topic("b").subscribe().unwrap();
        hub.shared().with(|state, _| state.fill_after(6));
        append(&hub, "a", 7, false);
        append(&hub, "a", 8, true);
        append(&hub, "b", 9, true);
        append(&hub, "b", 10, false);
        hub.shared().with(State::filled);
        let place = |id: &str| Poll::Ready(Some(format!("id: {id}\n\n")));
        assert_eq!(poll(&mut over), place("0-6"));
        let frame = "id: 0-7\ndata: a\n\nid: 0-8\ndata: a\n\n".to_owned();
        assert_eq!(poll(&mut over), Poll::Ready(Some(frame)));
        assert_eq!(poll(&mut over), Poll::Ready(None));
        assert_eq!(poll(&mut goes_on), place("0-10"));
        assert_eq!(poll(&mut goes_on), Poll::Pending);
    });
}

#[test]
fn a_client_that_comes_while_the_ring_is_filled_is_not_refused() {
    crate::sync::run(|| {
        let hub = node(&Arc::default()).hub;
        hub.shared().change(State::break_off);
        hub.shared().with(|state, _| state.fill_after(6));
        append(&hub, "a", 7, true);
        // Its last event is that of the run.
        let subscriber = hub.subscriber().topic("a").after(id_of(7));
        let mut body = subscriber.subscribe().unwrap();
        assert_eq!(poll(&mut body), Poll::Pending);
        append(&hub, "a", 8, false);
        hub.shared().with(State::filled);
        let frame = Some("id: 0-8\ndata: a\n\n".to_owned());
        assert_eq!(poll(&mut body), Poll::Ready(frame));
        assert_eq!(poll(&mut body), Poll::Pending);
        let other = hub.subscriber().topic("a").after(id_of(8)).subscribe();
        append(&hub, "a", 9, true);
        drop(other);
        let over = hub.subscriber().topic("a").after(id_of(9)).subscribe();
        assert!(over.unwrap_err().is_finished());
    });
}

#[test]
fn a_client_of_a_finished_run_that_has_missed_events_is_not_refused() {
    crate::sync::run(|| {
        let outer = Arc::new(MemoryLog::default());
        let entries = [(4, "a"), (5, "a"), (7, "a")];
        outer.entries.lock().unwrap().extend(entries);
        let hub = node(&outer).hub;
        append(&hub, "a", 7, true);
        let after = |key| {
            let subscriber = hub.subscriber().topic("a").after(id_of(key));
            subscriber.start(Start::Last(0)).subscribe()
        };
        let frame = "id: 0-5\ndata: a\n\nid: 0-7\ndata: a\n\n".to_owned();
        assert_eq!(poll(&mut after(4).unwrap()), Poll::Ready(Some(frame)));
        assert!(after(7).unwrap_err().is_finished());
        // The node does not know what follows.
        assert!(after(9).is_ok());
    });
}
