//! A page that reads compressed streams event by event: each event is published only when the page
//! has said that it has the one before.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, get_service, post};
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_sse::compression::Compression;
use tower_sse::{Event, Hub, HubService, KeepAlive, SseBody, SseLayer};

use crate::driver::Browser;

/// How many events the page reads.
const EVENTS: u64 = 50;

/// Reads the stream at a path, and gives back the data of its events, by their lengths and ends.
const READ: &str = r#"
    const [path, count, done] = arguments;
    const source = new EventSource(path);
    const seen = [];
    const next = () => fetch(`/seen${path}`, { method: "POST" });
    source.onopen = next;
    source.onerror = () => done([`error after ${seen.length} events`]);
    source.onmessage = (event) => {
        seen.push(`${event.data.length} ${event.data.slice(-10)}`);
        if (seen.length < count) return next();
        source.close();
        done(seen);
    };
"#;

/// A stream of numbered events, and a hub with as many.
#[derive(Clone)]
struct Feeds {
    single: watch::Sender<u64>,
    hub: Hub,
    in_hub: watch::Sender<u64>,
}

fn text(n: u64) -> String {
    let text = match n % 10 {
        0 => "long ".repeat(20_000),
        _ => "{\"price\": 574.5}".to_owned(),
    };
    format!("{text} {n}")
}

/// What the page has to read.
fn expected() -> Vec<String> {
    let tail = |n| {
        let data = text(n);
        format!("{} {}", data.len(), &data[data.len() - 10..])
    };
    (1..=EVENTS).map(tail).collect()
}

async fn single(State(feeds): State<Feeds>) -> impl IntoResponse {
    let events = stream::unfold(feeds.single.subscribe(), async |mut numbers| {
        numbers.changed().await.ok()?;
        let number = *numbers.borrow_and_update();
        Some((Event::new(text(number)), numbers))
    });
    SseBody::new(events).keep_alive(KeepAlive::default())
}

async fn seen(State(feeds): State<Feeds>, Path(path): Path<String>) {
    if path == "single" {
        feeds.single.send_modify(|n| *n += 1);
    } else {
        feeds.in_hub.send_modify(|n| *n += 1);
        let text = text(*feeds.in_hub.borrow());
        feeds.hub.publish(Event::new(text));
    }
}

/// Refuses to be read in another encoding.
async fn only_gzip(response: Response) -> Response {
    let encoding = response.headers().get("content-encoding");
    if encoding.is_some_and(|encoding| encoding == "gzip") {
        return response;
    }
    http::StatusCode::NOT_ACCEPTABLE.into_response()
}

/// Serves a page, and the streams `/single` and `/hub` for [`READ`].
async fn serve() -> SocketAddr {
    let feeds = Feeds {
        single: watch::channel(0).0,
        hub: Hub::new(),
        in_hub: watch::channel(0).0,
    };
    let service = HubService::new(feeds.hub.clone()).compression(Compression::new());
    let layer = SseLayer::new().compression(Compression::new());
    let streams: Router<Feeds> = Router::new()
        .route("/single", get(single).layer(layer))
        .route("/hub", get_service(service))
        .layer(map_response(only_gzip));
    let app: Router = Router::new()
        .route("/", get(async || Html("<title>gzip</title>")))
        .route("/seen/{path}", post(seen))
        .merge(streams)
        .with_state(feeds);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn each_event_is_read_as_it_comes(browser: Browser) {
    let address = serve().await;
    let page = format!("http://{address}/");
    browser.page.goto(page).await.unwrap();
    for path in ["/single", "/hub"] {
        let arguments = vec![path.into(), EVENTS.into()];
        let read = browser.page.execute_async(READ, arguments).await.unwrap();
        assert_eq!(read.convert::<Vec<String>>().unwrap(), expected(), "{path}");
    }
    browser.quit().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn in_chromium() {
    each_event_is_read_as_it_comes(Browser::start().await).await;
}

#[tokio::test]
#[ignore = "needs firefox-esr; .ci/run runs it"]
async fn in_firefox() {
    each_event_is_read_as_it_comes(Browser::firefox().await).await;
}
