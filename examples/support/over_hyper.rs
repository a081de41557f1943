use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::Empty;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower_sse::EventSource;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let url = "https://stream.wikimedia.org/v2/stream/recentchange";
    let request = http::Request::get(url).body(Empty::<Bytes>::new())?;
    let mut changes = EventSource::new(client, request).into_messages();
    while let Some(change) = changes.next().await {
        println!("{}", change?.data());
    }
    Ok(())
}
