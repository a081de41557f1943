//! Bodies that are always ready and never say anything, as a peer on HTTP/2 can send them: frames of
//! length 0. They end by the clock, and no poll goes on until then.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::{Request, Response};
use tower_sse::body::Chunks;
use tower_sse::client::{ClientError, SourceEvent};
use tower_sse::{EventSource, EventStream};

/// How often a sleep here is polled until it ends.
const POLLS: usize = 10;

/// Sleeps that know no time, for a paused clock stands still while something is ready.
async fn sleep(_: Duration) {
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        if polls > POLLS {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Frames without bytes, counted.
fn empty(frames: &Arc<AtomicUsize>) -> Chunks<impl Stream<Item = Result<Bytes, Infallible>>> {
    let frames = Arc::clone(frames);
    Chunks::new(stream::repeat_with(move || {
        let seen = frames.fetch_add(1, Ordering::Relaxed);
        assert!(seen < 100_000, "no poll ends");
        Ok(Bytes::new())
    }))
}

#[tokio::test]
async fn a_rejected_response_is_read_for_a_time() {
    let frames = Arc::default();
    let response = Response::builder()
        .status(500)
        .body(empty(&frames))
        .unwrap();
    let rejection = EventStream::from_response_with_timer(response, sleep).await;
    assert_eq!(rejection.unwrap_err().status(), 500);
    assert!(frames.load(Ordering::Relaxed) > 100);
}

#[tokio::test]
async fn each_poll_of_a_rejected_response_ends() {
    let frames = Arc::default();
    let response = Response::builder()
        .status(404)
        .body(empty(&frames))
        .unwrap();
    let mut rejected = std::pin::pin!(EventStream::from_response(response));
    for _ in 0..10 {
        assert!(futures_util::poll!(&mut rejected).is_pending());
    }
}

#[tokio::test]
async fn a_client_gives_up_on_such_a_response() {
    let frames = Arc::default();
    let response = |_: Request<()>| {
        let response = Response::builder().status(404).body(empty(&frames));
        std::future::ready(Ok::<_, Infallible>(response.unwrap()))
    };
    let mut source = EventSource::with_timer(tower::service_fn(response), Request::new(()), sleep);
    let failed = source.next().await;
    assert!(matches!(failed, Some(SourceEvent::Failed(_))), "{failed:?}");
}

#[tokio::test]
async fn they_are_no_sign_of_life() {
    let frames = Arc::default();
    let response = |_: Request<()>| {
        let response = Response::builder().header("content-type", "text/event-stream");
        std::future::ready(Ok::<_, Infallible>(response.body(empty(&frames)).unwrap()))
    };
    let mut source = EventSource::with_timer(tower::service_fn(response), Request::new(()), sleep)
        .idle_timeout(Duration::from_secs(1));
    assert!(matches!(
        source.next().await,
        Some(SourceEvent::Open { .. })
    ));
    let error = source.next().await;
    let idle = matches!(error, Some(SourceEvent::Error(ClientError::Idle { .. })));
    assert!(idle, "{error:?}");
}
