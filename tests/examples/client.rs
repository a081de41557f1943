//! A client as simple as curl: a socket, a request, and the blocks of the stream as they come.

use std::time::Duration;

use http::response::Parts;
use http::{Request, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For anything that is to happen. Nothing here takes a tenth of it.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct EventStream {
    pub(crate) head: Parts,
    body: Incoming,
    text: String,
}

/// What the stream does next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Lines up to an empty one, without it.
    Block(String),
    End,
    Broken,
}

pub(crate) async fn get(authority: &str, path: &str, last: Option<&str>) -> EventStream {
    send(authority, "GET", path, last, Version::HTTP_11).await
}

pub(crate) async fn send(
    authority: &str,
    method: &str,
    path: &str,
    last: Option<&str>,
    version: Version,
) -> EventStream {
    let mut request = Request::builder().method(method).version(version).uri(path);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    ask(authority, request.body(String::new()).unwrap()).await
}

pub(crate) async fn post(authority: &str, path: &str, body: &str) -> EventStream {
    ask(
        authority,
        Request::post(path).body(body.to_owned()).unwrap(),
    )
    .await
}

/// Any request, by its path, on a connection of its own.
pub(crate) async fn ask(authority: &str, mut request: Request<String>) -> EventStream {
    let io = TokioIo::new(TcpStream::connect(authority).await.unwrap());
    let response = if request.version() == Version::HTTP_2 {
        let uri = format!("http://{authority}{}", request.uri());
        *request.uri_mut() = uri.parse().unwrap();
        let executor = TokioExecutor::new();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
            .await
            .unwrap();
        tokio::spawn(connection);
        timeout(DEADLINE, sender.send_request(request)).await
    } else {
        let host = authority.parse().unwrap();
        request.headers_mut().insert("host", host);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        timeout(DEADLINE, sender.send_request(request)).await
    };
    let (head, body) = response.expect("an answer in time").unwrap().into_parts();
    EventStream {
        head,
        body,
        text: String::new(),
    }
}

impl EventStream {
    pub(crate) async fn next(&mut self) -> Next {
        match self.until("\n\n").await {
            Ok(block) => Next::Block(block),
            Err(over) => over,
        }
    }

    /// The next line, such as a heartbeat.
    pub(crate) async fn line(&mut self) -> String {
        self.until("\n").await.expect("a line")
    }

    async fn until(&mut self, end: &str) -> Result<String, Next> {
        loop {
            if let Some((text, rest)) = self.text.split_once(end) {
                let text = text.to_owned();
                self.text = rest.to_owned();
                return Ok(text);
            }
            match timeout(DEADLINE, self.body.frame())
                .await
                .expect("more in time")
            {
                Some(Ok(frame)) => {
                    let data = frame.into_data().expect("event streams have no trailers");
                    self.text.push_str(std::str::from_utf8(&data).unwrap());
                }
                Some(Err(_)) => return Err(Next::Broken),
                None => return Err(Next::End),
            }
        }
    }

    /// The next block with an event, without comments and the prelude's reconnection time.
    pub(crate) async fn event(&mut self) -> String {
        self.try_event().await.expect("one more event")
    }

    /// All events up to the end.
    pub(crate) async fn rest(mut self) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            match self.try_event().await {
                Ok(event) => events.push(event),
                Err(Next::End) => return events,
                Err(over) => panic!("{over:?} after {events:?}"),
            }
        }
    }

    async fn try_event(&mut self) -> Result<String, Next> {
        // For the event: heartbeats, which come for ever, do not count.
        let event = timeout(DEADLINE, self.wait_for_event()).await;
        event.expect("an event in time")
    }

    async fn wait_for_event(&mut self) -> Result<String, Next> {
        loop {
            let block = self.until("\n\n").await?;
            if block.contains("data:") {
                let skipped = |line: &&str| line.starts_with(':') || line.starts_with("retry: ");
                let lines = block.lines().filter(|line| !skipped(line));
                return Ok(lines.collect::<Vec<_>>().join("\n"));
            }
        }
    }

    /// All of a body that is text.
    pub(crate) async fn text(self) -> String {
        let body = timeout(DEADLINE, self.body.collect()).await;
        let bytes = body.expect("an end in time").unwrap().to_bytes();
        self.text + std::str::from_utf8(&bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}

/// The value of a field in a block.
pub(crate) fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The headers of every event stream here.
pub(crate) fn assert_headers(stream: &EventStream) {
    assert_eq!(stream.head.status, 200);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(
        stream.header("cache-control"),
        Some("no-cache, no-transform")
    );
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    assert_eq!(stream.header("content-length"), None);
    let connection = (stream.head.version == Version::HTTP_11).then_some("keep-alive");
    assert_eq!(stream.header("connection"), connection);
}
