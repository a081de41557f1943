//! HEAD: the headers of a GET, no `Content-Length`, and no stream opened.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{any_service, get};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_sse::{Event, Hub, HubService, SseBody, SseLayer};

use crate::support::bodies::{Script, ScriptBody};
use crate::support::net::{get as request, send, serve, within};

async fn serve_axum(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn head(version: Version, address: SocketAddr) -> Response<Incoming> {
    let head = request(version, address, "/").method(Method::HEAD);
    send(address, head.body(Empty::new()).unwrap()).await
}

async fn assert_stream_head(address: SocketAddr, server: &str) {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let response = head(version, address).await;
        assert_eq!(response.status(), 200, "{server} {version:?}");
        let headers = response.headers();
        assert_eq!(
            headers["content-type"], "text/event-stream",
            "{server} {version:?}"
        );
        assert_eq!(headers["x-accel-buffering"], "no", "{server} {version:?}");
        assert_eq!(headers.get(CONTENT_LENGTH), None, "{server} {version:?}");
        let body = within(response.into_body().collect()).await.unwrap();
        assert_eq!(body.to_bytes(), "", "{server} {version:?}");
    }
}

/// Never ends, and tells whether it was opened.
fn script() -> Script<Frame<Bytes>> {
    Script::new([Frame::data(Bytes::from("data: x\n\n"))])
}

#[tokio::test]
async fn on_an_axum_route() {
    let (bare, events) = (script(), Script::<Result<Event, Infallible>>::new([]));
    let (of_bare, of_events) = (bare.clone(), events.clone());
    let bare_route = get(async move || Body::new(ScriptBody(of_bare.clone())));
    let body_route = get(async move || SseBody::new(of_events.clone()));
    for (app, what) in [
        (
            Router::new().route("/", bare_route.clone().layer(SseLayer::new())),
            "bare",
        ),
        (Router::new().route("/", body_route.clone()), "no layer"),
        (
            Router::new().route("/", body_route.clone().layer(SseLayer::new())),
            "on the route",
        ),
        (
            Router::new()
                .route("/", body_route.clone())
                .route_layer(SseLayer::new()),
            "route_layer",
        ),
        (
            Router::new()
                .route("/", body_route)
                .layer(SseLayer::new().detect_only()),
            "around all",
        ),
        (
            Router::new()
                .nest("/a", Router::new())
                .route("/", bare_route)
                .layer(SseLayer::new()),
            "nested",
        ),
    ] {
        assert_stream_head(serve_axum(app).await, what).await;
    }
    assert_eq!((bare.polls(), events.polls()), (0, 0));
}

#[tokio::test]
async fn on_hyper_alone() {
    let bare = script();
    let of_bare = bare.clone();
    let service =
        ServiceBuilder::new()
            .layer(SseLayer::new())
            .service_fn(move |_: Request<Incoming>| {
                let response = Response::new(ScriptBody(of_bare.clone()));
                std::future::ready(Ok::<_, Infallible>(response))
            });
    assert_stream_head(serve(service).await, "hyper").await;
    assert_eq!(bare.polls(), 0);
}

#[tokio::test]
async fn of_the_hubs_service() {
    let hub = Hub::new();
    let service = HubService::new(hub.clone());
    assert_stream_head(serve(service.clone()).await, "hyper").await;
    let app = Router::new().route("/", any_service(service.clone()));
    assert_stream_head(serve_axum(app).await, "axum").await;
    let app = Router::new().route("/", any_service(service).layer(SseLayer::new()));
    assert_stream_head(serve_axum(app).await, "axum with the layer").await;
    assert_eq!(hub.stats().subscribers, 0);
}

#[tokio::test]
async fn of_other_routes() {
    let app = Router::new()
        .route("/", get(async || Body::from("raw")))
        .layer(SseLayer::new());
    let address = serve_axum(app).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let response = head(version, address).await;
        assert_eq!(response.headers()[CONTENT_LENGTH], "3");
        assert!(!response.headers().contains_key("content-type"));
    }
}

/// A router that is called as a service has stripped the body before the layer sees it: what says that
/// it is an event stream is one, a bare body is not.
#[tokio::test]
async fn of_a_router_as_a_service() {
    let bare = script();
    let of_bare = bare.clone();
    let app = Router::new()
        .route(
            "/",
            get(async || SseBody::new(futures_util::stream::pending::<Event>())),
        )
        .route(
            "/bare",
            get(async move || Body::new(ScriptBody(of_bare.clone()))),
        );
    let service = ServiceBuilder::new().layer(SseLayer::new()).service(app);
    let address = serve(service).await;
    assert_stream_head(address, "a router as a service").await;
    let head = request(Version::HTTP_11, address, "/bare").method(Method::HEAD);
    let response = send(address, head.body(Empty::new()).unwrap()).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("content-type"));
    assert!(!response.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(bare.polls(), 0);
}

#[tokio::test]
async fn refusals_have_no_body_either() {
    let layer = SseLayer::new().require_accept();
    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(|_: Request<Incoming>| {
            let response = Response::new(ScriptBody(script()));
            std::future::ready(Ok::<_, Infallible>(response))
        });
    let address = serve(service).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for (name, value, status) in [
            (ACCEPT, &b"text/html"[..], StatusCode::NOT_ACCEPTABLE),
            (
                tower_sse::LAST_EVENT_ID,
                &b"\xff"[..],
                StatusCode::BAD_REQUEST,
            ),
        ] {
            let head = request(version, address, "/").method(Method::HEAD);
            let head = head.header(name, value).body(Empty::new()).unwrap();
            let response = send(address, head).await;
            assert_eq!(response.status(), status, "{version:?}");
            let body = within(response.into_body().collect()).await.unwrap();
            assert_eq!(body.to_bytes(), "");
        }
    }
}

/// A GET has no length either, whatever the handler and its body say.
#[tokio::test]
async fn of_streams_whose_size_is_known() {
    let typed = [
        ("content-type", "text/event-stream"),
        ("content-length", "9"),
    ];
    let app = Router::new()
        .route("/", get(async move || (typed, "data: x\n\n")))
        .layer(SseLayer::new().detect_only());
    let address = serve_axum(app).await;
    assert_stream_head(address, "typed").await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let get = request(version, address, "/").body(Empty::new()).unwrap();
        let response = send(address, get).await;
        assert_eq!(response.headers().get(CONTENT_LENGTH), None, "{version:?}");
        let body = within(response.into_body().collect()).await.unwrap();
        assert_eq!(body.to_bytes(), "data: x\n\n");
    }
}
