//! A real server that misbehaves on purpose, behind hyper-util's client.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower_sse::EventSource;
use tower_sse::client::SourceEvent;
use tower_sse::timer::TokioTimer;

use crate::script::say;
use crate::support::net::{serve, within};

/// What the server does after the bytes it has sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Then {
    End,
    Break,
    Stall,
}

/// Sends its chunks, each flushed to the socket, and then does something.
pub(crate) struct Hostile {
    pub(crate) chunks: VecDeque<Bytes>,
    pub(crate) then: Then,
    pub(crate) flushed: bool,
}

impl Hostile {
    fn new(bytes: &'static [u8], then: Then) -> Self {
        Self {
            chunks: [Bytes::from_static(bytes)].into(),
            then,
            flushed: true,
        }
    }
}

impl Body for Hostile {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        // hyper flushes when the body is pending, and drops what it has not flushed when it fails.
        if !self.flushed {
            self.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.flushed = false;
        match (self.chunks.pop_front(), self.then) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Break) => Poll::Ready(Some(Err(io::Error::other("on purpose")))),
            (None, Then::Stall) => Poll::Pending,
        }
    }
}

pub(crate) type HttpSource =
    EventSource<Client<HttpConnector, Empty<Bytes>>, Empty<Bytes>, TokioTimer>;

/// A client that does not wait.
pub(crate) fn source(address: SocketAddr, http2: bool) -> HttpSource {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build(connector);
    let uri = format!("http://{address}/feed");
    EventSource::new(client, Request::get(uri).body(Empty::new()).unwrap())
        .initial_reconnection_time(Duration::ZERO)
        .max_backoff(Duration::ZERO)
}

pub(crate) fn stream(body: Hostile) -> Response<Hostile> {
    let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
    response.body(body).unwrap()
}

fn status(status: u16) -> Response<Hostile> {
    let mut response = Response::new(Hostile::new(b"because", Then::End));
    *response.status_mut() = status.try_into().unwrap();
    response
}

/// A server that gives these answers in turn, and then 204; and what was asked.
async fn answers(
    answers: impl IntoIterator<Item = Response<Hostile>>,
) -> (SocketAddr, Arc<Mutex<Vec<Option<Vec<u8>>>>>) {
    let answers: VecDeque<_> = answers.into_iter().collect();
    let answers = Arc::new(Mutex::new(answers));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let id = request.headers().get("last-event-id");
        log.lock()
            .unwrap()
            .push(id.map(|id| id.as_bytes().to_vec()));
        let answer = answers.lock().unwrap().pop_front();
        std::future::ready(Ok::<_, Infallible>(answer.unwrap_or_else(|| status(204))))
    });
    (serve(service).await, asked)
}

async fn heard(source: HttpSource) -> Vec<String> {
    within(source.map(|event| say(&event)).collect()).await
}

#[tokio::test]
async fn drops_in_the_middle_of_everything() {
    for http2 in [false, true] {
        for (bytes, is_cut) in [
            (&b"id: 1\ndata: a\n\nid: 2\nda"[..], true),
            (b"id: 1\ndata: a\n\nid: 2\ndata: half a li", true),
            (b"id: 1\ndata: a\n\nid: 2\ndata: a whole line\r", true),
            (b"id: 1\r\ndata: a\r\n\r", false),
            (b"id: 1\ndata: a\n\nid: 2\ndata: \xF0\x9F", true),
            (b"\xEF\xBB\xBFid: 1\ndata: a\n\n\n", false),
        ] {
            for then in [Then::End, Then::Break] {
                // The new connection begins with what would have finished the old one's line.
                let rest = Hostile::new(b"\ndata: \xA6\x80b\n\ndata: c\n\n", Then::End);
                let (address, asked) =
                    answers([stream(Hostile::new(bytes, then)), stream(rest)]).await;
                let error = match then {
                    Then::End if is_cut => {
                        "error: the event stream ended in the middle of an event"
                    }
                    Then::End => "error: the event stream has ended",
                    _ => "error: the connection failed",
                };
                assert_eq!(
                    heard(source(address, http2)).await,
                    [
                        "open 200 OK",
                        "message a",
                        error,
                        "open 200 OK",
                        "message \u{fffd}\u{fffd}b",
                        "message c",
                        "error: the event stream has ended",
                        "failed: the response is not an event stream: 204 No Content",
                    ],
                    "{:?}, {then:?}",
                    String::from_utf8_lossy(bytes)
                );
                assert_eq!(asked.lock().unwrap()[1].as_deref(), Some(&b"1"[..]));
            }
        }
    }
}

