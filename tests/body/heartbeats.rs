//! When a heartbeat comes.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use tower_sse::{Event, EventType, KeepAlive, Prelude, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};
use crate::support::rng::Rng;
use crate::support::timer::ManualTimer;

type Events = Script<Result<Event, Infallible>>;
type Body = Pin<Box<SseBody<Events, ManualTimer>>>;

const SECOND: Duration = Duration::from_secs(1);

fn body(timer: &ManualTimer) -> (Events, Body) {
    let events = Events::new([]);
    let body = SseBody::with_timer(events.clone(), timer.clone())
        .keep_alive(KeepAlive::default())
        .prelude(None);
    (events, Box::pin(body))
}

// Clauses: keep-alive
#[test]
fn comes_after_each_interval_of_silence() {
    let (wakes, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let (_, mut body) = body(&timer);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    for n in 1..=3 {
        timer.advance(15 * SECOND - Duration::from_millis(1));
        assert_eq!(
            (poll(&mut body, &waker), wakes.count()),
            (Polled::Pending, n - 1)
        );
        timer.advance(Duration::from_millis(1));
        assert_eq!(wakes.count(), n);
        assert_eq!(poll(&mut body, &waker).data(), ":\n");
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
    }
}

#[test]
fn is_put_off_by_data_and_exact_after_a_lone_event() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let (events, mut body) = body(&timer);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(10 * SECOND);
    events.push(Ok(Event::new("x")));
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    // In steps that meet the clock's ticks.
    for _ in 0..8 {
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
        timer.advance(15 * SECOND / 8);
    }
    assert_eq!(poll(&mut body, &waker).data(), ":\n");
}

/// Random traffic, the task polled whenever it is woken: no heartbeat before an interval of silence,
/// and always one within an eighth more.
#[test]
fn comes_within_an_eighth_of_the_interval_whatever_the_traffic() {
    let rng = &mut Rng::new(15);
    let (wakes, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let (events, mut body) = body(&timer);
    let (mut sent_at, mut seen, mut heartbeats) = (Duration::ZERO, usize::MAX, 0);
    let mut busy = 1;
    for step in 0..200_000 {
        if step % 500 == 0 {
            busy = [1, 2, 20, 200, 5_000][rng.below(5)];
        }
        if rng.one_in(busy) {
            events.push(Ok(Event::new("x")));
        }
        while wakes.count() != seen {
            seen = wakes.count();
            loop {
                match poll(&mut body, &waker) {
                    Polled::Pending => break,
                    polled => {
                        let silence = timer.now() - sent_at;
                        let frame = polled.data();
                        if frame == ":\n" {
                            assert!(silence >= 15 * SECOND, "{silence:?} at {step}");
                            heartbeats += 1;
                        }
                        sent_at = timer.now();
                    }
                }
            }
        }
        assert!(
            timer.now() - sent_at <= 15 * SECOND * 9 / 8,
            "silent at {step}"
        );
        timer.advance(Duration::from_millis(1 + rng.below(200) as u64));
    }
    assert!(heartbeats > 100, "{heartbeats}");
}

#[test]
fn events_touch_the_timer_once_per_eighth_of_the_interval() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let (events, mut body) = body(&timer);
    for _ in 0..100_000 {
        events.push(Ok(Event::new("x")));
        poll(&mut body, &waker).data();
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
        timer.advance(Duration::from_millis(1));
    }
    // 100 seconds are 53 eighths of 15 seconds.
    assert!(timer.made() <= 56, "{}", timer.made());
    assert!(timer.polled() <= 2 * 56, "{}", timer.polled());
}

#[test]
fn wakes_the_task_that_polled_last() {
    let timer = ManualTimer::new();
    let (_, mut body) = body(&timer);
    let ((first, first_waker), (second, second_waker)) = (Wakes::new(), Wakes::new());
    assert_eq!(poll(&mut body, &first_waker), Polled::Pending);
    assert_eq!(poll(&mut body, &second_waker), Polled::Pending);
    timer.advance(15 * SECOND);
    assert_eq!((first.count(), second.count()), (0, 1));
    assert_eq!(poll(&mut body, &second_waker).data(), ":\n");
}

#[test]
fn makes_its_sleep_when_first_polled() {
    let timer = ManualTimer::new();
    let (_, mut body) = body(&timer);
    assert_eq!(timer.made(), 0);
    assert_eq!(poll(&mut body, &Wakes::new().1), Polled::Pending);
    assert_eq!(timer.made(), 1);
}

