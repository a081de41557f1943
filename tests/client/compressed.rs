//! A layer that decompresses, below the source.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::decompression::DecompressionLayer;
use tower_sse::client::SourceEvent;
use tower_sse::{Event, EventSource, SseBody};

use crate::script::say;
use crate::support::net::{serve, within};

#[tokio::test]
async fn a_compressed_stream_needs_a_layer_that_decodes() {
    let compressed = ServiceBuilder::new()
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(0)))
        .service_fn(|_: Request<Incoming>| async {
            let first = stream::iter([Ok::<_, Infallible>(Event::new("at once"))]);
            let response = SseBody::new(first.chain(stream::pending())).into_http_response();
            Ok::<_, Infallible>(response)
        });
    let url = format!("http://{}/", serve(compressed).await);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();

    let request = Request::get(&url).header("accept-encoding", "gzip");
    let mut source = EventSource::new(client.clone(), request.body(Full::default()).unwrap());
    assert_eq!(
        say(&within(source.next()).await.unwrap()),
        "failed: the response is not an event stream: 200 OK with Content-Encoding \"gzip\", not decoded"
    );

    let client = ServiceBuilder::new()
        .layer(DecompressionLayer::new())
        .service(client);
    let request = Request::get(&url).body(Full::default()).unwrap();
    let mut source = EventSource::new(client, request);
    let Some(SourceEvent::Open(head)) = within(source.next()).await else {
        panic!("not open");
    };
    assert!(!head.headers().contains_key("content-encoding"));
    assert_eq!(
        say(&within(source.next()).await.unwrap()),
        "message at once"
    );
}
