//! axum: responses, the extractor, and a shutdown with streams open.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, Version};
use http_body_util::Empty;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_sse::{Event, KeepAlive, LastEventId, SseBody, SseLayer};

use crate::support::net::{get as request, read_to_end, read_until, send, within};
use crate::{minutes, ticker};

async fn feed(last: Option<LastEventId>) -> impl IntoResponse {
    SseBody::new(ticker(last.as_ref())).keep_alive(KeepAlive::default())
}

#[tokio::test]
async fn a_handler_takes_the_last_event_id_and_returns_a_body() {
    let plain = Router::new().route("/", get(feed));
    let layered = plain.clone().layer(SseLayer::new().query_fallback());
    for (app, query) in [(plain, ""), (layered, "?lastEventId=9")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });

        let get = request(Version::HTTP_11, address, "/").header("last-event-id", "4");
        let response = send(address, get.body(Empty::new()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(
            response.headers()["cache-control"],
            "no-cache, no-transform"
        );
        let read = read_until(&mut response.into_body(), "minute 10\n\n").await;
        assert_eq!(read, format!(":\n{}", minutes(5, 10)));

        let get = request(Version::HTTP_2, address, &format!("/{query}"));
        let response = send(address, get.body(Empty::new()).unwrap()).await;
        let read = read_until(&mut response.into_body(), "minute 10\n\n").await;
        assert_eq!(
            read,
            format!(":\n{}", minutes(if query.is_empty() { 1 } else { 10 }, 10))
        );

        let get = request(Version::HTTP_11, address, "/").header("last-event-id", &b"\xff"[..]);
        let response = send(address, get.body(Empty::new()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(
            read_to_end(response.into_body())
                .await
                .starts_with("invalid Last-Event-ID")
        );
    }
}

#[tokio::test]
async fn a_shutdown_ends_with_streams_open() {
    let stop = CancellationToken::new();
    let ended = stop.clone();
    let app = Router::new().route(
        "/",
        get(async move || {
            SseBody::new(ticker(None))
                .keep_alive(KeepAlive::new().interval(Duration::from_secs(60)))
                .end_when(ended.cancelled_owned())
                .farewell(Event::new("back in a minute"))
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = stop.clone().cancelled_owned();
    let server = tokio::spawn(
        axum::serve(listener, app)
            .with_graceful_shutdown(shutdown)
            .into_future(),
    );
    let mut bodies = Vec::new();
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let get = request(version, address, "/").body(Empty::new()).unwrap();
        let mut body = send(address, get).await.into_body();
        read_until(&mut body, "minute 10\n\n").await;
        bodies.push(body);
    }
    stop.cancel();
    for body in bodies {
        assert_eq!(read_to_end(body).await, "data: back in a minute\n\n");
    }
    within(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_of_any_error_is_a_response() {
    let events = futures_util::stream::iter([Ok(Event::new("x")), Err(std::io::Error::other("y"))]);
    let response = SseBody::new(events).on_error(Event::comment("sorry"));
    let response = IntoResponse::into_response(response);
    let bytes = axum::body::to_bytes(response.into_body(), 100)
        .await
        .unwrap();
    assert_eq!(bytes, "data: x\n\n: sorry\n\n");
    let infallible = futures_util::stream::empty::<Result<Event, Infallible>>();
    _ = IntoResponse::into_response(SseBody::new(infallible));
}

mod everything_at_once {
    //! `use tower_sse::*` leaves the crate `axum` where it is.

    use axum::Router;
    use axum::response::{IntoResponse, Response};
    use axum::routing::get;
    use tower_sse::*;

    /// Axum's response, from each kind of ours and from axum's own.
    async fn feed(last: Option<LastEventId>) -> Response {
        let hub = Hub::builder().max_subscribers(1).build();
        match last.and_then(|last| last.number()) {
            None => SseBody::new(futures_util::stream::iter([Event::new("body")])).into_response(),
            Some(1) => match hub.subscribe() {
                Ok(subscription) => {
                    hub.publish(Event::new("subscription"));
                    hub.close();
                    subscription.into_response()
                }
                Err(refused) => refused.into_response(),
            },
            Some(2) => {
                hub.close();
                hub.subscribe().unwrap_err().into_response()
            }
            Some(_) => http::StatusCode::NOT_FOUND.into_response(),
        }
    }

    pub(super) fn app() -> Router {
        Router::new().route("/", get(feed).layer(SseLayer::new()))
    }
}

#[tokio::test]
async fn into_response_gives_axums_response() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    for (id, status, text) in [
        ("", 200, "data: body\n\n"),
        ("1", 200, "data: subscription\n\n"),
        ("2", 503, ""),
        ("3", 404, ""),
    ] {
        let request = http::Request::get("/").header("last-event-id", id);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = everything_at_once::app().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{id}");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert!(bytes.ends_with(text.as_bytes()), "{id}: {bytes:?}");
    }
}

#[tokio::test]
async fn a_handler_can_answer_a_bad_id_itself() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    use tower_sse::InvalidLastEventId;

    async fn feed(last: Result<Option<LastEventId>, InvalidLastEventId>) -> (StatusCode, String) {
        (StatusCode::CONFLICT, last.unwrap_err().to_string())
    }
    let plain = Router::new().route("/", get(feed));
    for app in [plain.clone(), plain.layer(SseLayer::new())] {
        let request = http::Request::get("/").header("last-event-id", &b"\xff"[..]);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert!(text.starts_with(b"invalid Last-Event-ID"));
    }
}

/// Each name of the prelude, with all of its neighbours' names in scope.
mod prelude {
    #![allow(unused_imports, reason = "they are there to clash, and do not")]

    use axum::extract::*;
    use axum::response::*;
    use axum::routing::*;
    use axum::*;
    use futures_util::{future::*, sink::*, stream::*, *};
    use http::*;
    use http_body_util::*;
    use tokio::{io::*, net::*, sync::*, time::*, *};
    use tower::*;
    use tower_http::*;
    use tower_sse::prelude::*;

    mod each {
        use super::{Event, EventId, EventType, KeepAlive, LastEventId, MessageEvent, SseBody};
        use super::{EventSource, EventStream, Hub, HubService, SseLayer, SseService};
        use super::{InvalidLastEventId, LAST_EVENT_ID};
    }
}
