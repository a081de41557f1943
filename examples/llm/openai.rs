//! Runs as chat completions, for OpenAI's SDKs.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tower_sse::{Event, KeepAlive, SseBody};

use crate::runs::Runs;

/// Starts a run and streams it. The run continues if the client disconnects, and can be read at
/// `/runs/{id}`, where the ID is that of the completion without `chatcmpl-`.
pub(crate) async fn complete(State(runs): State<Runs>, Json(request): Json<Value>) -> Response {
    if request["stream"] != true {
        return refuse(StatusCode::BAD_REQUEST, "set `stream` to true");
    }
    let messages = request["messages"].as_array();
    let prompt = messages.and_then(|messages| messages.last()?["content"].as_str());
    let Some(prompt) = prompt else {
        return refuse(StatusCode::BAD_REQUEST, "the last message is not text");
    };
    let Some(run) = runs.start(prompt.to_owned()) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many runs");
    };
    let events = match runs.subscriber(&run).subscribe() {
        Ok(subscription) => subscription.into_stream(),
        Err(refused) => return refused.into_response(),
    };
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let chunk = move |delta: Value, finish_reason: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
        let chunk = json!({
            "id": format!("chatcmpl-{run}"),
            "object": "chat.completion.chunk",
            "created": created.as_secs(),
            "model": request["model"],
            "choices": [choice],
        });
        Event::new(chunk.to_string())
    };
    let chunks = events.flat_map(move |event| {
        stream::iter(match event {
            Ok(event) if event.event_type() != "message" => vec![],
            Ok(event) if event.data() == "[DONE]" => {
                vec![
                    Ok(chunk(json!({}), json!("stop"))),
                    Ok(Event::new("[DONE]")),
                ]
            }
            Ok(event) => vec![Ok(chunk(json!({ "content": event.data() }), Value::Null))],
            Err(missed) => vec![Err(missed)],
        })
    });
    SseBody::new(chunks)
        .keep_alive(KeepAlive::default())
        .on_error(Event::new(error("tokens were lost").to_string()))
        .into_response()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(error(why))).into_response()
}

/// The SDKs raise it, as a response or as an event.
fn error(message: &str) -> Value {
    json!({ "error": { "message": message } })
}
