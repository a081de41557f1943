//! Runs: each is a topic of the hub with the prompt, the tokens, and `[DONE]`.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{StatusCode, header::LOCATION};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;
use tower_sse::hub::{Hub, Refused, Start, SubscriptionBuilder};
use tower_sse::{Event, KeepAlive, LastEventId};

use crate::model;

/// How many runs can be generating at once.
const MAX_RUNNING: usize = 1_000;
const UNHARMED: &str = "nothing panics while it is locked";

#[derive(Clone)]
pub(crate) struct Runs {
    hub: Hub,
    /// Stops each run that has not ended.
    running: Arc<Mutex<HashMap<String, CancellationToken>>>,
}

impl Runs {
    pub(crate) fn new(hub: Hub) -> Self {
        let running = Arc::default();
        Self { hub, running }
    }

    /// Starts a run and returns its ID; `None` if too many are running.
    pub(crate) fn start(&self, prompt: String) -> Option<String> {
        // The ID is all it takes to read a run, so it must not be guessable.
        let id = format!("{:016x}", RandomState::new().hash_one(&prompt));
        let stop = CancellationToken::new();
        {
            let mut running = self.running.lock().expect(UNHARMED);
            if running.len() >= MAX_RUNNING {
                return None;
            }
            running.insert(id.clone(), stop.clone());
        }
        // Published before the client learns the ID, since a run without events is answered 404.
        let asked = Event::new(prompt.clone()).with_type("prompt");
        self.hub.topic(&topic(&id)).publish(asked);
        tokio::spawn(self.clone().generate(id.clone(), prompt, stop));
        Some(id)
    }

    async fn generate(self, id: String, prompt: String, stop: CancellationToken) {
        let topic = topic(&id);
        let mut tokens = pin!(model::generate(&prompt).take_until(stop.cancelled()));
        while let Some(token) = tokens.next().await {
            self.hub.topic(&topic).publish(Event::new(token));
        }
        self.hub.topic(&topic).finish(Event::new("[DONE]"));
        self.running.lock().expect(UNHARMED).remove(&id);
    }

    /// A subscriber that starts with the prompt.
    pub(crate) fn subscriber(&self, id: &str) -> SubscriptionBuilder {
        self.hub.subscriber().topic(topic(id)).start(Start::Oldest)
    }
}

fn topic(id: &str) -> String {
    format!("run/{id}")
}

pub(crate) async fn start(State(runs): State<Runs>, prompt: String) -> Response {
    match runs.start(prompt) {
        Some(id) => (StatusCode::CREATED, [(LOCATION, format!("/runs/{id}"))], id).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

pub(crate) async fn read(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    last: Option<LastEventId>,
) -> Result<Response, Refused> {
    let subscription = runs.subscriber(&id).after(last).subscribe()?;
    // Never started, or expired: subscribing evicts events that are too old.
    if runs.hub.topic(&topic(&id)).stats().retained == 0 {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    Ok(subscription
        .keep_alive(KeepAlive::default())
        .into_response())
}

pub(crate) async fn stop(State(runs): State<Runs>, Path(id): Path<String>) -> StatusCode {
    match runs.running.lock().expect(UNHARMED).get(&id) {
        Some(stop) => stop.cancel(),
        None => return StatusCode::NOT_FOUND,
    }
    StatusCode::NO_CONTENT
}
