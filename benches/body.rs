//! Typical events with keep-alive, from a stream to the frames of a body: all ready, in bursts of 16
//! and one per wake of the task.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;
use support::Side::{self, Axum, Floor, Ours, Peer};
use support::bodies::{self, Clock, Numbers, Pace};
use support::events::{Typical, check, encoded_len};
use support::{Case, bodies::BoxError};

const EVENTS: u64 = 20_000;

/// Polls the body to its end, as a task does that is woken whenever it may be.
fn drain<B>(make: impl Fn(Numbers) -> B, events: u64, pace: Pace, mut frame: impl FnMut(Bytes))
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let clock = Clock::default();
    let mut body = pin!(make(Numbers::new(events, pace, clock.clone())));
    let cx = &mut Context::from_waker(Waker::noop());
    loop {
        match body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(ready)) => {
                frame(ready.map_err(Into::into).unwrap().into_data().unwrap());
            }
            Poll::Ready(None) => return,
            Poll::Pending => _ = clock.fetch_add(1, Ordering::Relaxed),
        }
    }
}

fn add<B>(
    case: &mut Case<'_>,
    (pace, events): (Pace, Typical),
    (name, side): (&'static str, Side),
    make: fn(Numbers, Typical) -> B,
) where
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    let make = move |numbers| make(numbers, events);

    let mut stream = Vec::new();
    drain(make, 300, pace, |frame| stream.extend_from_slice(&frame));
    check(name, &stream, &events.expected(300));

    let at_least = encoded_len(&events.expected(EVENTS));
    case.add(name, side, move || {
        let mut len = 0;
        drain(make, EVENTS, pace, |frame| {
            len += frame.len();
            drop(std::hint::black_box(frame));
        });
        assert!(len >= at_least && len < at_least + 16, "{name}: {len}");
    });
}

pub(crate) fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let events = Typical::new();
    for (title, pace) in [
        ("body/ready", Pace::Ready),
        ("body/bursts of 16", Pace::PerWake(16)),
        ("body/one per wake", Pace::PerWake(1)),
    ] {
        let mut case = Case::new(title, EVENTS);
        let how = (pace, events);
        add(&mut case, how, ("axum", Axum), bodies::axum);
        add(&mut case, how, ("sse-stream", Peer), bodies::sse_stream);
        add(&mut case, how, ("actix-web-lab", Peer), bodies::actix);
        add(&mut case, how, ("Events of a String", Ours), bodies::ours);
        let name = "Events of a &'static str";
        add(&mut case, how, (name, Ours), bodies::ours_fixed);
        add(&mut case, how, ("writer form", Ours), bodies::ours_written);
        add(&mut case, how, ("floor, String", Floor), bodies::least);
        add(&mut case, how, ("floor", Floor), bodies::least_written);
        case.run();
    }
}
