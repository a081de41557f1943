//! The decoder beside its peers:
//! `cargo bench --manifest-path benches/Cargo.toml --bench decode [-- PART OF A ROW]`.
//!
//! Nanoseconds per event, medians of interleaved rounds, and how many times faster than the best
//! peer. Every contender's events are compared with what was sent before anything is timed; one that
//! gets them wrong has no figure.
//!
//! `lent` is `decode_ref`, `lent, read` the same with the data read as text, `owned` is `decode`,
//! `stream` is `EventStream`, which is what `sse-stream`, `sseer` and `eventsource-stream` are too.
//! eventsource-client is given a transport that answers from memory.

mod measure;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::ready;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use eventsource_client::Client as _;
use eventsource_stream::Eventsource;
use futures_core::Stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture};
use measure::{Contender, measure, rounds};
use tower_sse::{Decoder, EventStream, MessageEvent};

/// Type, data, ID.
type Seen = (String, String, String);

struct Load {
    name: &'static str,
    /// What `text` has of them.
    units: usize,
    text: String,
}

fn main() {
    // `cargo test --benches` looks at each contender's events, in one short round.
    let timed = std::env::args().any(|arg| arg == "--bench");
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    println!(
        "| load | chunks | lent | lent, read | owned | stream | sse-core | sse-stream | sseer | eventsource-stream | eventsource-client | lent to best | owned to best |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for load in loads() {
        for (name, size) in [
            ("16 B", 16),
            ("1,400 B", 1_400),
            ("16 KiB", 16 << 10),
            ("whole", usize::MAX),
        ] {
            let row = format!("{}, {name}", load.name);
            let wanted = match &filter {
                Some(filter) => row.contains(filter),
                None => timed || size == 1_400,
            };
            if wanted {
                compare(&load, name, size, if timed { rounds() } else { 1 });
            }
        }
    }
}

fn loads() -> Vec<Load> {
    let mut typical = String::new();
    for n in 0..4_000 {
        let json = format!(
            "{{\"match\":7,\"minute\":{:02},\"home\":\"Borussia\",\"away\":\"Eintracht\",\"score\":[{},0],\"scorer\":\"Somebody Else\",\"note\":\"{:06}\"}}",
            n % 90,
            n % 10,
            n
        );
        _ = write!(typical, "event: goal\nid: {n}\ndata: {json:<120}\n\n");
    }
    let token = format!("data: {}\n\n", "0123456789".repeat(20));
    let line = format!("data: {}\n\n", "0123456789abcdef".repeat(4 << 10));
    let lines = format!(
        "{}\n",
        format!("data: {}\n", "0123456789abcdef".repeat(4)).repeat(64)
    );
    vec![
        Load {
            name: "typical",
            units: 4_000,
            text: typical,
        },
        Load {
            name: "token",
            units: 4_000,
            text: token.repeat(4_000),
        },
        Load {
            name: "64 KiB line",
            units: 16,
            text: line.repeat(16),
        },
        Load {
            name: "64 lines",
            units: 200,
            text: lines.repeat(200),
        },
        Load {
            name: "heartbeat",
            units: 100_000,
            text: format!("{}data: x\n\n", ":\n\n".repeat(100_000)),
        },
        Load {
            name: "keep-alive",
            units: 40_000,
            text: format!("{}data: x\n\n", ": keep-alive\n\n".repeat(40_000)),
        },
        Load {
            name: "not ASCII",
            units: 4_000,
            text: format!(
                "event: goal\nid: 7\ndata: {}\n\n",
                "Müller, 日本 🦀 ".repeat(6)
            )
            .repeat(4_000),
        },
    ]
}

