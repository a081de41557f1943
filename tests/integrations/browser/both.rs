//! What a page hears through the browser's own `EventSource`, in Chromium and in Firefox.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;
use tower_sse::hub::{Hub, HubService};
use tower_sse::{Event, EventId, LastEventId, SseBody};

use crate::driver::Browser;
use crate::serve::{serve, serve_tls};

async fn run(browser: &Browser, script: &str, argument: impl Into<Value>) -> Value {
    let value = browser.page.execute_async(script, vec![argument.into()]);
    value.await.unwrap().json().clone()
}

async fn goto(browser: &Browser, address: impl std::fmt::Display) {
    browser.page.goto(address.to_string()).await.unwrap();
}

fn app() -> Router {
    Router::new().route("/", get(async || Html("<title>both</title>")))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "not {what} in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Connects, and tells all that it hears until it is closed.
const LISTEN: &str = r#"
    const [address, done] = arguments;
    const heard = [];
    const source = new EventSource(address);
    const hear = (event) => heard.push([event.type, event.data, event.lastEventId]);
    source.onopen = () => heard.push("open");
    source.onmessage = hear;
    source.addEventListener("goal", hear);
    source.onerror = () => {
        heard.push(["error", source.readyState]);
        if (source.readyState === EventSource.CLOSED) done(heard);
    };
"#;

type Requests = Arc<Mutex<Vec<(Instant, Option<String>)>>>;

/// Three answers: two streams that end, and the word to stop.
async fn three(State(requests): State<Requests>, last: Option<LastEventId>) -> Response {
    let last = last.map(|last| last.as_str().to_owned());
    let answer = {
        let mut requests = requests.lock().unwrap();
        requests.push((Instant::now(), last));
        requests.len()
    };
    let events = match answer {
        1 => vec![
            Event::retry(Duration::from_millis(300)),
            Event::new("kick-off"),
            Event::new("1 : 0\nMüller").with_type("goal").with_id(7u64),
        ],
        2 => vec![Event::new("1 : 1").with_id(EventId::from_static("8 ü"))],
        _ => return StatusCode::NO_CONTENT.into_response(),
    };
    SseBody::new(stream::iter(events.into_iter().map(Ok::<_, Infallible>))).into_response()
}

/// Message, resume, retry, 204.
async fn hears_resumes_and_stops(browser: &Browser) {
    let requests = Requests::default();
    let app = app().route("/three", get(three).with_state(Arc::clone(&requests)));
    let server = serve(app).await;
    goto(browser, format!("http://{}/", server.address)).await;
    assert_eq!(
        run(browser, LISTEN, "/three").await,
        json!([
            "open",
            ["message", "kick-off", ""],
            ["goal", "1 : 0\nMüller", "7"],
            ["error", 0],
            "open",
            ["message", "1 : 1", "8 ü"],
            ["error", 0],
            ["error", 2],
        ])
    );
    let requests = requests.lock().unwrap();
    let ids: Vec<_> = requests.iter().map(|(_, id)| id.as_deref()).collect();
    assert_eq!(ids, [None, Some("7"), Some("8 ü")]);
    for pair in requests.windows(2) {
        let wait = pair[1].0 - pair[0].0;
        assert!(wait >= Duration::from_millis(290), "{wait:?}");
    }
}

/// Receives an event, closes, and looks whether anything comes afterwards.
const CLOSE: &str = r#"
    const [address, done] = arguments;
    window.after = 0;
    const source = new EventSource(address);
    source.onmessage = () => {
        source.close();
        source.onmessage = source.onerror = () => { window.after += 1; };
        done(source.readyState);
    };
"#;

async fn closes(browser: &Browser) {
    let hub = Hub::new();
    let app = app().route_service("/hub", HubService::new(hub.clone()));
    let server = serve(app).await;
    goto(browser, format!("http://{}/", server.address)).await;
    let publishes = async {
        until("subscribed", || hub.stats().subscribers == 1).await;
        hub.publish(Event::new("one"));
    };
    let (state, ()) = tokio::join!(run(browser, CLOSE, "/hub"), publishes);
    assert_eq!(state, 2);
    until("gone", || hub.stats().subscribers == 0).await;
    hub.publish(Event::new("two"));
    let after = browser.page.execute("return window.after", vec![]).await;
    assert_eq!(after.unwrap().json(), &json!(0));
}

/// Payloads that a careless encoder or a careless test would spoil.
fn nasty() -> Vec<String> {
    let mut payloads: Vec<String> = [
        "",
        " ",
        "  two spaces before, and after  ",
        "\t",
        "\n",
        "\n\n",
        "a\n",
        "\na",
        "a\n\nb",
        ":",
        ": a comment",
        "data",
        "data: x",
        "data:x\ndata:y",
        "id: 7",
        "event: close",
        "retry: 1",
        "x\n\nevent: close\ndata: y\n\n",
        "\u{feff}a mark at the start",
        "a mark\u{feff}within",
        "a\0b",
        "\u{1}\u{8}\u{b}\u{c}\u{1b}[31m\u{7f}\u{85}",
        "\u{2028}\u{2029}",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "\u{d7ff}\u{e000}",
        "e\u{301} é ⚽ 👩‍👩‍👧‍👦 𝄞 שלום مرحبا",
        "</script><!--",
        "\\n\\u0000\"'`${x}",
        "{\"a\":[1,2,{}]}",
        "[DONE]",
    ]
    .map(str::to_owned)
    .into();
    payloads.push("x".repeat(200_000));
    payloads.push("line\n".repeat(20_000));
    payloads.push("ü⚽".repeat(30_000));
    for first in 0..=255u8 {
        payloads.push(char::from(first).to_string());
    }
    payloads
}

const COLLECT: &str = r#"
    const [count, done] = arguments;
    const payloads = [];
    const source = new EventSource("/nasty");
    source.onmessage = (event) => {
        payloads.push(event.data);
        if (payloads.length < count) return;
        source.close();
        fetch("/back", { method: "POST", body: JSON.stringify(payloads) }).then(() => done(true));
    };
    source.onerror = () => done(payloads.length);
"#;

/// What the browser makes of data that it does not hear as the standard says is given by `lossy`.
async fn hears_every_payload(browser: &Browser, lossy: fn(&str) -> String) {
    let payloads = nasty();
    let back = Arc::new(Mutex::new(String::new()));
    let slot = Arc::clone(&back);
    let events = payloads.clone();
    let app = app()
        .route(
            "/nasty",
            get(async move || {
                use futures_util::StreamExt;
                let events = events
                    .into_iter()
                    .map(|text| Ok::<_, Infallible>(Event::new(text)));
                SseBody::new(stream::iter(events).chain(stream::pending())).into_response()
            }),
        )
        .route(
            "/back",
            axum::routing::post(async move |body: String| *slot.lock().unwrap() = body),
        )
        .layer(axum::extract::DefaultBodyLimit::disable());
    let server = serve(app).await;
    goto(browser, format!("http://{}/", server.address)).await;
    assert_eq!(run(browser, COLLECT, payloads.len()).await, true);
    let back: Vec<String> = serde_json::from_str(&back.lock().unwrap()).unwrap();
    assert_eq!(back.len(), payloads.len());
    for (sent, heard) in payloads.iter().zip(&back) {
        // Every line break arrives as a line feed.
        let sent = lossy(&sent.replace("\r\n", "\n").replace('\r', "\n"));
        let start: String = sent.chars().take(40).collect();
        assert!(sent == *heard, "{start:?} of {} bytes", sent.len());
    }
}

/// Tells the events, or that it has been refused.
const ELSEWHERE: &str = r#"
    const [[address, withCredentials], done] = arguments;
    const heard = [];
    const source = new EventSource(address, { withCredentials });
    source.onmessage = (event) => {
        heard.push(event.data);
        if (heard.length < 2) return;
        source.close();
        done(heard);
    };
    source.onerror = () => {
        if (source.readyState === EventSource.CLOSED) done("refused");
    };
"#;

/// One event that says who asks and after which event.
async fn whoami(headers: HeaderMap, last: Option<LastEventId>) -> Response {
    let cookie = headers.get("cookie").map(|cookie| cookie.to_str().unwrap());
    let last = last.as_ref().map(LastEventId::as_str);
    let event = Event::new(format!(
        "{} after {}",
        cookie.unwrap_or("nobody"),
        last.unwrap_or("nothing")
    ));
    let event = event.with_id(1u64).with_retry(Duration::ZERO);
    SseBody::new(stream::iter([Ok::<_, Infallible>(event)])).into_response()
}

/// A page reads another origin's stream with its cookies, and resumes it.
async fn crosses_origins(browser: &Browser) {
    let page = serve(app()).await;
    let origin = format!("http://{}", page.address).parse().unwrap();
    let cors = CorsLayer::new()
        .allow_origin([origin])
        .allow_credentials(true);
    let others = app()
        .route("/shared", get(whoami).layer(cors))
        .route("/own", get(whoami));
    let others = serve(others).await;

    goto(browser, format!("http://{}/", page.address)).await;
    // A cookie belongs to a host, with all its ports.
    let cookie = "document.cookie = 'user=anna; SameSite=Lax'";
    browser.page.execute(cookie, vec![]).await.unwrap();
    let ask = async |path: &str, credentials: bool| {
        let address = format!("http://{}{path}", others.address);
        run(browser, ELSEWHERE, json!([address, credentials])).await
    };
    let known = json!(["user=anna after nothing", "user=anna after 1"]);
    assert_eq!(ask("/shared", true).await, known);
    let unknown = json!(["nobody after nothing", "nobody after 1"]);
    assert_eq!(ask("/shared", false).await, unknown);
    assert_eq!(ask("/own", true).await, "refused");
}

/// Opens streams until each has had both events.
const STREAMS: &str = r#"
    const [count, done] = arguments;
    const heard = Array(count).fill("");
    const sources = heard.map((_, number) => {
        const source = new EventSource(`/topics/${number}`);
        source.onmessage = (event) => {
            heard[number] += event.data;
            if (heard.every((text) => text.includes("!"))) {
                for (const source of sources) source.close();
                done(heard);
            }
        };
        source.onerror = () => done(`stream ${number} failed`);
        return source;
    });
"#;

/// A browser opens six connections to a host, but any number of streams over HTTP/2.
async fn twenty_streams_over_http_2(browser: &Browser) {
    const STREAMS_OPEN: u64 = 20;
    let hub = Hub::new();
    let feed = hub.clone();
    let app = app().route(
        "/topics/{number}",
        get(async move |path: axum::extract::Path<u64>| {
            let topic = path.0.to_string();
            feed.subscriber().topic(topic).subscribe()
        }),
    );
    let server = serve_tls(app).await;
    goto(
        browser,
        format!("https://localhost:{}/", server.address.port()),
    )
    .await;
    let publishes = async {
        until("all open", || {
            hub.stats().subscribers == usize::try_from(STREAMS_OPEN).unwrap()
        })
        .await;
        for number in 0..STREAMS_OPEN {
            hub.topic(&number.to_string())
                .publish(Event::new(format!("{number}")));
        }
        for number in 0..STREAMS_OPEN {
            hub.topic(&number.to_string()).publish(Event::new("!"));
        }
    };
    let (heard, ()) = tokio::join!(run(browser, STREAMS, STREAMS_OPEN), publishes);
    let expected: Vec<_> = (0..STREAMS_OPEN)
        .map(|number| format!("{number}!"))
        .collect();
    assert_eq!(heard, json!(expected));
    let requests = server.requests();
    let streams = requests
        .iter()
        .filter(|request| request.path.starts_with("/topics/"));
    let connections: Vec<_> = streams
        .inspect(|request| assert_eq!(request.version, http::Version::HTTP_2))
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections.len(), 20);
    assert!(
        connections
            .iter()
            .all(|connection| *connection == connections[0]),
        "{connections:?}"
    );
}

async fn all(browser: Browser, lossy: fn(&str) -> String) {
    hears_resumes_and_stops(&browser).await;
    closes(&browser).await;
    hears_every_payload(&browser, lossy).await;
    crosses_origins(&browser).await;
    twenty_streams_over_http_2(&browser).await;
    browser.quit().await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn in_chromium() {
    all(Browser::start().await, str::to_owned).await;
}

#[tokio::test]
#[ignore = "needs firefox-esr; .ci/run runs it"]
async fn in_firefox() {
    // Firefox drops U+0000, which the standard has it keep.
    all(Browser::firefox().await, |text| text.replace('\0', "")).await;
}
