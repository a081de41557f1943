//! What one stream costs at each level: the time and the bytes of an event, without a hub around it.

use std::hint::black_box;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use support::{median, rounds, row};
use tower_sse::Event;
use tower_sse::compression::{CompressedBody, Compression, Encoding};

use crate::cpu;
use crate::payloads::Payload;
use crate::table::{Table, micros};

const LEVELS: [u8; 4] = [1, 4, 6, 9];
/// Sent before anything is measured.
const WARM_UP: usize = 100;
/// And everything in all.
const EVENTS: u64 = 2_100;
const MOST_ROUNDS: usize = 11;

pub(crate) fn print(title: &str, payload: &Payload, table: &mut Table) {
    let timed = rounds();
    let texts = payload.texts(0..if timed.is_some() { EVENTS } else { 10 });
    let events: Vec<Bytes> = texts
        .into_iter()
        .map(|text| Event::new(text).encode().into_bytes())
        .collect();
    let sizes = LEVELS.map(|level| check(level, &events));
    let mut times = LEVELS.map(|_| Vec::new());
    for round in 0..timed.map_or(1, |rounds| rounds.min(MOST_ROUNDS)) {
        for n in 0..LEVELS.len() {
            let n = (n + round) % LEVELS.len();
            times[n].push(time(LEVELS[n], &events));
        }
    }
    println!("  one stream, at each level:");
    for ((level, size), times) in LEVELS.iter().zip(sizes).zip(times) {
        let time = median(times);
        println!("  level {level:<8}{size:>12.1} bytes {time:>12.0} ns");
        row::alone(&format!("{title}, level {level}/bytes of an event"), size);
        row::alone(&format!("{title}, level {level}/ns"), time);
        table.add(
            format!("level {level}"),
            format!("{size:.1} bytes, {}", micros(time)),
        );
    }
}

type Stream = CompressedBody<Pin<Box<dyn Body<Data = Bytes, Error = std::convert::Infallible>>>>;

fn stream(level: u8, events: &[Bytes]) -> Stream {
    let events = events.to_vec();
    let frames = events.into_iter().map(|event| Ok(Frame::data(event)));
    let body = Box::pin(StreamBody::new(futures_util::stream::iter(frames)));
    CompressedBody::new(body, Encoding::Gzip, &Compression::new().level(level))
}

fn next(stream: &mut Stream) -> Option<Bytes> {
    let cx = &mut Context::from_waker(Waker::noop());
    match Pin::new(stream).poll_frame(cx) {
        Poll::Ready(Some(Ok(frame))) => Some(frame.into_data().expect("data")),
        Poll::Ready(None) => None,
        _ => unreachable!("all events are there"),
    }
}

/// Decodes the stream, and returns the number of bytes of an event after the first ones.
fn check(level: u8, events: &[Bytes]) -> f64 {
    let mut stream = stream(level, events);
    let frames: Vec<Bytes> = std::iter::from_fn(|| next(&mut stream)).collect();
    let (wire, mut read) = (frames.concat(), Vec::new());
    GzDecoder::new(&*wire)
        .read_to_end(&mut read)
        .expect("a gzip stream");
    assert!(read == events.concat(), "level {level}");
    let measured = frames.get(WARM_UP..events.len()).unwrap_or_default();
    measured.iter().map(Bytes::len).sum::<usize>() as f64 / measured.len().max(1) as f64
}

/// Nanoseconds for each event after the first ones.
fn time(level: u8, events: &[Bytes]) -> f64 {
    let mut stream = stream(level, events);
    for _ in 0..WARM_UP.min(events.len()) {
        black_box(next(&mut stream));
    }
    let start = cpu();
    let mut count = 0_u32;
    while black_box(next(&mut stream)).is_some() {
        count += 1;
    }
    let time: Duration = cpu() - start;
    time.as_nanos() as f64 / f64::from(count.max(1))
}