fn compare(load: &Load, chunks_name: &str, size: usize, rounds: usize) {
    let text = Bytes::from(load.text.clone());
    let chunks: Vec<Bytes> = match size {
        usize::MAX => vec![text],
        // Allocations of their own, as they come from a socket.
        _ => text.chunks(size).map(Bytes::copy_from_slice).collect(),
    };
    let wanted = wanted(&load.text);
    let total = (
        wanted.len(),
        wanted.iter().map(|(_, data, _)| data.len()).sum::<usize>(),
    );
    let mut contenders: Vec<Contender<'_, (usize, usize)>> = Vec::new();
    let mut columns = [None; 9];
    for (column, contender) in contenders_of(&chunks, &wanted).into_iter().enumerate() {
        if let Some(contender) = contender {
            columns[column] = Some(contenders.len());
            contenders.push(contender);
        }
    }
    let times = measure(rounds, load.units, &total, &mut contenders);
    let time = |column: usize| columns[column].map(|n| times[n]);
    let best = (4..9).filter_map(time).fold(f64::INFINITY, f64::min);
    print!("| {} | {chunks_name} |", load.name);
    for column in 0..9 {
        match time(column) {
            Some(time) if time < 10.0 => print!(" {time:.1} |"),
            Some(time) => print!(" {time:.0} |"),
            None => print!(" wrong |"),
        }
    }
    for column in [0, 2] {
        print!(" {:.1}x |", best / time(column).unwrap());
    }
    println!();
}

/// By the book, for loads that are simple.
fn wanted(text: &str) -> Vec<Seen> {
    let mut events = Vec::new();
    let mut id = String::new();
    for block in text.split("\n\n") {
        let mut event_type = "message".to_owned();
        let mut data: Option<String> = None;
        for line in block.split('\n') {
            match line.split_once(": ") {
                Some(("event", value)) => event_type = value.to_owned(),
                Some(("id", value)) => id = value.to_owned(),
                Some(("data", value)) => match &mut data {
                    None => data = Some(value.to_owned()),
                    Some(data) => _ = write!(data, "\n{value}"),
                },
                _ => {}
            }
        }
        if let Some(data) = data {
            events.push((event_type, data, id.clone()));
        }
    }
    events
}

/// Reads all events of one contender; `see` is for comparing, `count` for timing.
macro_rules! contender {
    ($name:literal, $wanted:expr, |$event:ident: $ty:ty| $seen:expr, $len:expr, |$each:ident| $run:expr) => {{
        let mut seen: Vec<Seen> = Vec::new();
        {
            let mut $each = |$event: &$ty| seen.push($seen);
            $run;
        }
        (seen == *$wanted).then(|| {
            Contender::new($name, move || {
                let (mut count, mut len) = (0, 0);
                {
                    let mut $each = |$event: &$ty| {
                        count += 1;
                        len += $len;
                        black_box($event);
                    };
                    $run;
                }
                (count, len)
            })
        })
    }};
}

fn contenders_of<'a>(
    chunks: &'a [Bytes],
    wanted: &'a [Seen],
) -> [Option<Contender<'a, (usize, usize)>>; 9] {
    type Lent<'e> = tower_sse::protocol::MessageRef<'e>;
    let transport = InMemory(chunks.to_vec().into());
    let items = || chunks.iter().cloned().map(Ok::<_, Infallible>);
    [
        lent("lent", chunks, wanted, |event: &Lent<'_>| {
            event.data_bytes().len()
        }),
        lent("lent, read", chunks, wanted, |event: &Lent<'_>| {
            event.data().len()
        }),
        contender!(
            "owned",
            wanted,
            |event: MessageEvent| (
                event.event_type().into(),
                event.data().into(),
                event.last_event_id().to_string()
            ),
            event.data_bytes().len(),
            |each| {
                let mut decoder = Decoder::new();
                for chunk in chunks {
                    let mut chunk = chunk.clone();
                    while let Some(event) = decoder.decode(&mut chunk).unwrap() {
                        each(&event);
                    }
                }
            }
        ),
        contender!(
            "stream",
            wanted,
            |event: MessageEvent| (
                event.event_type().into(),
                event.data().into(),
                event.last_event_id().to_string()
            ),
            event.data_bytes().len(),
            |each| {
                let frames = items().map(|chunk| chunk.map(Frame::data));
                drain(EventStream::new(StreamBody::new(iter(frames))), |event| {
                    let event = event.unwrap();
                    each(&event);
                });
            }
        ),
        contender!(
            "sse-core",
            wanted,
            |event: sse_core::MessageEvent| (
                event.event.clone().into_owned(),
                event.data.clone(),
                event.last_event_id.as_deref().unwrap_or("").to_owned()
            ),
            event.data.len(),
            |each| {
                let mut decoder = sse_core::SseDecoder::new();
                for chunk in chunks {
                    let mut chunk = chunk.clone();
                    while let Some(event) = decoder.next(&mut chunk) {
                        if let sse_core::SseEvent::Message(event) = event.unwrap() {
                            each(&event);
                        }
                    }
                }
            }
        ),
        contender!(
            "sse-stream",
            wanted,
            |event: sse_stream::Sse| (
                event.event.clone().unwrap_or("message".into()),
                event.data.clone().unwrap(),
                event.id.clone().unwrap_or_default()
            ),
            event.data.as_ref().map_or(0, String::len),
            |each| drain(sse_stream::SseByteStream::new(iter(items())), |event| {
                let event = event.unwrap();
                if event.data.is_some() {
                    each(&event);
                }
            })
        ),
        contender!(
            "sseer",
            wanted,
            |event: sseer::event::Event| (
                event.event.to_string(),
                event.data.to_string(),
                event.id.to_string()
            ),
            event.data.len(),
            |each| drain(sseer::EventStream::new(iter(items())), |event| {
                let event = event.unwrap();
                each(&event);
            })
        ),
        contender!(
            "eventsource-stream",
            wanted,
            |event: eventsource_stream::Event| (
                event.event.clone(),
                event.data.clone(),
                event.id.clone()
            ),
            event.data.len(),
            |each| drain(iter(items()).eventsource(), |event| {
                let event = event.unwrap();
                each(&event);
            })
        ),
        contender!(
            "eventsource-client",
            wanted,
            |event: eventsource_client::Event| (
                event.event_type.clone(),
                event.data.clone(),
                event.id.clone().unwrap_or_default()
            ),
            event.data.len(),
            |each| drain(transport.client().stream(), |event| {
                // The last one is the error that the stream has ended.
                if let Ok(eventsource_client::SSE::Event(event)) = event {
                    each(&event);
                }
            })
        ),
    ]
}