#[cfg(feature = "tokio")]
#[test]
fn is_built_outside_a_runtime_and_sent_inside() {
    let events = Events::new([]);
    let mut body = Box::pin(
        SseBody::new(events)
            .keep_alive(KeepAlive::default())
            .prelude(None),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        use http_body_util::BodyExt;
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), ":\n");
    });
}

#[test]
fn interval_text_and_event_are_settable() {
    let (_, waker) = Wakes::new();
    let ping = Event::new("").with_type(EventType::from_static("ping"));
    for (keep_alive, expected) in [
        (KeepAlive::new().text("still\nhere"), ": still\n: here\n"),
        (KeepAlive::new().event(ping), "event: ping\ndata: \n\n"),
    ] {
        let timer = ManualTimer::new();
        let body = SseBody::with_timer(Events::new([]), timer.clone())
            .keep_alive(keep_alive.interval(SECOND))
            .prelude(None);
        let mut body = Box::pin(body);
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
        timer.advance(SECOND);
        assert_eq!(poll(&mut body, &waker).data(), expected);
    }
}

#[test]
fn the_smallest_interval_does_not_spin() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let keep_alive = KeepAlive::new().interval(Duration::ZERO);
    let body = SseBody::with_timer(Events::new([]), timer.clone()).keep_alive(keep_alive);
    let mut body = Box::pin(body);
    poll(&mut body, &waker).data();
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
}

#[test]
fn a_prelude_goes_first_and_with_the_first_events() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let events = Events::new([Ok(Event::new("x"))]);
    let body = SseBody::with_timer(events, timer).keep_alive(KeepAlive::default());
    assert_eq!(poll(&mut Box::pin(body), &waker).data(), ":\ndata: x\n\n");

    let silent = Box::pin(SseBody::new(Events::new([])));
    assert_eq!(
        poll(&mut { silent }, &waker),
        Polled::Pending,
        "none without heartbeats"
    );
}

#[test]
fn a_prelude_spreads_the_reconnection_time_and_pads() {
    let (_, waker) = Wakes::new();
    let prelude = Prelude::new()
        .retry(2 * SECOND)
        .spread(3 * SECOND)
        .padding();
    let mut times: Vec<u64> = (0..200)
        .map(|_| {
            let body = SseBody::new(Events::new([])).prelude(prelude.clone());
            let first = poll(&mut Box::pin(body), &waker).data();
            assert!(first.len() >= 2048);
            let read = crate::support::oracle::interpret(&first);
            assert!(read.events.is_empty());
            read.reconnection_time.unwrap()
        })
        .collect();
    times.sort_unstable();
    assert!(times[0] >= 2_000 && times[199] <= 5_000, "{times:?}");
    assert!(times[199] - times[0] > 1_000, "{times:?}");
}

/// Whatever their text is, heartbeats and preludes are comment lines, and end no block.
#[test]
fn text_cannot_end_a_block() {
    let rng = &mut Rng::new(3);
    for _ in 0..2_000 {
        let pieces = [
            "a", ":", "data: x", " ", "\n", "\r", "\r\n", "\u{feff}", "\0",
        ];
        let text: String = (0..rng.below(6)).map(|_| *rng.pick(&pieces)).collect();
        let (_, waker) = Wakes::new();
        let timer = ManualTimer::new();
        let keep_alive = KeepAlive::new().text(&text);
        let body = SseBody::with_timer(Events::new([]), timer.clone()).keep_alive(keep_alive);
        let mut body = Box::pin(if rng.one_in(2) {
            body.prelude(Prelude::new().retry(SECOND))
        } else {
            body.prelude(Prelude::new().padding())
        });
        let mut stream = poll(&mut body, &waker).data().to_vec();
        for _ in 0..3 {
            stream.extend(loop {
                timer.advance(SECOND);
                if let Polled::Data(heartbeat) = poll(&mut body, &waker) {
                    break heartbeat;
                }
            });
        }
        let lines = std::str::from_utf8(&stream).unwrap();
        let lines = lines.strip_suffix('\n').unwrap().split('\n');
        for line in lines {
            let is_one = line.starts_with(':') || line == "retry: 1000";
            assert!(is_one && !line.contains('\r'), "{text:?} became {stream:?}");
        }
    }
}
