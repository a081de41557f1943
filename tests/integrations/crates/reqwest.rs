//! reqwest below the client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::{Request, Response};
use hyper::body::Incoming;
use tower_sse::client::HttpService;
use tower_sse::{Event, EventSource, EventStream, SseBody};

use crate::over_reqwest::over_reqwest;
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
    let request = Request::get(&url).body(String::new()).unwrap();
    assert_eq!(heard(over_reqwest(client.clone()), request).await, HEARD);

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
