//! Each error says its own part, and its source the rest: printed as a chain, nothing comes twice.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use tower_sse::body::EventStreamError;
use tower_sse::client::ClientError;
use tower_sse::{Data, Decoder, EventId, EventStream, EventType, Hub, LastEventId};

/// The messages of an error and all its sources.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        messages.push(error.to_string());
        next = error.source();
    }
    messages
}

fn limits() -> [Box<dyn Error>; 2] {
    let line = Decoder::new()
        .max_line_len(3)
        .decode_ref(&mut &b"data: x\n\n"[..])
        .unwrap_err();
    let event = Decoder::new()
        .max_event_len(3)
        .decode_ref(&mut &b"data: long\n\n"[..])
        .unwrap_err();
    [line.into(), event.into()]
}

fn texts() -> [Box<dyn Error>; 7] {
    let query = |query| LastEventId::from_query(query, 4).unwrap_err();
    [
        EventId::try_from("7\n").unwrap_err().into(),
        EventId::try_from("7".repeat(5_000)).unwrap_err().into(),
        EventType::try_from("\r").unwrap_err().into(),
        Data::try_from(Bytes::from_static(b"\xff"))
            .unwrap_err()
            .into(),
        query("lastEventId=7%0A").into(),
        query("lastEventId=%ff").into(),
        query("lastEventId=12345").into(),
    ]
}

/// An error with a source of its own, as hyper's are.
fn broken() -> io::Error {
    io::Error::other(EventType::try_from("\n").unwrap_err())
}

fn stream_errors() -> Vec<Box<dyn Error>> {
    let read = |body| {
        let mut events = EventStream::new(body);
        events.next().now_or_never().unwrap().unwrap().unwrap_err()
    };
    let frames = stream::iter([Err::<http_body::Frame<Bytes>, _>(broken())]);
    let body = read(BodyExt::boxed(StreamBody::new(frames)));
    assert!(matches!(body, EventStreamError::Body(_)));
    let text = String::from("data: x\n\n")
        .map_err(|never| match never {})
        .boxed();
    let mut unterminated = EventStream::new(text).until("[DONE]");
    unterminated
        .next()
        .now_or_never()
        .unwrap()
        .unwrap()
        .unwrap();
    let unterminated = unterminated.next().now_or_never().unwrap().unwrap();
    vec![body.into(), unterminated.unwrap_err().into()]
}

async fn client_errors() -> Vec<Box<dyn Error>> {
    let response = http::Response::builder().status(404).body(String::new());
    let response = response.unwrap();
    let rejection = EventStream::from_response(response).await.unwrap_err();
    let transport = || ClientError::Transport(broken().into());
    vec![
        rejection.clone().into(),
        ClientError::Rejected(Box::new(rejection)).into(),
        ClientError::Ended.into(),
        ClientError::Cut.into(),
        ClientError::Unterminated.into(),
        ClientError::Idle(Duration::from_secs(30)).into(),
        ClientError::Service(broken().into()).into(),
        ClientError::UnsendableId(EventId::from(7)).into(),
        transport().into(),
        ClientError::GaveUp {
            tries: 4,
            last: Box::new(transport()),
        }
        .into(),
    ]
}

async fn hub_errors() -> Vec<Box<dyn Error>> {
    let hub = Hub::builder().max_subscribers(0).build();
    let full = hub.subscribe().unwrap_err();
    hub.close();
    let closed = hub.subscribe().unwrap_err();
    let hub = Hub::new();
    let mut stream = hub.resume(EventId::from_static("x")).unwrap().into_stream();
    let missed = stream.next().await.unwrap().unwrap_err();
    vec![full.into(), closed.into(), missed.into()]
}

#[tokio::test]
async fn nothing_is_said_twice_along_a_chain() {
    let mut errors: Vec<Box<dyn Error>> = Vec::new();
    errors.extend(limits());
    errors.extend(texts());
    errors.extend(stream_errors());
    errors.extend(client_errors().await);
    errors.extend(hub_errors().await);
    #[cfg(feature = "json")]
    {
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        errors.push(Data::json(&keys).unwrap_err().into());
    }
    assert!(errors.len() >= 24);
    let mut with_source = 0;
    for error in &errors {
        let chain = chain(&**error);
        with_source += usize::from(chain.len() > 1);
        for (n, message) in chain.iter().enumerate() {
            assert!(!message.is_empty());
            for source in &chain[n + 1..] {
                assert!(!message.contains(source.as_str()), "{chain:?}");
            }
        }
    }
    assert!(with_source >= 5, "{with_source}");
}
