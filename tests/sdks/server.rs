//! A server of short event streams whose paths say how they are sent.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use serde_json::json;
use tower::Service;
use tower_sse::{Event, EventType, Hub, KeepAlive, Prelude, SseBody};

/// How far events lie apart, and heartbeats: some of these between each two of those.
const PACE: Duration = Duration::from_millis(24);
const HEARTBEAT: Duration = Duration::from_millis(4);

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload {
    /// As OpenAI sends a chat completion.
    ChatCompletion,
    /// As Anthropic sends a message.
    Message,
    /// Types and text.
    Plain,
}

const WORDS: [&str; 3] = ["Once", " upon", " a time"];

impl Payload {
    /// The type and the data of each event.
    fn events(self) -> Vec<(Option<&'static str>, String)> {
        match self {
            Self::ChatCompletion => {
                let chunk = |word| {
                    json!({
                        "id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m",
                        "choices": [{ "index": 0, "delta": { "content": word } }],
                    })
                };
                let chunks = WORDS.map(|word| (None, chunk(word).to_string()));
                chunks
                    .into_iter()
                    .chain([(None, "[DONE]".to_owned())])
                    .collect()
            }
            Self::Message => {
                let message = json!({
                    "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
                    "stop_reason": null, "stop_sequence": null,
                    "usage": { "input_tokens": 1, "output_tokens": 1 },
                });
                let delta = |word| {
                    json!({
                        "type": "content_block_delta", "index": 0,
                        "delta": { "type": "text_delta", "text": word },
                    })
                };
                let block = json!({ "type": "text", "text": "" });
                let end = json!({ "stop_reason": "end_turn", "stop_sequence": null });
                let before = [
                    (
                        "message_start",
                        json!({ "type": "message_start", "message": message }),
                    ),
                    (
                        "content_block_start",
                        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
                    ),
                ];
                let deltas = WORDS.map(|word| ("content_block_delta", delta(word)));
                let after = [
                    (
                        "content_block_stop",
                        json!({ "type": "content_block_stop", "index": 0 }),
                    ),
                    (
                        "message_delta",
                        json!({
                            "type": "message_delta", "delta": end,
                            "usage": { "output_tokens": 3 },
                        }),
                    ),
                    ("message_stop", json!({ "type": "message_stop" })),
                ];
                let all = before.into_iter().chain(deltas).chain(after);
                all.map(|(event_type, data)| (Some(event_type), data.to_string()))
                    .collect()
            }
            Self::Plain => vec![
                (Some("greeting"), "hello".to_owned()),
                (None, "two\nlines".to_owned()),
                (Some("farewell"), "bye".to_owned()),
            ],
        }
    }

