//! Runs that a POST starts, that GETs read and resume, and that end.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};

use crate::client::{EventStream, ask, field, get, post};
use crate::example_process::Example;
use crate::hostile_ids::try_all;

async fn start(example: &Example, prompt: &str) -> String {
    let started = post(&example.authority, "/runs", prompt).await;
    assert_eq!(started.head.status, 201);
    let path = started.header("location").unwrap().to_owned();
    assert_eq!(path, format!("/runs/{}", started.text().await));
    path
}

fn data(event: &str) -> &str {
    field(event, "data").unwrap()
}

#[tokio::test]
async fn any_number_of_gets_read_and_resume_a_run() {
    let example = Example::start("llm", &[]);
    let path = start(&example, "Why?").await;
    let mut first = get(&example.authority, &path, None).await;
    assert_eq!(first.header("content-type"), Some("text/event-stream"));
    let prompt = first.event().await;
    assert_eq!(
        (field(&prompt, "event"), data(&prompt)),
        (Some("prompt"), "Why?")
    );
    let you = first.event().await;
    assert_eq!(data(&you), "You ");

    // While it runs, and after it: from where the client was, and from the beginning.
    let resumed = get(&example.authority, &path, field(&you, "id"))
        .await
        .rest()
        .await;
    let tokens: String = resumed.iter().map(|event| data(event)).collect();
    assert!(tokens.starts_with("asked: Why?"), "{tokens}");
    assert!(tokens.ends_with("at a time.[DONE]"), "{tokens}");
    assert_eq!(first.rest().await, resumed);
    let all = get(&example.authority, &path, None).await.rest().await;
    assert_eq!(data(&all[1]), "You ");
    assert_eq!(all[2..], resumed);

    let end = field(resumed.last().unwrap(), "id");
    assert_eq!(get(&example.authority, &path, end).await.head.status, 204);
    let before = field(&resumed[resumed.len() - 2], "id");
    let last = get(&example.authority, &path, before).await.rest().await;
    assert_eq!(last, resumed[resumed.len() - 1..]);
}

#[tokio::test]
async fn a_run_can_be_stopped() {
    let example = Example::start("llm", &[]);
    let path = start(&example, &"word ".repeat(10_000)).await;
    let mut stream = get(&example.authority, &path, None).await;
    for _ in 0..3 {
        stream.event().await;
    }
    let stop = || Request::delete(path.as_str()).body(String::new()).unwrap();
    assert_eq!(ask(&example.authority, stop()).await.head.status, 204);
    let events = stream.rest().await;
    assert_eq!(data(events.last().unwrap()), "[DONE]");
    assert!(events.len() < 1_000);
    assert_eq!(ask(&example.authority, stop()).await.head.status, 404);
}

#[tokio::test]
async fn old_runs_go() {
    let example = Example::start("llm", &["--keep", "1"]);
    assert_eq!(
        get(&example.authority, "/runs/7", None).await.head.status,
        404
    );
    let path = start(&example, "Why?").await;
    // It publishes for a second and is kept for another.
    while get(&example.authority, &path, None).await.head.status != 404 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let long = "x".repeat(100_000);
    assert_eq!(
        post(&example.authority, "/runs", &long).await.head.status,
        413
    );
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_model() {
    let mut example = Example::start("llm", &[]);
    let path: &str = start(&example, &"word ".repeat(10_000)).await.leak();
    try_all(&example.authority, path).await;
    let mut stream = get(&example.authority, path, None).await;
    stream.event().await;
    example.interrupt();
    stream.rest().await;
    assert!(example.wait());
}

async fn complete(example: &Example, body: Value) -> EventStream {
    let request = Request::post("/v1/chat/completions").header("content-type", "application/json");
    ask(&example.authority, request.body(body.to_string()).unwrap()).await
}

#[tokio::test]
async fn a_chat_completion_is_a_run() {
    let example = Example::start("llm", &[]);
    let messages = json!([{ "role": "user", "content": "Why?" }]);
    let request = json!({ "model": "m", "messages": messages, "stream": true });
    let stream = complete(&example, request).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    let events = stream.rest().await;
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(data(done), "[DONE]");
    let chunks: Vec<Value> = chunks
        .iter()
        .map(|event| serde_json::from_str(data(event)).unwrap())
        .collect();
    let (last, tokens) = chunks.split_last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(tokens[0]["choices"][0]["delta"]["content"], "You ");

    let id = last["id"].as_str().unwrap();
    let run = id.strip_prefix("chatcmpl-").unwrap();
    let run = get(&example.authority, &format!("/runs/{run}"), None).await;
    // The prompt and the end are not chunks.
    assert_eq!(run.rest().await.len(), tokens.len() + 2);

    for refused in [json!({ "messages": messages }), json!({ "stream": true })] {
        let answer = complete(&example, refused).await;
        assert_eq!(answer.head.status, 400);
        assert!(answer.text().await.starts_with(r#"{"error":{"message":"#));
    }
}
