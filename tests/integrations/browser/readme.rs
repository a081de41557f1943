//! The page of the README's first program.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use thirtyfour::prelude::*;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_sse::{Event, Hub, SseLayer};

use crate::driver::Browser;
use crate::ports::free_port;

#[expect(dead_code, reason = "its server has a fixed port")]
#[path = "../../examples/readme/program.rs"]
mod program;

async fn serve(hub: &Hub, listener: TcpListener) -> JoinHandle<()> {
    let app = Router::new()
        .route("/", get(Html(program::PAGE)))
        .route("/goals", get(program::goals).layer(SseLayer::new()))
        .with_state(hub.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() })
}

async fn shows(browser: &Browser, expected: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        // The page reloads after a gap, perhaps between these two calls.
        let body = browser.page.find(By::Css("body")).await;
        let text = match body {
            Ok(body) => body.text().await,
            Err(error) => Err(error),
        };
        match &text {
            Ok(text) if text.lines().eq(expected.iter().copied()) => return,
            _ => assert!(Instant::now() < deadline, "shows {text:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn starts_over_after_a_gap() {
    let farewell = Event::new("back soon").with_type("bye");
    let hub = Hub::builder().farewell(farewell).build();
    let goals = hub.topic("goals");
    goals.publish(Event::new("1' goal!"));
    // It comes back to it.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let listener = TcpListener::bind(address).await.unwrap();
    let server = serve(&hub, listener).await;

    let browser = Browser::start().await;
    let page = format!("http://{address}/");
    browser.page.goto(page).await.unwrap();
    shows(&browser, &["1' goal!"]).await;
    goals.publish(Event::new("2' goal!"));
    shows(&browser, &["1' goal!", "2' goal!"]).await;

    hub.close();
    server.abort();
    shows(&browser, &["1' goal!", "2' goal!", "back soon"]).await;

    let hub = Hub::new();
    hub.topic("goals").publish(Event::new("3' goal!"));
    let listener = TcpListener::bind(address).await.unwrap();
    let server = serve(&hub, listener).await;
    shows(&browser, &["3' goal!"]).await;
    browser.quit().await;
    server.abort();
}
