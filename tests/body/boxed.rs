//! Bodies in a box.

use std::convert::Infallible;

use http_body::Body;
use tower_sse::body::BoxBody;
use tower_sse::{Event, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};

#[test]
fn a_box_is_as_the_body_in_it() {
    let (_, waker) = Wakes::new();
    let events = Script::<Result<Event, Infallible>>::new([]);
    let mut body = Box::pin(SseBody::new(events.clone()).frame_size(1).boxed());
    assert_eq!(poll_error_free(&mut body, &waker), None);
    assert!(!body.is_end_stream());
    assert_eq!(
        (body.size_hint().lower(), body.size_hint().upper()),
        (0, None)
    );
    events.push(Ok(Event::new("x")));
    events.push(Ok(Event::new("y")));
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    events.close();
    assert_eq!(poll(&mut body, &waker).data(), "data: y\n\n");
    assert!(matches!(poll(&mut body, &waker), Polled::End));
    assert!(body.is_end_stream() && !events.is_held());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(matches!(poll(&mut body, &waker), Polled::End));
}

/// `None` while it is pending.
fn poll_error_free(body: &mut std::pin::Pin<Box<BoxBody>>, waker: &std::task::Waker) -> Option<()> {
    match poll(body, waker) {
        Polled::Pending => None,
        _ => Some(()),
    }
}

#[test]
fn a_boxed_error_is_the_streams_own() {
    let (_, waker) = Wakes::new();
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "database gone");
    let events = Script::<Result<Event, std::io::Error>>::new([Err(error)]);
    let mut body = Box::pin(SseBody::new(events).boxed());
    assert!(matches!(poll(&mut body, &waker), Polled::Pending));
    let Polled::Error(error) = poll(&mut body, &waker) else {
        panic!("no error")
    };
    let error = error.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(matches!(poll(&mut body, &waker), Polled::End));
}

#[test]
fn an_empty_box_is_at_its_end() {
    let (_, waker) = Wakes::new();
    let ended = SseBody::<futures_util::stream::Empty<Event>>::default().boxed();
    for body in [BoxBody::default(), ended] {
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(matches!(poll(&mut Box::pin(body), &waker), Polled::End));
    }
}

/// It wants `Sync`, whatever shutdown futures, filters and held values are.
#[test]
fn http_body_utils_box_takes_ours() {
    use std::cell::Cell;

    use bytes::Bytes;
    use http_body_util::BodyExt;
    use http_body_util::combinators::BoxBody;
    use tower_sse::hub::Hub;

    let seen = Cell::new(0);
    let hub = Hub::new();
    let subscription = hub.subscriber().filter(move |_| {
        seen.set(seen.get() + 1);
        true
    });
    let subscription = subscription.subscribe().unwrap();
    let wait = Cell::new(());
    let body = SseBody::new(hub.subscribe().unwrap())
        .end_when(async move {
            std::future::pending::<()>().await;
            wait.get();
        })
        .hold(Cell::new(0));
    let bodies: [BoxBody<Bytes, Infallible>; 2] =
        [BodyExt::boxed(subscription), BodyExt::boxed(body)];
    assert!(bodies.iter().all(|body| !body.is_end_stream()));
}
