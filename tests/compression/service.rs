//! The hub's service with its setting.

use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, VARY};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_sse::compression::Compression;
use tower_sse::timer::TokioTimer;
use tower_sse::{Event, Hub, HubService, KeepAlive, MaxAge, SseBody, Subscription};

use crate::support::gunzip::{Gunzip, gunzip};

type Stream = SseBody<Subscription, TokioTimer>;

fn hub() -> Hub {
    Hub::builder().epoch(36).build()
}

fn service(hub: &Hub) -> HubService<TokioTimer> {
    HubService::new(hub.clone()).compression(Compression::new())
}

fn request(uri: &str, accepted: &str) -> Request<()> {
    let request = Request::get(uri).header(ACCEPT_ENCODING, accepted);
    request.body(()).unwrap()
}

async fn answer(service: HubService<TokioTimer>, request: Request<()>) -> Response<Stream> {
    service.oneshot(request).await.unwrap()
}

async fn next(body: &mut std::pin::Pin<Box<Stream>>) -> bytes::Bytes {
    let frame = body.frame().await.unwrap().unwrap();
    frame.into_data().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_event_can_be_read_at_once() {
    let hub = hub();
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(5));
    let service = service(&hub).keep_alive(keep_alive);
    let response = answer(service, request("/", "gzip")).await;
    let headers = response.headers();
    assert_eq!(headers[CONTENT_ENCODING], "gzip");
    assert_eq!(headers[VARY], "accept-encoding");
    assert_eq!(headers[CACHE_CONTROL], "no-cache, no-transform");

    let mut body = Box::pin(response.into_body());
    let mut decoder = Gunzip::new();
    decoder.read(&next(&mut body).await);
    for n in 0..20 {
        hub.publish(Event::new(format!("event {n}")));
        let expected = format!("data: event {n}\n\n");
        while !decoder.text().ends_with(expected.as_bytes()) {
            decoder.read(&next(&mut body).await);
        }
    }
    while !decoder.text().ends_with(b"\n:\n") {
        decoder.read(&next(&mut body).await);
    }
    hub.close();
    while !decoder.is_complete() {
        decoder.read(&next(&mut body).await);
    }
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

/// The streams, decoded, are what the plain ones are.
#[tokio::test(start_paused = true)]
async fn all_kinds_of_streams_end_with_a_trailer() {
    for uri in [
        "/",
        "/?lastEventId=10-1",
        "/?long-poll&lastEventId=10-1",
        "/?lastEventId=zz-1",
    ] {
        let mut texts = Vec::new();
        for accepted in ["gzip", "identity"] {
            let hub = hub();
            for n in 0..5 {
                hub.publish(Event::new(format!("event {n}")));
            }
            let service = service(&hub).max_age(MaxAge::new(Duration::from_secs(40)));
            let response = answer(service, request(uri, accepted)).await;
            let is_gzip = response.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(is_gzip, accepted == "gzip");
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            texts.push(match is_gzip {
                true => gunzip(&bytes),
                false => String::from_utf8(bytes.to_vec()).unwrap(),
            });
        }
        assert_eq!(texts[0], texts[1], "{uri}");
        assert!(!texts[0].is_empty());
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let hub = hub();
    for accepted in ["gzip", "br"] {
        let get = answer(service(&hub), request("/", accepted)).await;
        let mut head = request("/", accepted);
        *head.method_mut() = Method::HEAD;
        let head = answer(service(&hub), head).await;
        assert_eq!(head.headers(), get.headers());
        assert!(head.body().is_end_stream());
    }
}

#[tokio::test]
async fn without_acceptance_all_but_vary_is_as_without_the_setting() {
    let hub = hub();
    let headers = |response: Response<Stream>| -> HeaderMap { response.headers().clone() };
    let plain = answer(HubService::new(hub.clone()), request("/", "gzip")).await;
    let plain = headers(plain);
    assert!(!plain.contains_key(VARY) && !plain.contains_key(CONTENT_ENCODING));
    let mut found = headers(answer(service(&hub), request("/", "br")).await);
    assert_eq!(found.remove(VARY).unwrap(), "accept-encoding");
    assert_eq!(found, plain);
}

#[tokio::test]
async fn refusals_are_not_compressed() {
    let full = Hub::builder().max_subscribers(0).build();
    let found = answer(service(&full), request("/", "gzip")).await;
    assert_eq!(found.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!found.headers().contains_key(CONTENT_ENCODING));
    assert!(!found.headers().contains_key(VARY));

    let found = answer(service(&hub()), request("/?lastEventId=%00", "gzip")).await;
    assert_eq!(found.status(), StatusCode::BAD_REQUEST);
    assert!(!found.headers().contains_key(CONTENT_ENCODING));

    // A refusal that is an event stream is one.
    let found = answer(service(&full).refuse_with_retry(), request("/", "gzip")).await;
    assert_eq!(found.headers()[CONTENT_ENCODING], "gzip");
    let bytes = found.into_body().collect().await.unwrap().to_bytes();
    assert!(gunzip(&bytes).starts_with(":\nretry: "));
}
