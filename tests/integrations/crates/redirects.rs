//! The manual's policy for redirects, below the client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower_http::follow_redirect::FollowRedirect;
use tower_sse::EventSource;
use tower_sse::client::Reconnect;

use self::policy::SafeRedirects;
use crate::script::say;
use crate::support::net::{serve, within};

#[path = "../../../examples/support/redirects.rs"]
mod policy;

type Log = Arc<Mutex<Vec<Request<Bytes>>>>;

/// Redirects `/<status>/<rest>` to the query, or else to `/<rest>`, and answers `/feed`.
async fn origin(log: &Log) -> SocketAddr {
    let log = Arc::clone(log);
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let log = Arc::clone(&log);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let uri = head.uri.clone();
            log.lock().unwrap().push(Request::from_parts(head, body));
            let path = uri.path();
            let response = match path[1..].split_once('/') {
                Some((status, rest)) => {
                    let to = uri.query().map_or(format!("/{rest}"), str::to_owned);
                    let response = Response::builder().status(status.parse::<u16>().unwrap());
                    response.header(LOCATION, to).body(Full::default())
                }
                None if path == "/loop" => {
                    let response = Response::builder().status(302).header(LOCATION, "/loop");
                    response.body(Full::default())
                }
                None if path == "/nowhere" => Response::builder().status(302).body(Full::default()),
                None => Response::builder()
                    .header(CONTENT_TYPE, "text/event-stream")
                    .body(Full::<Bytes>::from("id: 1\ndata: found\n\n")),
            };
            Ok::<_, Infallible>(response.unwrap())
        }
    });
    serve(service).await
}

/// What a source with secrets says of this URL.
async fn heard(method: Method, url: String) -> Vec<String> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = FollowRedirect::with_policy(client, SafeRedirects::default());
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", "Bearer secret")
        .header("cookie", "secret")
        .header("proxy-authorization", "secret")
        .header("x-api-key", "secret")
        .header("last-event-id", "41")
        .header("user-agent", "tower-sse")
        .body(Full::from("question"))
        .unwrap();
    let source = EventSource::new(client, request).reconnect_when(Reconnect::Never);
    within(source.map(|event| say(&event)).collect()).await
}

const FOUND: [&str; 2] = ["open 200 OK", "message found"];

const REFUSED: &str = "failed: the response is not an event stream: 302 Found";

fn has_secrets(headers: &HeaderMap) -> bool {
    let secret = |value: &http::HeaderValue| value.to_str().unwrap().contains("secret");
    headers.values().any(secret)
}

// Clauses: redirects
#[tokio::test]
async fn methods_change_as_specified() {
    for (status, method, second, body) in [
        (301, Method::GET, Method::GET, "question"),
        (302, Method::GET, Method::GET, "question"),
        (307, Method::GET, Method::GET, "question"),
        (308, Method::GET, Method::GET, "question"),
        (303, Method::GET, Method::GET, ""),
        (301, Method::POST, Method::GET, ""),
        (302, Method::POST, Method::GET, ""),
        (303, Method::POST, Method::GET, ""),
        (303, Method::PUT, Method::GET, ""),
        (307, Method::POST, Method::POST, "question"),
        (308, Method::POST, Method::POST, "question"),
        (302, Method::PUT, Method::PUT, "question"),
    ] {
        let log = Log::default();
        let address = origin(&log).await;
        assert_eq!(
            heard(method.clone(), format!("http://{address}/{status}/feed")).await,
            FOUND
        );
        let log = log.lock().unwrap();
        assert_eq!(log.len(), 2);
        assert_eq!(*log[0].method(), method);
        assert_eq!(
            (log[1].method(), &log[1].body()[..]),
            (&second, body.as_bytes()),
            "{status}"
        );
        assert_eq!(log[1].uri().path(), "/feed");
        // The same origin keeps all that it was trusted with.
        assert_eq!(log[1].headers()["x-api-key"], "secret");
        assert_eq!(log[1].headers()["authorization"], "Bearer secret");
        assert_eq!(log[1].headers()["last-event-id"], "41");
    }
}

