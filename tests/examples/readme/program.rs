//! The README's first program.

use std::time::Duration;

use axum::response::{Html, IntoResponse};
use axum::{Router, extract::State, routing::get};
use tower_sse::{Event, Hub, KeepAlive, LastEventId, SseLayer, hub::Start};

pub(crate) const PAGE: &str = r#"<!doctype html><title>Goals</title><ol id="goals"></ol><script>
    const goals = document.getElementById("goals");
    const show = (text) => goals.append(Object.assign(document.createElement("li"), { textContent: text }));
    const source = new EventSource("/goals");
    source.onmessage = (event) => show(event.data);
    source.addEventListener("bye", (event) => show(event.data));
    source.addEventListener("gap", () => location.reload()); // something is missing: start over
</script>"#;

pub(crate) async fn goals(State(hub): State<Hub>, last: Option<LastEventId>) -> impl IntoResponse {
    let subscriber = hub
        .subscriber()
        .topic("goals")
        .start(Start::Oldest)
        .after(last);
    subscriber
        .subscribe()
        .map(|goals| goals.keep_alive(KeepAlive::default()))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = Hub::builder()
        .farewell(Event::new("back soon").with_type("bye"))
        .build();
    let app = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/goals", get(goals).layer(SseLayer::new()))
        .with_state(hub.clone());

    let publisher = hub.clone();
    tokio::spawn(async move {
        for minute in 1..=90 {
            publisher
                .topic("goals")
                .publish(Event::new(format!("{minute}' goal!")));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });

    let shutdown = async move {
        _ = tokio::signal::ctrl_c().await;
        hub.close(); // or the shutdown would wait for the streams forever
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown)
        .await
}
