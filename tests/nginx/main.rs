//! Behind a real nginx with its defaults: nothing is delivered without the layer's header, and every
//! event at once with it.
//!
//! nginx has to be installed; `.ci/run` does that and runs these.

#[path = "../support/mod.rs"]
mod support;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::{Request, Response, Version};
use http_body_util::Empty;
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower_sse::headers::EventStreamHeaders;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use support::bodies::Script;
use support::net::{get, read_until, send, serve, until};

/// nginx in the foreground, in a folder of its own, until it is dropped.
struct Nginx {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Nginx {
    async fn before(upstream: SocketAddr) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let folder = std::env::temp_dir().join(format!("tower-sse-nginx-{}", address.port()));
        std::fs::create_dir_all(&folder).unwrap();
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};", folder.display()))
            .concat();
        let folder_name = folder.display();
        let config = format!(
            "daemon off; master_process off; pid {folder_name}/pid; error_log {folder_name}/error.log;
             events {{}}
             http {{
                 access_log off; {paths}
                 server {{
                     listen {address};
                     location / {{ proxy_pass http://{upstream}; }}
                 }}
             }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed");
        until("nginx listens", || {
            std::net::TcpStream::connect(address).is_ok()
        })
        .await;
        Self {
            process,
            address,
            folder,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

type Events = Script<Result<Event, Infallible>>;

async fn server(events: &Events, headers: EventStreamHeaders) -> SocketAddr {
    let events = events.clone();
    let layer = SseLayer::new().headers(headers);
    serve(
        ServiceBuilder::new()
            .layer(layer)
            .service_fn(move |_: Request<Incoming>| {
                let body = SseBody::new(events.clone()).keep_alive(KeepAlive::default());
                std::future::ready(Ok::<_, Infallible>(Response::new(body)))
            }),
    )
    .await
}

// Clauses: buffering
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn every_event_passes_at_once() {
    let events = Events::new([]);
    let nginx = Nginx::before(server(&events, EventStreamHeaders::new()).await).await;
    let request = get(Version::HTTP_11, nginx.address, "/")
        .body(Empty::new())
        .unwrap();
    let response = send(nginx.address, request).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(
        response.headers()["cache-control"],
        "no-cache, no-transform"
    );
    let mut body = response.into_body();
    assert_eq!(read_until(&mut body, "\n").await, ":\n");
    for n in 0..20u64 {
        // Each is read before the next is sent.
        events.push(Ok(Event::new("x").with_id(n)));
        assert_eq!(
            read_until(&mut body, "\n\n").await,
            format!("id: {n}\ndata: x\n\n")
        );
    }
}

/// The other half: the header is what does it.
#[tokio::test]
#[ignore = "needs nginx; .ci/run installs it and runs this"]
async fn nothing_passes_without_the_header() {
    let events = Events::new([Ok(Event::new("x"))]);
    let headers = EventStreamHeaders::new().x_accel_buffering(None);
    let nginx = Nginx::before(server(&events, headers).await).await;
    let request = get(Version::HTTP_11, nginx.address, "/")
        .body(Empty::new())
        .unwrap();
    // Not even the response's head.
    let mut response = Box::pin(send(nginx.address, request));
    let waited = tokio::time::timeout(Duration::from_millis(500), &mut response).await;
    assert!(
        waited.is_err(),
        "nginx has changed its defaults: {waited:?}"
    );
    events.close();
    let mut body = response.await.into_body();
    assert_eq!(read_until(&mut body, "data: x\n\n").await, ":\ndata: x\n\n");
}
