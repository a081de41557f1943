//! What a body does before it reports an error.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use tower_sse::body::KeepAliveBody;
use tower_sse::{Event, KeepAlive, SseBody};

use crate::support::bodies::{Polled, Script, Wakes, poll};
use crate::support::timer::ManualTimer;

const PAUSE: Duration = Duration::from_millis(20);
const BEAT: Duration = Duration::from_nanos(1);

type Events = Script<Result<Event, &'static str>>;

/// An error comes this long after the stream has failed, and the task is woken for it.
#[track_caller]
fn errs_after_the_pause<B>(mut body: Pin<Box<B>>, timer: &ManualTimer)
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let ((first, first_waker), (wakes, waker)) = (Wakes::new(), Wakes::new());
    assert_eq!(poll(&mut body, &first_waker), Polled::Pending);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    assert!(!body.is_end_stream());
    timer.advance(PAUSE - BEAT);
    assert_eq!(wakes.count(), 0);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(BEAT);
    assert_eq!((first.count(), wakes.count()), (0, 1));
    assert_eq!(poll(&mut body, &waker), Polled::Error("gone"));
}

#[test]
fn waits_for_what_was_sent_to_leave() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let events = Events::new([Ok(Event::new("x")), Err("gone"), Ok(Event::new("never"))]);
    let body = SseBody::with_timer(events.clone(), timer.clone());
    let mut body = Box::pin(body);
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    assert!(!events.is_held());
    errs_after_the_pause(body, &timer);
}

#[test]
fn waits_without_a_heartbeat_where_there_are_some() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let events = Events::new([]);
    let keep_alive = KeepAlive::new().interval(PAUSE / 4);
    let body = SseBody::with_timer(events.clone(), timer.clone()).keep_alive(keep_alive);
    let mut body = Box::pin(body.prelude(None));
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(PAUSE / 4);
    assert_eq!(poll(&mut body, &waker).data(), ":\n");
    events.push(Err("gone"));
    errs_after_the_pause(body, &timer);
}

#[test]
fn waits_for_the_head_where_nothing_was_sent() {
    let timer = ManualTimer::new();
    let events = Events::new([Err("gone")]);
    errs_after_the_pause(Box::pin(SseBody::with_timer(events, timer.clone())), &timer);
}

#[test]
fn does_not_wait_without_a_timer() {
    let (wakes, waker) = Wakes::new();
    let mut body = Box::pin(SseBody::new(Events::new([Err("gone")])));
    assert_eq!(poll(&mut body, &waker), Polled::Pending, "time to write");
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut body, &waker), Polled::Error("gone"));
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn waits_in_a_foreign_body_too_and_each_error_is_told() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let data = |data| Ok(Frame::data(Bytes::from_static(data)));
    let frames = Script::new([data(b"data: x\n\n"), Err("gone")]);
    let foreign = StreamBody::new(frames.clone());
    let body = KeepAliveBody::with_timer(foreign, KeepAlive::default(), timer.clone());
    let mut body = Box::pin(body);
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(PAUSE);
    assert_eq!(poll(&mut body, &waker), Polled::Error("gone"));

    // What a body does after an error is its own affair, and passes.
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    timer.advance(Duration::from_secs(60));
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    frames.push(data(b"data: y\n\n"));
    frames.push(Err("gone again"));
    assert_eq!(poll(&mut body, &waker).data(), "data: y\n\n");
    assert_eq!(poll(&mut body, &waker), Polled::Error("gone again"));
    frames.close();
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

#[test]
fn waits_for_a_foreign_head_too() {
    let timer = ManualTimer::new();
    let foreign = StreamBody::new(Script::<Result<Frame<Bytes>, _>>::new([Err("gone")]));
    let body = KeepAliveBody::with_timer(foreign, KeepAlive::default(), timer.clone());
    errs_after_the_pause(Box::pin(body), &timer);
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn waits_on_tokios_clock() {
    use http_body_util::BodyExt;

    let events = Events::new([Ok(Event::new("x")), Err("gone")]);
    let keep_alive = KeepAlive::default();
    let mut body = Box::pin(SseBody::new(events).keep_alive(keep_alive));
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), ":\ndata: x\n\n");
    let start = tokio::time::Instant::now();
    assert_eq!(body.frame().await.unwrap().unwrap_err(), "gone");
    assert_eq!(start.elapsed(), PAUSE);
    assert!(body.frame().await.is_none());
}