#[tokio::test]
async fn refuses_in_every_way() {
    let mut html = stream(Hostile::new(b"<p>", Then::End));
    html.headers_mut()
        .insert(CONTENT_TYPE, "text/html".parse().unwrap());
    let mut redirect = status(307);
    redirect
        .headers_mut()
        .insert(LOCATION, "/elsewhere".parse().unwrap());
    let mut stalls = status(500);
    stalls.body_mut().then = Then::Stall;
    for (response, status, body) in [
        (status(500), 500, "because"),
        (status(404), 404, "because"),
        (html, 200, "<p>"),
        (redirect, 307, "because"),
        (stalls, 500, "because"),
        (status(204), 204, ""),
    ] {
        let (address, asked) = answers([response]).await;
        let mut source = source(address, false);
        let Some(SourceEvent::Failed(error)) = within(source.next()).await else {
            panic!("{status} did not fail");
        };
        let rejection = error.rejection().unwrap();
        assert_eq!(rejection.status(), status);
        assert_eq!(rejection.body(), body);
        assert!(source.next().await.is_none());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn is_unavailable_for_a_while() {
    let mut unavailable = status(503);
    unavailable
        .headers_mut()
        .insert(RETRY_AFTER, "1".parse().unwrap());
    let (address, _) =
        answers([unavailable, stream(Hostile::new(b"data: a\n\n", Then::End))]).await;
    let start = tokio::time::Instant::now();
    let source = source(address, false).retry_server_errors();
    let heard = heard(source).await;
    assert_eq!(
        heard[0],
        "error: the response is not an event stream: 503 Service Unavailable"
    );
    assert_eq!(heard[2], "message a");
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn closes_at_once_a_hundred_times() {
    let closing = (0..100).map(|_| stream(Hostile::new(b"", Then::Break)));
    let (address, asked) = answers(closing).await;
    let heard = heard(source(address, false)).await;
    assert_eq!(
        heard
            .iter()
            .filter(|said| said.starts_with("error"))
            .count(),
        100
    );
    assert_eq!(asked.lock().unwrap().len(), 101);
}

#[tokio::test]
async fn stalls() {
    // On a busy machine, what is sent may come later than that, too.
    for idle in [0.1, 1.0, 10.0, 30.0] {
        let (address, _) = answers([stream(Hostile::new(b"data: a\n\nda", Then::Stall))]).await;
        let source = source(address, false).idle_timeout(Duration::from_secs_f64(idle));
        let heard = heard(source).await;
        let silent = format!("error: no data received for {idle} s");
        if heard.len() > 2 && heard[1..3] == ["message a", &silent] {
            return;
        }
        assert!(idle < 30.0, "{heard:?}");
    }
}

#[tokio::test]
async fn sends_ids_that_no_header_carries() {
    for http2 in [false, true] {
        let (address, asked) = answers([
            stream(Hostile::new(b"id: \x1b[2J\ndata: a\n\n", Then::Break)),
            stream(Hostile::new(
                "id:  größe\t \ndata: b\n\n".as_bytes(),
                Then::Break,
            )),
        ])
        .await;
        let heard = heard(source(address, http2)).await;
        assert_eq!(
            heard[3],
            "error: the last event ID cannot be sent in a header"
        );
        assert_eq!(heard[5], "message b");
        assert_eq!(
            *asked.lock().unwrap(),
            [None, None, Some("größe".as_bytes().to_vec())]
        );
    }
}

#[tokio::test]
async fn is_not_there() {
    // A port of this test's own, on which nobody listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let heard = heard(source(address, false).max_tries(3)).await;
    assert_eq!(
        heard,
        [
            "error: the connection failed",
            "error: the connection failed",
            "failed: gave up after 3 tries",
        ]
    );
}
