//! The example `cluster`: two nodes behind an nginx, killed in turn.

use std::net::SocketAddr;

use futures_util::StreamExt;
use http::Request;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tower_sse::EventStream;
use tower_sse::protocol::MessageEvent;

use crate::example_process::Example;
use crate::nginx::Nginx;
use crate::ports::free_port;
use crate::rig::server::{DEADLINE, Server};

/// A page, as far as its events go.
struct Page {
    events: EventStream<Incoming>,
    /// The node that nginx has chosen.
    node: String,
}

impl Page {
    async fn open(nginx: SocketAddr, last: &str) -> Self {
        let client: Client<_, String> = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::get(format!("http://{nginx}/events")).header("last-event-id", last);
        let response = client
            .request(request.body(String::new()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let mut events = EventStream::new(response.into_body());
        let first = next(&mut events).await;
        assert_eq!((first.event_type(), first.id()), ("node", None));
        let node = first.data().to_owned();
        Self { events, node }
    }

    /// The number of the next line, and its ID.
    async fn line(&mut self) -> (u64, String) {
        let event = next(&mut self.events).await;
        assert_eq!(event.event_type(), "message", "{event:?}");
        let line: Value = serde_json::from_str(event.data()).unwrap();
        let id = event.id().expect("it has an ID").to_owned();
        (line["number"].as_u64().unwrap(), id)
    }
}

async fn next(events: &mut EventStream<Incoming>) -> MessageEvent {
    let event = tokio::time::timeout(DEADLINE, events.next()).await;
    event.expect("in time").expect("no end").expect("no error")
}

#[tokio::test]
#[ignore = "needs redis-server and nginx; .ci/run installs them and runs this"]
async fn a_page_behind_nginx_outlives_each_node() {
    let redis = Server::start().await;
    let url = redis.url();
    let start = |port: &str| Example::start("cluster", &["--redis", &url, "--port", port]);
    let ports = [(); 2].map(|()| free_port().to_string());
    let mut nodes = Vec::from(ports.each_ref().map(|port| start(port)));
    let addresses: Vec<_> = nodes
        .iter()
        .map(|node| node.authority.parse().unwrap())
        .collect();
    let nginx = Nginx::before(&addresses);

    let mut page = Page::open(nginx.address, "").await;
    let (mut number, mut id) = page.line().await;
    assert_eq!(number, 1);
    for _ in 0..4 {
        for _ in 0..2 {
            let (next, at) = page.line().await;
            assert_eq!(next, number + 1);
            (number, id) = (next, at);
        }
        let at = nodes.iter().position(|node| node.authority == page.node);
        let killed = nodes.remove(at.expect("it is one of them"));
        let port = killed.port().to_owned();
        drop(killed);
        page = Page::open(nginx.address, &id).await;
        assert_eq!(page.node, nodes[0].authority);
        nodes.push(start(&port));
    }
}
