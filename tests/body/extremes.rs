//! Times at both ends of their range.

use std::convert::Infallible;
use std::time::Duration;

use tower_sse::body::KeepAliveBody;
use tower_sse::{Event, KeepAlive, MaxAge, Prelude, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};
use crate::support::timer::ManualTimer;

type Events = Script<Result<Event, Infallible>>;

const FOREVER: Duration = Duration::MAX;

fn prelude() -> Prelude {
    Prelude::new().retry(FOREVER).spread(FOREVER)
}

#[test]
fn the_longest_times_never_come() {
    let (wakes, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let keep_alive = KeepAlive::new().interval(FOREVER);
    let body = SseBody::with_timer(Events::new([Ok(Event::new("x"))]), timer.clone())
        .keep_alive(keep_alive.clone())
        .max_age(MaxAge::new(FOREVER).spread(FOREVER))
        .prelude(prelude());
    let mut body = Box::pin(body);
    let first = poll(&mut body, &waker).data();
    assert_eq!(first, format!(":\nretry: {}\ndata: x\n\n", u64::MAX));
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(FOREVER / 9);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(Duration::ZERO);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    assert_eq!(wakes.count(), 0);

    let foreign = http_body_util::StreamBody::new(Script::<
        Result<http_body::Frame<bytes::Bytes>, Infallible>,
    >::new([]));
    let mut body = Box::pin(KeepAliveBody::with_timer(foreign, keep_alive, timer));
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
}

#[test]
fn the_longest_poll_waits() {
    use tower_sse::hub::Hub;

    let (_, waker) = Wakes::new();
    let hub = Hub::new();
    let subscription = hub.subscribe().unwrap();
    let mut body = Box::pin(subscription.long_poll_with_timer(FOREVER, ManualTimer::new()));
    // The prelude, and the place where it begins.
    while let Polled::Data(_) = poll(&mut body, &waker) {}
    hub.publish(Event::new("x"));
    assert!(poll(&mut body, &waker).data().ends_with(b"data: x\n\n"));
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn an_age_of_nothing_ends_after_what_is_ready() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let events = Events::new([Ok(Event::new("x"))]);
    let body = SseBody::with_timer(events.clone(), timer)
        .keep_alive(KeepAlive::default())
        .max_age(MaxAge::new(Duration::ZERO).spread(Duration::ZERO))
        .farewell(Event::new("bye"));
    let mut body = Box::pin(body);
    assert_eq!(
        poll(&mut body, &waker).data(),
        ":\ndata: x\n\ndata: bye\n\n"
    );
    assert_eq!(poll(&mut body, &waker), Polled::End);
    assert!(!events.is_held());
}

/// The last of both counts, and the first to come ends the stream.
#[test]
fn a_shutdown_and_an_age_that_are_both_due_end_once() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let body = SseBody::with_timer(Events::new([]), timer)
        .end_when(async {})
        .max_age(MaxAge::new(Duration::ZERO))
        .farewell(Event::new("bye"));
    let mut body = Box::pin(body);
    assert_eq!(poll(&mut body, &waker).data(), "data: bye\n\n");
    for _ in 0..3 {
        assert_eq!(poll(&mut body, &waker), Polled::End);
    }
}

/// On the clocks that there are, which have ranges of their own.
#[test]
fn real_clocks_take_the_longest_times() {
    let body = || {
        SseBody::new(Events::new([]))
            .prelude(prelude())
            .end_when(std::future::pending())
    };
    let keep_alive = || KeepAlive::new().interval(FOREVER);
    let age = MaxAge::new(FOREVER).spread(FOREVER);
    let (_, waker) = Wakes::new();

    #[cfg(feature = "tokio")]
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _entered = runtime.enter();
        let mut tokio = Box::pin(body().keep_alive(keep_alive()).max_age(age));
        poll(&mut tokio, &waker).data();
        assert_eq!(poll(&mut tokio, &waker), Polled::Pending);
    }
    drop(body());
}
