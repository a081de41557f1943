use futures_util::StreamExt;
use http::{Request, Response};
use tower_sse::client::HttpService;
use tower_sse::{EventSource, EventStream};

pub fn over_reqwest(
    client: reqwest::Client,
) -> impl HttpService<String, ResponseBody = reqwest::Body> {
    tower::service_fn(move |request: Request<String>| {
        let client = client.clone();
        async move {
            let response = client.execute(request.try_into()?).await?;
            Ok::<_, reqwest::Error>(Response::<reqwest::Body>::from(response))
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = reqwest::Client::new();
    let service = over_reqwest(client.clone());
    let request = Request::get("http://127.0.0.1:3000/feed").body(String::new())?;
    let mut messages = EventSource::new(service, request).into_messages();
    while let Some(message) = messages.next().await {
        println!("{}", message?.data());
    }

    // A single response, without a service.
    let response = client
        .post("http://127.0.0.1:3000/completions")
        .body("{}")
        .send()
        .await?;
    let response = Response::<reqwest::Body>::from(response);
    let mut tokens = EventStream::from_response(response).await?.until("[DONE]");
    while let Some(token) = tokens.next().await {
        print!("{}", token?.data());
    }

    // The same from chunks of bytes, for an HTTP library without `http-body`.
    let response = client
        .get("http://127.0.0.1:3000/feed")
        .send()
        .await?
        .error_for_status()?;
    let mut events = EventStream::from_stream(response.bytes_stream());
    while let Some(event) = events.next().await {
        println!("{}", event?.data());
    }
    Ok(())
}
