//! Losses in the outer log, which clients that read the past are told of.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http_body::Body;

use crate::hub::delivery::Delivery;
use crate::hub::foreign::id_of;
use crate::hub::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};
use crate::hub::{Hub, Start, Subscription};
use crate::protocol::Event;

const GAP: &str = "event: gap\nid: 0-";

/// Pages in the order in which they are read, with the keys that they are to begin after.
#[derive(Debug)]
struct ListedPages(Mutex<VecDeque<(u128, Page)>>);

impl Past for ListedPages {
    fn page(&self, after: u128) -> PageFuture {
        let (wanted, page) = self.0.lock().unwrap().pop_front().unwrap();
        assert_eq!(after, wanted);
        Box::pin(std::future::ready(page))
    }
}

fn page<const N: usize>(anchor: Anchor, newest: u128, entries: [(u128, Stored); N]) -> Page {
    Page {
        anchor,
        entries: entries.map(|(key, what)| LogEntry { key, what }).into(),
        from: 0,
        newest,
        is_end: false,
    }
}

fn event(key: u128) -> (u128, Stored) {
    let block = Event::new("a").encode_as(Some(&id_of(key)));
    let delivery = Delivery::new("a".into(), block);
    let what = Stored::Event {
        delivery,
        label: None,
        is_last: false,
    };
    (key, what)
}

fn hub<const N: usize>(begin: u128, pages: [(u128, Page); N]) -> Hub {
    let pages = ListedPages(Mutex::new(pages.into()));
    Hub::builder()
        .after_key(begin)
        .past(Arc::new(pages))
        .build()
}

fn poll(body: &mut Subscription) -> Poll<String> {
    let frame = Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()));
    frame.map(|frame| {
        let bytes = frame.unwrap().unwrap().into_data().unwrap();
        String::from_utf8(bytes.into()).unwrap()
    })
}

fn ready(frame: impl Into<String>) -> Poll<String> {
    Poll::Ready(frame.into())
}

#[test]
fn an_end_before_a_loss_does_not_count() {
    crate::sync::run(|| {
        let later = [
            page(Anchor::Gone, 9, [(9, Stored::Place)]),
            page(Anchor::Present, 9, [(8, Stored::Lost), (9, Stored::Place)]),
        ];
        for later in later {
            let end = page(Anchor::Present, 9, [(5, Stored::Finish("a".into()))]);
            let hub = hub(9, [(4, end), (5, later)]);
            let subscriber = hub.subscriber().topic("a").after(id_of(4));
            let mut body = subscriber.subscribe().unwrap();
            assert_eq!(poll(&mut body), ready(format!("{GAP}9\ndata: {{}}\n\n")));
            // The next run may have begun in between.
            assert_eq!(poll(&mut body), Poll::Pending);
            hub.append("a", &Event::new("a"), 10).unwrap();
            assert_eq!(poll(&mut body), ready("id: 0-10\ndata: a\n\n"));
        }
    });
}

#[test]
fn the_first_event_comes_with_the_gap_and_what_follows() {
    crate::sync::run(|| {
        let dropped = page(Anchor::Present, 9, [event(5)]);
        let lost = page(Anchor::Present, 9, [(8, Stored::Lost), event(10)]);
        let hub = hub(99, [(4, dropped), (5, lost)]);
        let subscriber = hub.subscriber().topic("a").after(id_of(4));
        let subscriber = subscriber.first(Event::new("state"));
        let mut body = subscriber
            .filter(|delivery| delivery.id() != Some("0-5"))
            .subscribe()
            .unwrap();
        let frame = "8\ndata: {}\n\nid: 0-8\ndata: state\n\nid: 0-10\ndata: a\n\n";
        assert_eq!(poll(&mut body), ready(format!("{GAP}{frame}")));
    });
}

#[test]
fn a_gap_comes_with_what_follows_where_a_client_begins() {
    crate::sync::run(|| {
        let hub = hub(99, [(3, page(Anchor::Gone, 9, [event(9)]))]);
        let subscriber = hub.subscriber().topic("a").start(Start::After(id_of(3)));
        let subscriber = subscriber.first(Event::new("state"));
        let mut body = subscriber.subscribe().unwrap();
        assert_eq!(poll(&mut body), ready("id: 0-3\ndata: state\n\n"));
        // The page is not read again, as others may be lost until then.
        let frame = "3\ndata: {}\n\nid: 0-9\ndata: a\n\n";
        assert_eq!(poll(&mut body), ready(format!("{GAP}{frame}")));
    });
}

#[test]
fn a_second_loss_at_the_same_place_is_told() {
    crate::sync::run(|| {
        let first = page(Anchor::Gone, 9, [event(9)]);
        let there = page(Anchor::Present, 9, [event(4), event(6)]);
        let second = page(Anchor::Gone, 9, [event(9)]);
        let hub = hub(99, [(6, first), (3, there), (6, second)]);
        let subscriber = hub.subscriber().topic("a").after(id_of(6));
        let subscriber = subscriber.start(Start::After(id_of(3)));
        let mut body = subscriber.first(Event::new("state")).subscribe().unwrap();
        let frame = "3\ndata: {}\n\nid: 0-3\ndata: state\n\n";
        assert_eq!(poll(&mut body), ready(format!("{GAP}{frame}")));
        let frame = "id: 0-4\ndata: a\n\nid: 0-6\ndata: a\n\n";
        assert_eq!(poll(&mut body), ready(frame));
        let frame = "6\ndata: {}\n\nid: 0-9\ndata: a\n\n";
        assert_eq!(poll(&mut body), ready(format!("{GAP}{frame}")));
    });
}

#[test]
fn what_is_lost_after_an_unknown_place_is_told() {
    crate::sync::run(|| {
        let next = [(Anchor::Gone, true), (Anchor::Present, false)];
        for (anchor, is_lost) in next {
            // The page was read before the ring advanced.
            let early = page(Anchor::Gone, 5, []);
            let later = page(anchor, 20, [event(7), event(20)]);
            let later = match is_lost {
                true => page(anchor, 20, [event(20)]),
                false => later,
            };
            let hub = hub(5, [(8, early), (5, later)]);
            for key in [7, 9] {
                hub.append("b", &Event::new("b"), key).unwrap();
            }
            let subscriber = hub.subscriber().topic("a").after(id_of(8));
            let mut body = subscriber.subscribe().unwrap();
            let gap = format!("{GAP}8\ndata: {{}}\n\n");
            assert_eq!(poll(&mut body), ready(gap.clone()));
            let told = if is_lost { gap } else { String::new() };
            let frame = format!("{told}id: 0-20\ndata: a\n\n");
            assert_eq!(poll(&mut body), ready(frame));
        }
    });
}
