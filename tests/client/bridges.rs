//! Other clients than hyper-util's, and layers below the source, over sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::decompression::DecompressionLayer;
use tower_sse::client::{HttpService, SourceEvent};
use tower_sse::{Event, EventSource, EventStream, SseBody};

use crate::script::say;
use crate::support::net::{serve, within};

/// Two connections with an event each, and then the word to stop.
async fn feed() -> SocketAddr {
    serve(tower::service_fn(|request: Request<Incoming>| async move {
        let id = request.headers().get("last-event-id");
        let id: u64 = id.map_or(0, |id| id.to_str().unwrap().parse().unwrap()) + 1;
        let event = Event::new(format!("event {id}"))
            .with_id(id)
            .with_retry(Duration::ZERO);
        let mut response =
            SseBody::new(stream::iter([Ok::<_, Infallible>(event)])).into_http_response();
        if id > 2 {
            *response.status_mut() = http::StatusCode::NO_CONTENT;
        }
        Ok::<_, Infallible>(response)
    }))
    .await
}

const HEARD: [&str; 7] = [
    "open 200 OK",
    "message event 1",
    "error: the event stream has ended",
    "open 200 OK",
    "message event 2",
    "error: the event stream has ended",
    "failed: the response is not an event stream: 204 No Content",
];

async fn heard<B: Clone>(service: impl HttpService<B>, request: Request<B>) -> Vec<String> {
    let source = EventSource::new(service, request);
    within(source.map(|event| say(&event)).collect()).await
}

#[tokio::test]
async fn reqwest_is_a_service_and_its_responses_are_streams() {
    let url = format!("http://{}/", feed().await);
    let client = reqwest::Client::new();
    let service = tower::service_fn({
        let client = client.clone();
        move |request: Request<String>| {
            let client = client.clone();
            async move {
                let response = client.execute(request.try_into()?).await?;
                Ok::<_, reqwest::Error>(Response::<reqwest::Body>::from(response))
            }
        }
    });
    let request = Request::get(&url).body(String::new()).unwrap();
    assert_eq!(heard(service, request).await, HEARD);

    let response = client.get(&url).send().await.unwrap();
    let response = Response::<reqwest::Body>::from(response);
    let mut events = EventStream::from_response(response).await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().data(), "event 1");
    assert!(events.next().await.is_none());

    let response = client
        .get(&url)
        .header("last-event-id", "1")
        .send()
        .await
        .unwrap();
    let mut events = EventStream::from_stream(response.bytes_stream());
    assert_eq!(events.next().await.unwrap().unwrap().data(), "event 2");
    assert!(events.next().await.is_none());
}

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