    /// What a reader makes of it, as the scripts print it.
    pub(super) fn wanted(self, _of: Combination) -> Vec<String> {
        let own = |text: &str| text.to_owned();
        match self {
            Self::ChatCompletion => WORDS.map(own).to_vec(),
            Self::Message => {
                let [one, two, three] = WORDS;
                let delta = "content_block_delta";
                [
                    ["message_start", "content_block_start"].as_slice(),
                    &[delta, one, delta, two, delta, three],
                    &["content_block_stop", "message_delta", "message_stop"],
                ]
                .concat()
                .into_iter()
                .map(own)
                .collect()
            }
            Self::Plain => {
                let events = self.events().into_iter();
                events
                    .flat_map(|(event_type, data)| [own(event_type.unwrap_or("message")), data])
                    .collect()
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Heartbeat {
    None,
    Colon,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum First {
    None,
    Plain,
    Retry,
    Padded,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    WithoutIds,
    Numbers,
    Hub,
    /// A hub as it is without a word, for browsers.
    HubWithPlace,
}

/// How a stream is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Combination {
    heartbeat: Heartbeat,
    first: First,
    source: Source,
}

const HEARTBEATS: [Heartbeat; 3] = [Heartbeat::None, Heartbeat::Colon, Heartbeat::Text];
const FIRSTS: [First; 4] = [First::None, First::Plain, First::Retry, First::Padded];
const SOURCES: [Source; 3] = [Source::WithoutIds, Source::Numbers, Source::Hub];

impl Combination {
    /// Every one that these readers are to understand.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for heartbeat in HEARTBEATS {
            for first in FIRSTS {
                all.extend(SOURCES.map(|source| Self {
                    heartbeat,
                    first,
                    source,
                }));
            }
        }
        all
    }

    /// The one that they do not.
    pub(super) fn with_place() -> Self {
        Self {
            heartbeat: Heartbeat::Colon,
            first: First::Plain,
            source: Source::HubWithPlace,
        }
    }

    fn named(name: &str) -> Option<Self> {
        let mut all = Self::all().into_iter().chain([Self::with_place()]);
        all.find(|one| one.to_string() == name)
    }

    fn body(self, payload: Payload) -> UnsyncBoxBody<Bytes, Infallible> {
        let event = move |(n, (event_type, data)): (u64, (Option<&'static str>, String))| {
            let mut event = Event::new(data);
            if let Some(event_type) = event_type {
                event = event.with_type(EventType::from_static(event_type));
            }
            if self.source == Source::Numbers {
                event = event.with_id(n);
            }
            event
        };
        let events = (1..).zip(payload.events()).map(event);
        let paced = stream::iter(events).then(async |event| {
            tokio::time::sleep(PACE).await;
            event
        });
        match self.source {
            Source::WithoutIds | Source::Numbers => self.dressed(SseBody::new(Box::pin(paced))),
            Source::Hub | Source::HubWithPlace => {
                let place = self.source == Source::HubWithPlace;
                let hub = Hub::builder().announce_place(place).build();
                let subscription = hub.subscribe().expect("the hub is open");
                tokio::spawn(async move {
                    let mut paced = std::pin::pin!(paced);
                    while let Some(event) = paced.next().await {
                        hub.publish(event);
                    }
                    hub.close();
                });
                self.dressed(subscription.into_body())
            }
        }
    }

    fn dressed<S>(self, body: SseBody<S>) -> UnsyncBoxBody<Bytes, Infallible>
    where
        S: tower_sse::body::Source<Error = Infallible> + Send + 'static,
    {
        let prelude = match self.first {
            First::None => None,
            First::Plain => Some(Prelude::new()),
            First::Retry => Some(Prelude::new().retry(Duration::from_secs(2))),
            First::Padded => Some(Prelude::new().retry(Duration::from_secs(2)).padding()),
        };
        let body = body.prelude(prelude);
        let keep_alive = KeepAlive::new().interval(HEARTBEAT);
        match self.heartbeat {
            Heartbeat::None => boxed(body),
            Heartbeat::Colon => boxed(body.keep_alive(keep_alive)),
            Heartbeat::Text => boxed(body.keep_alive(keep_alive.text("still here"))),
        }
    }

    /// Whether its heartbeats, and no others, lie between the events of [`Payload::Plain`].
    pub(super) fn has_heartbeats(self, text: &str) -> bool {
        let between = text.split_once("data: hello\n\n").unwrap().1;
        let between = between.split_once("data: bye").unwrap().0;
        let has = |line: &str| between.lines().any(|other| other == line);
        has(":") == (self.heartbeat == Heartbeat::Colon)
            && has(": still here") == (self.heartbeat == Heartbeat::Text)
    }

    /// Whether a stream of [`Payload::Plain`] was sent as the combination says.
    pub(super) fn assert_on_the_wire(self, text: &str) {
        let has = |line: &str| text.lines().any(|other| other == line);
        assert_eq!(
            has("retry: 2000"),
            matches!(self.first, First::Retry | First::Padded)
        );
        assert_eq!(
            text.len() > 2000,
            self.first == First::Padded,
            "{self}: {text:?}"
        );
        assert!(self.has_heartbeats(text), "{self}: {text:?}");
        let ids = text.lines().filter(|line| line.starts_with("id: ")).count();
        let wanted = match self.source {
            Source::WithoutIds => 0,
            Source::Numbers | Source::Hub => 3,
            Source::HubWithPlace => 4,
        };
        assert_eq!(ids, wanted, "{self}: {text:?}");
    }
}

/// As a path's first segment.
impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}-{:?}-{:?}", self.heartbeat, self.first, self.source)
    }
}

fn boxed<B>(body: B) -> UnsyncBoxBody<Bytes, Infallible>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    body.boxed_unsync()
}

/// Answers under each combination's name, whatever comes after it.
pub(super) fn service(
    payload: Payload,
) -> impl Service<
    Request<Incoming>,
    Response = Response<UnsyncBoxBody<Bytes, Infallible>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send {
    tower::service_fn(move |request: Request<Incoming>| async move {
        let name = request.uri().path().split('/').nth(1).unwrap_or_default();
        let response = match Combination::named(name) {
            Some(combination) => Response::builder()
                .header("content-type", "text/event-stream")
                .body(combination.body(payload)),
            None => Response::builder()
                .status(404)
                .body(boxed(http_body_util::Empty::new())),
        };
        Ok::<_, Infallible>(response.expect("the headers are valid"))
    })
}
