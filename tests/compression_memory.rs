//! What a compressed body holds, counted by an allocator, so this is a test binary of its own, and
//! without a harness, whose other thread allocates at times.

use std::alloc::System;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::header::{ACCEPT_ENCODING, HeaderMap};
use http_body::Body;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower_sse::compression::{CompressedBody, Compression};
use tower_sse::{Event, SseBody};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bytes that have been allocated since the region began and are still held.
fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

type Polled = Poll<Option<Bytes>>;

fn poll<B: Body<Data = Bytes, Error: std::fmt::Debug>>(body: &mut Pin<Box<B>>) -> Polled {
    let polled = body
        .as_mut()
        .poll_frame(&mut Context::from_waker(Waker::noop()));
    polled.map(|frame| frame.map(|frame| frame.unwrap().into_data().unwrap()))
}

/// A stream of this many events, each in a frame of its own, that then ends or is silent.
fn body(
    settings: &Compression,
    events: usize,
    ends: bool,
) -> Pin<Box<CompressedBody<impl Body<Data = Bytes, Error = std::convert::Infallible> + use<>>>> {
    let numbers = stream::iter(0..events).map(|n| Event::new(format!("event {n}")));
    let events = match ends {
        true => numbers.left_stream(),
        false => numbers.chain(stream::pending()).right_stream(),
    };
    let body = SseBody::new(events).frame_size(1);
    let accepted = HeaderMap::from_iter([(ACCEPT_ENCODING, "gzip".parse().unwrap())]);
    let response = settings.compress(&accepted, body.into_http_response());
    Box::pin(response.into_body())
}

fn main() {
    for (bits, most) in [(15, 380 << 10), (12, 270 << 10), (9, 250 << 10)] {
        let settings = Compression::new().window_bits(bits);
        let region = Region::new(ALLOCATOR);
        let mut body = body(&settings, 1_000, false);
        assert!(!body.is_end_stream());
        let before = held(&region);
        assert!(before < 1_000, "{before} before the first frame");
        while poll(&mut body).is_ready() {}
        let context = held(&region) - before;
        assert!(context < most, "window bits {bits}: {context} bytes");
        drop(body);
        assert_eq!(held(&region), 0);
    }

    // At the end it is given back before the body is dropped.
    let region = Region::new(ALLOCATOR);
    let mut ended = body(&Compression::new(), 10, true);
    while poll(&mut ended) != Poll::Ready(None) {}
    assert!(held(&region) < 1_000);
    drop(ended);
    assert_eq!(held(&region), 0);

    // Dropped anywhere.
    let region = Region::new(ALLOCATOR);
    for n in 0..200 {
        let mut body = body(&Compression::new(), n % 20, n % 3 == 0);
        for _ in 0..n % 7 {
            _ = poll(&mut body);
        }
    }
    assert_eq!(held(&region), 0);
    println!("a body holds its context from the first frame to the end");
}
