//! A browser that a full hub refuses.

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, get_service};
use tokio::net::TcpListener;
use tower_sse::Event;
use tower_sse::hub::{Hub, HubService};

use crate::driver::Browser;

/// Connects, and says how often it has failed once it is closed or has an event.
const CONNECT: &str = r#"
    const [path, done] = arguments;
    const source = new EventSource(path);
    let errors = 0;
    source.onerror = () => {
        errors += 1;
        if (source.readyState === EventSource.CLOSED) done([errors, "closed"]);
    };
    source.onmessage = (event) => {
        source.close();
        done([errors, event.data]);
    };
"#;

#[tokio::test]
#[ignore = "needs chromium and chromium-driver; .ci/run runs it"]
async fn comes_again_only_after_a_retry_response() {
    let hub = Hub::builder()
        .max_subscribers(1)
        .retry_after(Duration::from_millis(50))
        .build();
    let only = hub.subscribe().unwrap();
    let service = HubService::new(hub.clone());
    let app: Router = Router::new()
        .route("/", get(async || Html("<title>refused</title>")))
        .route("/with-503", get_service(service.clone()))
        .route("/with-retry", get_service(service.refuse_with_retry()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async { axum::serve(listener, app).await });

    let browser = Browser::start().await;
    browser
        .page
        .goto(format!("http://{address}/"))
        .await
        .unwrap();
    let connect = async |path: &str| {
        let done = browser.page.execute_async(CONNECT, vec![path.into()]).await;
        done.unwrap().convert::<(u64, String)>().unwrap()
    };
    assert_eq!(connect("with-503").await, (1, "closed".to_owned()));
    assert_eq!(hub.stats().refused, 1);

    let makes_room = async {
        while hub.stats().refused < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(only);
        while hub.stats().subscribers < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        hub.publish(Event::new("welcome"));
    };
    let (connected, ()) = tokio::join!(connect("with-retry"), makes_room);
    assert!(connected.0 >= 3, "{connected:?}");
    assert_eq!(connected.1, "welcome");
    browser.quit().await;
    server.abort();
}
