//! A proxy for event streams that somebody else makes. It adds what they lack: headers that get
//! them through other proxies, and heartbeats in the silence.
//!
//! `cargo run --example proxy http://127.0.0.1:8080 8081`, then `curl -N http://127.0.0.1:8081/`
//! for what is at `http://127.0.0.1:8080/`.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_sse::{KeepAlive, SseLayer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let upstream: Uri = args.next().ok_or("which upstream? http://...")?.parse()?;
    let authority = upstream
        .authority()
        .ok_or("the upstream has no host")?
        .clone();
    let port = args.next().map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("Proxy on http://{}/", listener.local_addr()?);

    let client = Client::builder(TokioExecutor::new()).build_http();
    let service = ServiceBuilder::new()
        // Only what is an event stream gets heartbeats, and only at the end of an event: never
        // inside of one that is still arriving. The default of 15 s is right for production; here
        // it is one second, to see it.
        .layer(
            SseLayer::new()
                .detect_only()
                .keep_alive(KeepAlive::new().interval(Duration::from_secs(1))),
        )
        .service_fn(move |request: Request<Incoming>| {
            let answer = redirect(request, &authority).map(|request| client.request(request));
            async move {
                let answer = match answer {
                    Ok(answer) => answer.await.map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                Ok::<_, Infallible>(answer.map_or_else(bad_gateway, |mut response| {
                    remove_hop_by_hop(response.headers_mut());
                    response.map(Body::new)
                }))
            }
        });
    loop {
        let (socket, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            // An error says that the client has left; the upstream's connection goes with it.
            let _ = builder
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

/// The same request, `Last-Event-ID` and all, for the upstream.
fn redirect(
    mut request: Request<Incoming>,
    upstream: &Authority,
) -> http::Result<Request<Incoming>> {
    let mut uri = request.uri().clone().into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(upstream.clone());
    *request.uri_mut() = Uri::from_parts(uri)?;
    *request.version_mut() = http::Version::HTTP_11;
    request.headers_mut().remove(HOST); // the client sets its own
    remove_hop_by_hop(request.headers_mut());
    Ok(request)
}

/// Removes what is said to the next hop alone. hyper says it anew where it applies.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in [
        CONNECTION,
        HeaderName::from_static("keep-alive"),
        TRANSFER_ENCODING,
        UPGRADE,
    ] {
        headers.remove(name);
    }
}

fn bad_gateway(reason: String) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("no answer from upstream: {reason}\n")));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
