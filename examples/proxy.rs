//! A proxy for other servers' event streams. It adds what they lack: headers that get them through other
//! proxies, and heartbeats while they are silent.
//!
//! Start an upstream with `cargo run --example hyper`, then the proxy with
//! `cargo run --example proxy -- --port 8081 http://127.0.0.1:8080`, and read the stream through it with
//! `curl -N http://127.0.0.1:8081/`.
//!
//! Look at the layer in `main`: it adds heartbeats to event streams only, and leaves events unchanged.

#[path = "support/cli.rs"]
mod cli;

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, StatusCode, Uri, Version};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower_sse::{KeepAlive, SseLayer};

use self::cli::{Args, Failure, fail};

const HELP: &str = "
Adds headers and heartbeats to the event streams of another server.

usage: proxy [--port N] URL

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = Args::new(HELP);
    let port = args.option("--port")?;
    let url = args
        .positional()
        .ok_or_else(|| fail("no URL; see --help"))?;
    let url = Uri::try_from(url)?.into_parts();
    let upstream = url.authority.ok_or_else(|| fail("the URL has no host"))?;
    let listener = TcpListener::from_std(args.listen_on(port)?)?;
    println!("Proxy on http://{}/", listener.local_addr()?);

    let client = Client::builder(TokioExecutor::new()).build_http();
    // Only event streams get heartbeats, and never inside a line that is still arriving. The
    // default of 15 s is right for production; one second shows them.
    let heartbeats = SseLayer::new()
        .detect_only()
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(1)));
    let app = Router::new()
        .fallback(move |request| forward(client.clone(), upstream.clone(), request))
        .layer(heartbeats);
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        stop = tokio::signal::ctrl_c() => stop?,
    }
    Ok(())
}

/// Sends the request upstream. When the client disconnects, the response is dropped, and the
/// connection with it.
async fn forward(
    client: Client<HttpConnector, Body>,
    upstream: Authority,
    request: Request,
) -> Result<Response, (StatusCode, String)> {
    let request = readdress(request, upstream).map_err(bad_gateway)?;
    let mut response = client.request(request).await.map_err(bad_gateway)?;
    remove_hop_by_hop(response.headers_mut());
    Ok(response.map(Body::new))
}

/// The request for the upstream, including `Last-Event-ID`.
fn readdress(mut request: Request, upstream: Authority) -> http::Result<Request> {
    let mut uri = request.uri().clone().into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(upstream);
    *request.uri_mut() = Uri::from_parts(uri)?;
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(HOST); // the client sets its own
    remove_hop_by_hop(request.headers_mut());
    Ok(request)
}

/// Removes the headers for the next hop only; hyper sets its own where they apply.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let keep_alive = HeaderName::from_static("keep-alive");
    for name in [CONNECTION, keep_alive, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

fn bad_gateway(error: impl Error) -> (StatusCode, String) {
    (StatusCode::BAD_GATEWAY, format!("upstream: {error}\n"))
}
