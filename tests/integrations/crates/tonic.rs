//! tonic: an event stream and a gRPC service on one port, the layer around both.

use axum::routing::get as route;
use http::Version;
use http_body_util::Empty;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower_sse::{KeepAlive, LastEventId, SseBody, SseLayer};

use crate::support::net::{get, read_until, send, serve, within};
use crate::ticker::{minutes, ticker};

async fn feed(request: axum::extract::Request) -> http::Response<axum::body::Body> {
    let events = ticker(request.extensions().get::<LastEventId>());
    SseBody::new(events)
        .keep_alive(KeepAlive::default())
        .into_http_response()
        .map(axum::body::Body::new)
}

async fn channel(address: std::net::SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn an_event_stream_and_a_health_check_share_a_port() {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("ticker", ServingStatus::Serving)
        .await;
    let app = Routes::new(health)
        .into_axum_router()
        .route("/feed", route(feed))
        .layer(SseLayer::new().keep_alive(KeepAlive::default()));
    let address = serve(app).await;

    for version in [Version::HTTP_11, Version::HTTP_2] {
        let request = get(version, address, "/feed").header("last-event-id", "3");
        let response = send(address, request.body(Empty::new()).unwrap()).await;
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let read = read_until(&mut response.into_body(), "minute 10\n\n").await;
        assert_eq!(read, format!(":\n{}", minutes(4, 10)));
    }

    let mut client = HealthClient::new(channel(address).await);
    let request = || HealthCheckRequest {
        service: "ticker".to_owned(),
    };
    let answer = within(client.check(request())).await.unwrap();
    assert_eq!(answer.get_ref().status, ServingStatus::Serving as i32);
    assert!(!answer.metadata().contains_key("x-accel-buffering"));
    let unknown = HealthCheckRequest {
        service: "nobody".to_owned(),
    };
    let status = within(client.check(unknown)).await.unwrap_err();
    assert_eq!(
        status.code(),
        tonic::Code::NotFound,
        "the status comes in the trailers"
    );

    // A gRPC stream that is silent for a while is not an event stream.
    let mut watch = within(client.watch(request())).await.unwrap().into_inner();
    let first = within(watch.message()).await.unwrap().unwrap();
    assert_eq!(first.status, ServingStatus::Serving as i32);
    reporter
        .set_service_status("ticker", ServingStatus::NotServing)
        .await;
    let second = within(watch.message()).await.unwrap().unwrap();
    assert_eq!(second.status, ServingStatus::NotServing as i32);
}

#[tokio::test]
async fn tonics_own_server_takes_the_layer() {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("", ServingStatus::Serving)
        .await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder()
        .layer(SseLayer::new().detect_only())
        .add_service(health)
        .serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener));
    tokio::spawn(server);
    let mut client = HealthClient::new(channel(address).await);
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let answer = within(client.check(request)).await.unwrap();
    assert_eq!(answer.get_ref().status, ServingStatus::Serving as i32);
}