#[tokio::test]
async fn locations_are_resolved() {
    let log = Log::default();
    let address = origin(&log).await;
    for location in [
        "/feed",
        "feed",
        "../feed",
        "./../302/../feed",
        "//ADDRESS/feed",
        "http://ADDRESS/feed",
        "HTTP://ADDRESS/feed#fragment",
    ] {
        let location = location.replace("ADDRESS", &address.to_string());
        let url = format!("http://{address}/302/x?{location}");
        assert_eq!(heard(Method::GET, url).await, FOUND, "{location}");
    }
}

// Clauses: redirects
#[tokio::test]
async fn no_secret_crosses_an_origin() {
    for status in [301, 302, 303, 307, 308] {
        let (first, second) = (Log::default(), Log::default());
        let (trusted, other) = (origin(&first).await, origin(&second).await);
        let url = format!("http://{trusted}/{status}/?http://{other}/feed");
        assert_eq!(heard(Method::POST, url).await, FOUND);
        assert!(has_secrets(first.lock().unwrap()[0].headers()));
        let second = second.lock().unwrap();
        assert!(
            !has_secrets(second[0].headers()),
            "{:?}",
            second[0].headers()
        );
        assert_eq!(second[0].headers()["last-event-id"], "41");
        assert_eq!(second[0].headers()["accept"], "text/event-stream");
        assert_eq!(second[0].headers()["user-agent"], "tower-sse");
    }
}

/// tower-http's own filter looks at the last hop only, and sends everything on the one after it.
#[tokio::test]
async fn nor_on_any_hop_after_it() {
    let (first, second) = (Log::default(), Log::default());
    let (trusted, other) = (origin(&first).await, origin(&second).await);
    // There, again there, back, and there.
    let last = format!("http://{other}/302/feed");
    let back = format!("http://{trusted}/307/?{last}");
    let again = format!("http://{other}/308/?{back}");
    let there = format!("http://{other}/302/?{again}");
    let url = format!("http://{trusted}/301/?{there}");
    assert_eq!(heard(Method::GET, url).await, FOUND);
    let (first, second) = (first.lock().unwrap(), second.lock().unwrap());
    assert_eq!((first.len(), second.len()), (2, 4));
    assert!(has_secrets(first[0].headers()));
    assert!(!has_secrets(first[1].headers()));
    assert!(second.iter().all(|request| !has_secrets(request.headers())));
}

/// Another name, port or scheme is another origin; another spelling is not.
#[tokio::test]
async fn an_origin_is_scheme_host_and_port() {
    let log = Log::default();
    let address = origin(&log).await;
    let port = address.port();
    for (from, to, same) in [
        ("127.0.0.1", "127.0.0.1", true),
        ("localhost", "LOCALHOST", true),
        ("127.0.0.1", "localhost", false),
    ] {
        log.lock().unwrap().clear();
        let url = format!("http://{from}:{port}/302/?http://{to}:{port}/feed");
        assert_eq!(heard(Method::GET, url).await, FOUND);
        assert_eq!(
            has_secrets(log.lock().unwrap()[1].headers()),
            same,
            "{from} {to}"
        );
    }
}

#[tokio::test]
async fn a_loop_ends() {
    let log = Log::default();
    let address = origin(&log).await;
    assert_eq!(
        heard(Method::GET, format!("http://{address}/loop")).await,
        [REFUSED]
    );
    assert_eq!(log.lock().unwrap().len(), 21);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_refusal() {
    let log = Log::default();
    let address = origin(&log).await;
    let said = heard(Method::GET, format!("http://{address}/nowhere")).await;
    assert_eq!(
        said,
        ["failed: the response is not an event stream: 302 Found"]
    );
    for location in ["http://", "http://[", "mailto:a@example.org"] {
        let said = heard(Method::GET, format!("http://{address}/302/x?{location}")).await;
        assert!(
            said[0].starts_with("failed") || said[0].starts_with("failed:"),
            "{said:?}"
        );
    }
}
