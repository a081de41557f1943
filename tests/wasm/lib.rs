//! What could ask a clock or the system's randomness, where there is neither; `run.mjs` runs it.

use std::future::ready;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use http::{Request, Response};
use tower_sse::client::SourceEvent;
use tower_sse::{Event, EventSource, Hub};

/// Publishes to a hub that looks at ages; the ID of the first event, with a NUL at its end.
#[unsafe(no_mangle)]
pub extern "C" fn publish() -> *const u8 {
    let hub = Hub::builder().retain_for(Duration::from_secs(1)).build();
    let id = hub.publish(Event::new("x"));
    let mut deliveries = hub.resume(id.clone()).unwrap().into_stream();
    hub.publish(Event::new("y"));
    let delivery = deliveries.next().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(delivery.data(), "y");
    format!("{id}\0").leak().as_ptr()
}

/// How many events a client gets that reconnects three times, once after a date.
#[unsafe(no_mangle)]
pub extern "C" fn reconnect() -> u32 {
    let mut requests = 0;
    let service = tower::service_fn(move |_: Request<String>| {
        requests += 1;
        let response = Response::builder();
        ready(match requests {
            1 => response
                .status(503)
                .header("retry-after", "Sun, 06 Nov 2044 08:49:37 GMT")
                .body(String::new()),
            2..5 => response
                .header("content-type", "text/event-stream")
                .body("id: 1\ndata: a\n\n".to_owned()),
            _ => response.status(204).body(String::new()),
        })
    });
    let mut source = EventSource::with_timer(service, Request::default(), |_| ready(()))
        .retry_server_errors()
        .idle_timeout(Duration::from_secs(9));
    let mut events = 0;
    while let Some(event) = source.next().now_or_never().unwrap() {
        events += u32::from(matches!(event, SourceEvent::Message(_)));
    }
    events
}
