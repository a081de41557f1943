//! What a hundred thousand bodies leave behind: nothing. Counted by an allocator, so this is a test
//! binary of its own, and without a harness, whose other thread allocates at times.

use std::alloc::System;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower_sse::body::KeepAliveBody;
use tower_sse::timer::TokioTimer;
use tower_sse::{Event, KeepAlive, MaxAge, Prelude, SseBody};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Makes a body with all that one can have, polls it until it is pending, and drops it or lets it
/// end.
async fn live(n: usize, held: &Arc<()>) {
    let last = match n % 3 {
        0 => stream::iter(None).left_stream(),
        1 => stream::iter(Some(Err("gone"))).left_stream(),
        _ => stream::pending().right_stream(),
    };
    let events = stream::iter([Ok(Event::new("x").with_id(7u64)), Ok(Event::new("y"))]).chain(last);
    let body = SseBody::with_timer(events, TokioTimer)
        .keep_alive(KeepAlive::new().text("alive"))
        .prelude(Prelude::new().retry(Duration::from_secs(2)).padding())
        .max_age(MaxAge::new(Duration::from_secs(60)).spread(Duration::from_secs(60)))
        .end_when(std::future::pending())
        .farewell(Event::new("bye"))
        .hold(Arc::clone(held));
    let mut body = pin!(body.boxed());
    assert!(body.frame().await.unwrap().is_ok());
    if n % 5 == 0 {
        while body.frame().await.is_some() {}
        return;
    }
    poll_fn(|cx| Poll::Ready(_ = body.as_mut().poll_frame(cx))).await;

    let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(
        b"data: x\n\n",
    )))];
    let frames = StreamBody::new(stream::iter(frames).chain(stream::pending()));
    let mut foreign = pin!(KeepAliveBody::new(frames, KeepAlive::new()));
    assert!(foreign.frame().await.unwrap().is_ok());
    poll_fn(|cx| Poll::Ready(_ = foreign.as_mut().poll_frame(cx))).await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let held = Arc::new(());
    runtime.block_on(async {
        for n in 0..1_000 {
            live(n, &held).await;
        }
        let region = Region::new(ALLOCATOR);
        for n in 0..100_000 {
            live(n, &held).await;
        }
        let change = region.change();
        assert_eq!(change.bytes_allocated, change.bytes_deallocated);
        assert_eq!(Arc::strong_count(&held), 1);
    });
    println!("bodies give all their memory back");
}
