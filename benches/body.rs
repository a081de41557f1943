//! 100,000 events with keep-alive from a stream to the frames of a body: all ready, and one per
//! wake of the task.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;

use support::Case;
use support::Side::{self, Axum, Ours, Peer};
use support::bodies::{self, Clock, Numbers};
use support::events::{TYPE, read, text};

const EVENTS: u64 = 100_000;

/// Polls the body to its end, as a task that wakes for each number.
fn drain<B>(make: impl Fn(Numbers) -> B, events: u64, wakes: bool, mut frame: impl FnMut(Bytes))
where
    B: Body<Data = Bytes, Error: Into<bodies::BoxError>>,
{
    let clock = wakes.then(Clock::default);
    let mut body = pin!(make(Numbers::new(events, clock.clone())));
    let cx = &mut Context::from_waker(Waker::noop());
    loop {
        match body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(ready)) => {
                frame(ready.map_err(Into::into).unwrap().into_data().unwrap());
            }
            Poll::Ready(None) => return,
            Poll::Pending => {
                clock.as_ref().unwrap().fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn add<B>(
    case: &mut Case<'_>,
    wakes: bool,
    (name, side): (&'static str, Side),
    make: fn(Numbers, &'static str) -> B,
) where
    B: Body<Data = Bytes, Error: Into<bodies::BoxError>> + 'static,
{
    let data: &'static str = text(120).leak();
    let make = move |numbers| make(numbers, data);

    let mut stream = Vec::new();
    drain(make, 300, wakes, |frame| stream.extend_from_slice(&frame));
    let expected = (0..300).map(|n| (TYPE.to_owned(), n.to_string(), data.to_owned()));
    assert_eq!(read(&stream), expected.collect::<Vec<_>>(), "{name}");

    case.add(name, side, move || {
        drain(make, EVENTS, wakes, |frame| {
            drop(std::hint::black_box(frame));
        });
    });
}

pub(crate) fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    for (title, wakes) in [("body, ready", false), ("body, one per wake", true)] {
        let mut case = Case::new(title, EVENTS);
        add(&mut case, wakes, ("axum", Axum), bodies::axum);
        add(&mut case, wakes, ("sse-stream", Peer), bodies::sse_stream);
        add(&mut case, wakes, ("actix-web-lab", Peer), bodies::actix);
        add(&mut case, wakes, ("Events of a String", Ours), bodies::ours);
        add(
            &mut case,
            wakes,
            ("Events of a &'static str", Ours),
            bodies::ours_fixed,
        );
        add(
            &mut case,
            wakes,
            ("writer form", Ours),
            bodies::ours_written,
        );
        case.run();
    }
}
