//! 10,000 typical events with keep-alive through hyper's server into a connection that swallows them; and
//! from which length on it pays to share a payload instead of copying it.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body::{Body, Frame};
use http_body_util::StreamBody;

use support::Side::{self, Axum, Floor, Ours, Peer};
use support::bodies::{self, BoxError, Clock, Numbers, Pace};
use support::events::{Typical, check, text};
use support::sink::{self, Version};
use support::{Case, is_brief};

const EVENTS: u64 = 10_000;

fn serve<B>(version: Version, keep: bool, make: impl FnOnce(Clock) -> B) -> sink::Written
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    let clock = Clock::default();
    sink::serve(version, make(clock.clone()), &clock, keep)
}

fn add<B>(
    case: &mut Case<'_>,
    (version, pace, events): (Version, Pace, Typical),
    (name, side): (&'static str, Side),
    make: fn(Numbers, Typical) -> B,
) where
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    let body = move |count, clock| make(Numbers::new(count, pace, clock), events);

    let written = serve(version, true, |clock| body(300, clock));
    let stream = sink::body(version, &written.kept);
    check(name, &stream, &events.expected(300));

    case.add(name, side, move || {
        let written = serve(version, false, |clock| body(EVENTS, clock));
        assert!(written.len as u64 > 150 * EVENTS, "{name}");
    });
}

fn events() {
    let events = Typical::new();
    for (title, version, pace) in [
        ("hyper/HTTP/1, ready", Version::Http1, Pace::Ready),
        (
            "hyper/HTTP/1, bursts of 16",
            Version::Http1,
            Pace::PerWake(16),
        ),
        (
            "hyper/HTTP/1, one per wake",
            Version::Http1,
            Pace::PerWake(1),
        ),
        ("hyper/HTTP/2, ready", Version::Http2, Pace::Ready),
        (
            "hyper/HTTP/2, bursts of 16",
            Version::Http2,
            Pace::PerWake(16),
        ),
        (
            "hyper/HTTP/2, one per wake",
            Version::Http2,
            Pace::PerWake(1),
        ),
    ] {
        let mut case = Case::new(title, EVENTS);
        let how = (version, pace, events);
        add(&mut case, how, ("axum", Axum), bodies::axum);
        add(&mut case, how, ("sse-stream", Peer), bodies::sse_stream);
        add(&mut case, how, ("actix-web-lab", Peer), bodies::actix);
        add(&mut case, how, ("Events of a String", Ours), bodies::ours);
        let name = "Events of a &'static str";
        add(&mut case, how, (name, Ours), bodies::ours_fixed);
        add(&mut case, how, ("writer form", Ours), bodies::ours_written);
        add(&mut case, how, ("floor", Floor), bodies::least_written);
        case.run();
    }
}

/// A payload copied into one frame with what is around it; or as it is, between two short frames.
fn sharing() {
    const BLOCKS: u64 = 64;
    let before = Bytes::from_static(b"event: score\nid: 1234567\ndata: ");
    let after = Bytes::from_static(b"\n\n");
    for (name, version) in [("HTTP/1", Version::Http1), ("HTTP/2", Version::Http2)] {
        for kib in [8, 16, 24, 32, 48, 64, 128, 256] {
            let parts = [before.clone(), Bytes::from(text(kib * 1024)), after.clone()];
            let blocks = |clock| Numbers::new(BLOCKS, Pace::PerWake(1), clock);
            let mut case = Case::new(format!("hyper/{name}, sharing {kib} KiB"), BLOCKS);
            let copied = || {
                let parts = parts.clone();
                serve(version, false, |clock| {
                    let frames = blocks(clock).map(move |_| Bytes::from(parts.concat()));
                    StreamBody::new(frames.map(|bytes| Ok::<_, std::io::Error>(Frame::data(bytes))))
                })
            };
            let shared = || {
                let parts = parts.clone();
                serve(version, false, |clock| {
                    let frames = blocks(clock).flat_map(move |_| stream::iter(parts.clone()));
                    StreamBody::new(frames.map(|bytes| Ok::<_, std::io::Error>(Frame::data(bytes))))
                })
            };
            case.add("copied", Peer, copied);
            case.add("shared", Ours, shared);
            case.run();
        }
    }
}

pub(crate) fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    events();
    if !is_brief() {
        sharing();
    }
}