fn lent<'a>(
    name: &'static str,
    chunks: &'a [Bytes],
    wanted: &[Seen],
    len: impl Fn(&tower_sse::protocol::MessageRef<'_>) -> usize + 'a,
) -> Option<Contender<'a, (usize, usize)>> {
    fn all(chunks: &[Bytes], mut each: impl FnMut(&tower_sse::protocol::MessageRef<'_>)) {
        let mut decoder = Decoder::new();
        for chunk in chunks {
            let mut chunk: &[u8] = chunk;
            while let Some(event) = decoder.decode_ref(&mut chunk).unwrap() {
                each(&event);
            }
        }
    }
    let mut seen: Vec<Seen> = Vec::new();
    all(chunks, |event| {
        seen.push((
            event.event_type().into(),
            event.data().into(),
            event.last_event_id().to_string(),
        ));
    });
    (seen == wanted).then(|| {
        Contender::new(name, move || {
            let mut total = (0, 0);
            all(chunks, |event| {
                total.0 += 1;
                total.1 += len(event);
                black_box(event);
            });
            total
        })
    })
}

/// A connection to the chunks.
#[derive(Clone)]
struct InMemory(Arc<[Bytes]>);

impl InMemory {
    fn client(&self) -> impl eventsource_client::Client + use<> {
        let options = eventsource_client::ReconnectOptions::reconnect(false);
        eventsource_client::ClientBuilder::for_url("http://localhost/")
            .unwrap()
            .reconnect(options.build())
            .build_with_transport(self.clone())
    }
}

impl HttpTransport for InMemory {
    fn request(&self, _: Request<Option<Bytes>>) -> ResponseFuture {
        let chunks = Arc::clone(&self.0);
        let chunks = (0..chunks.len()).map(move |n| Ok(chunks[n].clone()));
        let body: ByteStream = Box::pin(iter(chunks));
        let response = Response::builder().header("content-type", "text/event-stream");
        Box::pin(ready(Ok(response.body(body).unwrap())))
    }
}

fn iter<I: Iterator>(items: I) -> futures_util::stream::Iter<I> {
    futures_util::stream::iter(items)
}

fn drain<S: Stream>(stream: S, mut each: impl FnMut(S::Item)) {
    let mut stream = pin!(stream);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match stream.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(item)) => each(item),
            Poll::Ready(None) => return,
            // A poll that has had its share, with the waker already called.
            Poll::Pending => {}
        }
    }
}
