//! A stream that the server has compressed, behind a HAProxy that could compress it too.

use http::HeaderValue;
use tower_sse::SseLayer;
use tower_sse::compression::Compression;
use tower_sse::headers::EventStreamHeaders;

use crate::proxied::{passes_compressed_at_once, server_with};
use crate::{Events, HaProxy};

/// Even where `no-transform` does not keep HAProxy from compressing.
#[tokio::test]
#[ignore = "needs HAProxy; .ci/run installs it and runs this"]
async fn a_compressed_stream_passes_as_it_is_and_at_once() {
    let may_transform = HeaderValue::from_static("no-cache");
    for headers in [
        EventStreamHeaders::new(),
        EventStreamHeaders::new().cache_control(may_transform),
    ] {
        let events = Events::new([]);
        let layer = SseLayer::new()
            .headers(headers)
            .compression(Compression::new());
        let haproxy = HaProxy::before(server_with(&events, layer).await).await;
        passes_compressed_at_once(&events, haproxy.get().await).await;
    }
}
