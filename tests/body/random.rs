//! Bodies of random settings in random company, against a model.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::sync::oneshot;
use tower_sse::{Event, KeepAlive, MaxAge, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};
use crate::support::rng::Rng;
use crate::support::timer::ManualTimer;

const MILLI: Duration = Duration::from_millis(1);
const INTERVAL: Duration = Duration::from_millis(80);
const PAUSE: Duration = Duration::from_millis(20);

/// How a stream is over, and when its body may say so.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Over {
    No,
    /// By itself, or by an error that is not told.
    Ended,
    /// From outside: with a farewell.
    Stopped,
    /// The error is told at this time.
    Failed(Duration),
}

/// The task polls its body only when it is woken, now and then as another task. Then all that has been
/// given leaves at once and in order, each end comes when it is due, heartbeats come within an eighth
/// of their interval, and what is held is dropped with the stream.
#[test]
fn everything_comes_when_it_is_due_and_wakes_the_task() {
    let rng = &mut Rng::new(9);
    let mut ends = [0; 4];
    for round in 0..3_000 {
        let timer = ManualTimer::new();
        let events = Script::<Result<Event, &'static str>>::new([]);
        let held = Arc::new(());
        let (stop, stopped) = oneshot::channel::<()>();
        let mut stop = Some(stop);
        let (beats, tells, ages) = (rng.one_in(2), rng.one_in(2), rng.one_in(2));
        let busy = *rng.pick(&[60, 600, 6_000]);
        let age = MILLI * u32::try_from(rng.below(400)).unwrap();

        let mut body = SseBody::with_timer(events.clone(), timer.clone())
            .prelude(None)
            .farewell(Event::new("bye"))
            .hold(Arc::clone(&held));
        if beats {
            body = body.keep_alive(KeepAlive::new().interval(INTERVAL));
        }
        if !tells {
            body = body.on_error(Event::new("sorry"));
        }
        if ages {
            body = body.max_age(MaxAge::new(age));
        }
        if rng.one_in(2) {
            body = body.end_when(async { _ = stopped.await });
        } else {
            stop = None;
        }
        let mut body = Box::pin(body);

        let (mut wakes, mut waker): (Arc<Wakes>, Waker) = Wakes::new();
        let (mut over, mut seen, mut given) = (Over::No, usize::MAX, 0);
        let (mut expected, mut read) = (String::new(), String::new());
        let mut sent_at = None;
        for step in 0..1_000 {
            let at = || format!("round {round}, step {step}");
            if over == Over::No {
                match rng.below(busy) {
                    0..12 => {
                        given += 1;
                        events.push(Ok(Event::new(given.to_string())));
                        expected += &format!("data: {given}\n\n");
                    }
                    12 => {
                        events.close();
                        over = Over::Ended;
                    }
                    13 => {
                        events.push(Err("gone"));
                        over = if tells {
                            // What is ready leaves first.
                            Over::Failed(timer.now() + PAUSE)
                        } else {
                            expected += "data: sorry\n\n";
                            Over::Ended
                        };
                    }
                    14 => {
                        if let Some(stop) = stop.take() {
                            stop.send(()).unwrap();
                            over = Over::Stopped;
                        }
                    }
                    _ => {}
                }
            }
            // The first poll starts the age, and comes at once.
            if over == Over::No && ages && timer.now() >= age {
                over = Over::Stopped;
            }
            if over == Over::Stopped && !expected.ends_with("bye\n\n") {
                expected += "data: bye\n\n";
            }
            if rng.one_in(10) {
                (wakes, waker) = Wakes::new();
                seen = usize::MAX;
            }
            let mut end = None;
            while end.is_none() && wakes.count() != seen {
                seen = wakes.count();
                loop {
                    match poll(&mut body, &waker) {
                        Polled::Pending => break,
                        Polled::Data(data) => {
                            if data == ":\n" {
                                let silence = timer.now() - sent_at.unwrap_or_default();
                                assert!(beats && silence >= INTERVAL, "{}", at());
                            } else {
                                read += std::str::from_utf8(&data).unwrap();
                            }
                            sent_at = Some(timer.now());
                        }
                        other => {
                            end = Some(other);
                            break;
                        }
                    }
                }
            }
            assert_eq!(read, expected, "{}", at());
            assert_eq!(Arc::strong_count(&held) == 1, over != Over::No, "{}", at());
            match (over, end) {
                (Over::No, None) => {
                    let silence = timer.now() - sent_at.unwrap_or_default();
                    assert!(!beats || silence <= INTERVAL * 9 / 8, "{}", at());
                }
                (Over::Ended, Some(Polled::End)) => {
                    ends[0] += 1;
                    break;
                }
                (Over::Stopped, Some(Polled::End)) => {
                    ends[1 + usize::from(ages)] += 1;
                    break;
                }
                (Over::Failed(due), Some(Polled::Error("gone"))) => {
                    assert_eq!(timer.now(), due, "{}", at());
                    ends[3] += 1;
                    break;
                }
                (Over::Failed(due), None) => assert!(timer.now() < due, "{}", at()),
                (over, end) => panic!("{over:?} and {end:?}, {}", at()),
            }
            timer.advance(MILLI);
        }
        drop(body);
    }
    assert!(ends.iter().all(|&n| n > 100), "{ends:?}");
}
