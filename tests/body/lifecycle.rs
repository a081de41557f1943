//! How a stream ends.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::stream;
use http_body::Body;
use tokio::sync::oneshot;
use tower_sse::{Event, KeepAlive, MaxAge, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};
use crate::support::timer::ManualTimer;

type Events = Script<Result<Event, Infallible>>;

#[test]
fn shutdown_sends_what_is_ready_then_the_farewell_then_ends() {
    let (wakes, waker) = Wakes::new();
    let (shutdown, stopped) = oneshot::channel::<()>();
    let events = Events::new([]);
    let body = SseBody::new(events.clone())
        .end_when(async { _ = stopped.await })
        .farewell(Event::new("bye"));
    let mut body = Box::pin(body);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    shutdown.send(()).unwrap();
    assert_eq!(wakes.count(), 1);
    events.push(Ok(Event::new("last")));
    assert_eq!(
        poll(&mut body, &waker).data(),
        "data: last\n\ndata: bye\n\n"
    );
    assert!(body.is_end_stream());
    assert!(!events.is_held());
    for _ in 0..3 {
        assert_eq!(poll(&mut body, &waker), Polled::End);
    }
}

#[test]
fn shutdown_ends_a_stream_that_is_always_ready() {
    let (_, waker) = Wakes::new();
    let (shutdown, stopped) = oneshot::channel::<()>();
    let events = stream::repeat_with(|| Ok::<_, Infallible>(Event::new("more")));
    let mut body = Box::pin(SseBody::new(events).end_when(async { _ = stopped.await }));
    poll(&mut body, &waker).data();
    shutdown.send(()).unwrap();
    poll(&mut body, &waker).data();
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn a_stream_that_ends_by_itself_says_no_farewell() {
    let (_, waker) = Wakes::new();
    let (_shutdown, stopped) = oneshot::channel::<()>();
    let events = Events::new([Ok(Event::new("x"))]);
    events.close();
    let body = SseBody::new(events)
        .end_when(async { _ = stopped.await })
        .farewell(Event::new("bye"));
    let mut body = Box::pin(body);
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn a_shutdown_that_came_before_the_first_poll_counts() {
    let (_, waker) = Wakes::new();
    let mut body = Box::pin(SseBody::new(Events::new([])).end_when(async {}));
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn the_first_of_several_shutdowns_ends_the_stream() {
    for first in 0..3 {
        let (wakes, waker) = Wakes::new();
        let mut stops = Vec::new();
        let mut body = SseBody::new(Events::new([])).farewell(Event::new("bye"));
        for _ in 0..3 {
            let (shutdown, stopped) = oneshot::channel::<()>();
            stops.push(shutdown);
            body = body.end_when(async { _ = stopped.await });
        }
        let mut body = Box::pin(body);
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
        stops.remove(first).send(()).unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(&mut body, &waker).data(), "data: bye\n\n");
        assert_eq!(poll(&mut body, &waker), Polled::End);
    }
}

#[test]
fn age_counts_from_the_first_poll_and_is_spread() {
    let (_, waker) = Wakes::new();
    let mut ages = Vec::new();
    for _ in 0..50 {
        let timer = ManualTimer::new();
        let age = MaxAge::new(Duration::from_secs(60)).spread(Duration::from_secs(60));
        let body = SseBody::with_timer(Events::new([]), timer.clone())
            .max_age(age)
            .farewell(Event::comment("old"));
        let mut body = Box::pin(body);
        timer.advance(Duration::from_secs(500));
        let start = timer.now();
        while poll(&mut body, &waker) == Polled::Pending {
            timer.advance(Duration::from_secs(1));
        }
        assert!(body.is_end_stream());
        ages.push((timer.now() - start).as_secs());
    }
    ages.sort_unstable();
    assert!(ages[0] >= 60 && ages[49] <= 121, "{ages:?}");
    assert!(ages[49] - ages[0] > 20, "{ages:?}");
}

#[test]
fn age_and_heartbeats_share_a_clock() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let body = SseBody::with_timer(Events::new([]), timer.clone())
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(16)))
        .max_age(MaxAge::new(Duration::from_secs(40)))
        .farewell(Event::comment("old"));
    let mut body = Box::pin(body);
    let mut seen = Vec::new();
    for second in 0..60 {
        loop {
            match poll(&mut body, &waker) {
                Polled::Data(data) => seen.push((second, data)),
                Polled::Pending => break,
                other => {
                    assert_eq!(other, Polled::End);
                    break;
                }
            }
        }
        timer.advance(Duration::from_secs(1));
    }
    let seen: Vec<_> = seen.iter().map(|(s, data)| (*s, &data[..])).collect();
    assert_eq!(
        seen,
        [
            (0, &b":\n"[..]),
            (16, b":\n"),
            (32, b":\n"),
            (40, b": old\n\n")
        ]
    );
}

#[test]
fn an_error_aborts_after_what_was_ready() {
    let (wakes, waker) = Wakes::new();
    let events = Script::new([Ok(Event::new("x")), Err("gone"), Ok(Event::new("never"))]);
    let mut body = Box::pin(SseBody::new(events.clone()));
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    assert!(!body.is_end_stream());
    assert_eq!(poll(&mut body, &waker), Polled::Pending, "time to write");
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut body, &waker), Polled::Error("gone"));
    assert_eq!(poll(&mut body, &waker), Polled::End);
    assert!(!events.is_held());
}

#[test]
fn an_error_ends_cleanly_with_a_last_event_if_so_set() {
    let (_, waker) = Wakes::new();
    let events = Script::new([Ok(Event::new("x")), Err("gone")]);
    let body = SseBody::new(events)
        .on_error(Event::new("sorry"))
        .farewell(Event::new("bye"));
    let mut body = Box::pin(body);
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\ndata: sorry\n\n");
    assert_eq!(poll(&mut body, &waker), Polled::End);
}
