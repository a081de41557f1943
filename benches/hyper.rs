//! 10,000 events with keep-alive through hyper's server into a connection that swallows them; and
//! from which length on it pays to share a payload instead of copying it.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body::{Body, Frame};
use http_body_util::StreamBody;

use support::Case;
use support::Side::{self, Axum, Ours, Peer};
use support::bodies::{self, Clock, Numbers};
use support::events::{TYPE, read, text};
use support::sink::{self, Version};

const EVENTS: u64 = 10_000;

fn serve<B>(version: Version, keep: bool, make: impl FnOnce(Clock) -> B) -> sink::Written
where
    B: Body<Data = Bytes, Error: Into<bodies::BoxError>> + 'static,
{
    let clock = Clock::default();
    sink::serve(version, make(clock.clone()), &clock, keep)
}

fn add<B>(
    case: &mut Case<'_>,
    (version, wakes): (Version, bool),
    (name, side): (&'static str, Side),
    make: fn(Numbers, &'static str) -> B,
) where
    B: Body<Data = Bytes, Error: Into<bodies::BoxError>> + 'static,
{
    let data: &'static str = text(120).leak();
    let body = move |events, clock| make(Numbers::new(events, wakes.then_some(clock)), data);

    let written = serve(version, true, |clock| body(300, clock));
    let expected = (0..300).map(|n| (TYPE.to_owned(), n.to_string(), data.to_owned()));
    let stream = sink::body(version, &written.kept);
    assert_eq!(read(&stream), expected.collect::<Vec<_>>(), "{name}");

    case.add(name, side, move || {
        serve(version, false, |clock| body(EVENTS, clock)).len
    });
}

fn events() {
    for (title, version, wakes) in [
        ("HTTP/1, ready", Version::Http1, false),
        ("HTTP/1, one per wake", Version::Http1, true),
        ("HTTP/2, ready", Version::Http2, false),
        ("HTTP/2, one per wake", Version::Http2, true),
    ] {
        let mut case = Case::new(title, EVENTS);
        let how = (version, wakes);
        add(&mut case, how, ("axum", Axum), bodies::axum);
        add(&mut case, how, ("sse-stream", Peer), bodies::sse_stream);
        add(&mut case, how, ("actix-web-lab", Peer), bodies::actix);
        add(&mut case, how, ("Events of a String", Ours), bodies::ours);
        add(
            &mut case,
            how,
            ("Events of a &'static str", Ours),
            bodies::ours_fixed,
        );
        add(&mut case, how, ("writer form", Ours), bodies::ours_written);
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
            let blocks = |clock| Numbers::new(BLOCKS, Some(clock));
            let mut case = Case::new(format!("{name}, sharing {kib} KiB"), BLOCKS);
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
    sharing();
}
