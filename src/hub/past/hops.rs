//! Clients that hop between nodes on a log that is trimmed.

#[cfg(feature = "compression")]
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

#[cfg(feature = "compression")]
use flate2::write::GzDecoder;
use futures_core::Stream;
use http_body::Body;

use super::memory_log::{MemoryLog, PastEntry, PastNode};
#[cfg(feature = "compression")]
use crate::compression::{CompressedBody, Compression, Encoding};
use crate::hub::delivery::Delivery;
use crate::hub::foreign::{id_of, key_of};
use crate::hub::{Deliveries, Hub, LagPolicy, Subscription};
use crate::protocol::EventId;

const TOPICS: [&str; 3] = ["a", "b", "b/1"];

enum HopperReader {
    Body(Subscription),
    Stream(Deliveries),
    #[cfg(feature = "compression")]
    Gzip(CompressedBody<Subscription>, Box<GzDecoder<Vec<u8>>>),
}

enum HopperItem {
    Event(u128),
    Gap(Option<u128>),
    Place(u128),
}

impl HopperReader {
    fn poll(&mut self) -> Poll<Option<Vec<HopperItem>>> {
        let mut cx = Context::from_waker(Waker::noop());
        match self {
            Self::Stream(stream) => {
                let event = |one: Delivery| HopperItem::Event(key_of(one.id().unwrap()).unwrap());
                match std::task::ready!(Pin::new(&mut *stream).poll_next(&mut cx)) {
                    None => Poll::Ready(None),
                    Some(Ok(one)) => Poll::Ready(Some(vec![event(one)])),
                    // The last item of a stream that lags, which is to resume elsewhere.
                    Some(Err(_)) => match Pin::new(stream).poll_next(&mut cx) {
                        Poll::Ready(None) => Poll::Ready(None),
                        Poll::Ready(Some(Ok(one))) => {
                            Poll::Ready(Some(vec![HopperItem::Gap(None), event(one)]))
                        }
                        Poll::Ready(Some(Err(_))) | Poll::Pending => {
                            Poll::Ready(Some(vec![HopperItem::Gap(None)]))
                        }
                    },
                }
            }
            Self::Body(body) => {
                let frame = std::task::ready!(Pin::new(body).poll_frame(&mut cx));
                Poll::Ready(frame.map(|frame| items(&frame.unwrap().into_data().unwrap())))
            }
            #[cfg(feature = "compression")]
            Self::Gzip(body, decoder) => {
                let Some(frame) = std::task::ready!(Pin::new(body).poll_frame(&mut cx)) else {
                    decoder.try_finish().unwrap();
                    return Poll::Ready(None);
                };
                decoder
                    .write_all(&frame.unwrap().into_data().unwrap())
                    .unwrap();
                decoder.flush().unwrap();
                // A long frame comes in parts, which may end anywhere.
                let text = decoder.get_mut();
                let end = memchr::memmem::rfind(text, b"\n\n").map_or(0, |at| at + 2);
                Poll::Ready(Some(items(&text.drain(..end).collect::<Vec<u8>>())))
            }
        }
    }
}

fn items(blocks: &[u8]) -> Vec<HopperItem> {
    let blocks = std::str::from_utf8(blocks).unwrap();
    let item = |block: &str| {
        let id = block.lines().find_map(|line| line.strip_prefix("id: "));
        let key = key_of(id.unwrap()).unwrap();
        match block {
            _ if block.starts_with("event: gap") => HopperItem::Gap(Some(key)),
            _ if block.contains("data: ") => HopperItem::Event(key),
            _ => HopperItem::Place(key),
        }
    };
    blocks.split_terminator("\n\n").map(item).collect()
}

struct Hopper {
    topics: Vec<&'static str>,
    last: u128,
    /// It has been told of a gap since the last event.
    told: bool,
    /// It came with an ID that the log does not have.
    strange: bool,
    reader: Option<HopperReader>,
}

impl Hopper {
    fn connect(&mut self, hub: &Hub, kind: usize) {
        let last = EventId::try_from(id_of(self.last).as_str()).unwrap();
        let subscriber = hub.subscriber().topics(self.topics.iter().copied());
        let body = subscriber.prefix("b/").after(last).subscribe().unwrap();
        self.reader = Some(match kind {
            0 => HopperReader::Stream(body.into_stream()),
            #[cfg(feature = "compression")]
            1 => {
                let body = CompressedBody::new(body, Encoding::Gzip, &Compression::new());
                HopperReader::Gzip(body, Box::new(GzDecoder::new(Vec::new())))
            }
            _ => HopperReader::Body(body),
        });
    }

    fn missing(&self, all: &[PastEntry], before: u128) -> Option<u128> {
        let follows = |topic: &str| topic == "b/1" || self.topics.contains(&topic);
        let mut between = all
            .iter()
            .filter(|(key, _)| *key > self.last && *key < before);
        between
            .find(|(_, topic)| follows(topic))
            .map(|(key, _)| *key)
    }

    fn read(&mut self, all: &[PastEntry], oldest: u128) -> usize {
        let (mut events, mut idle) = (0, 0);
        while let Some(reader) = &mut self.reader {
            let items = match reader.poll() {
                Poll::Pending if idle < 8 => {
                    idle += 1;
                    continue;
                }
                Poll::Pending => break,
                Poll::Ready(None) => {
                    self.reader = None;
                    break;
                }
                Poll::Ready(Some(items)) => items,
            };
            idle = 0;
            for item in items {
                match item {
                    HopperItem::Event(key) => {
                        events += 1;
                        assert!(all.iter().any(|(one, _)| *one == key));
                        assert!(key > self.last, "twice, or out of order");
                        let missing = self.missing(all, key);
                        assert!(self.told || missing.is_none(), "lost in silence");
                        (self.last, self.told, self.strange) = (key, false, false);
                    }
                    HopperItem::Gap(key) => {
                        assert!(self.strange || self.last < oldest, "an unfounded gap");
                        self.told = true;
                        self.last = key.unwrap_or(self.last);
                    }
                    HopperItem::Place(key) => {
                        assert!(self.told || self.missing(all, key + 1).is_none());
                        self.last = key;
                    }
                }
            }
        }
        events
    }
}

fn run(mut random: impl FnMut(usize) -> usize) -> [usize; 2] {
    let begin = 5 << 64;
    let outer = Arc::new(MemoryLog {
        polls: random(4),
        ..MemoryLog::default()
    });
    // A place before all events.
    outer.entries.lock().unwrap().push_back((begin, "mark"));
    let mut all = Vec::new();
    let events = 1 + random(12);
    let mut nodes: Vec<PastNode> = (0..3)
        .map(|_| {
            let settings = Hub::builder().retain_events(events).lag(LagPolicy::End);
            let settings = settings.after_key(begin).past(Arc::new(Arc::clone(&outer)));
            PastNode {
                hub: settings.build(),
                at: begin,
            }
        })
        .collect();
    let mut clients: Vec<Hopper> = (0..5)
        .map(|at| Hopper {
            topics: TOPICS[..at % 3].to_vec(),
            last: begin,
            told: false,
            strange: false,
            reader: None,
        })
        .collect();
    let (mut last, mut read) = (begin, 0);
    for _ in 0..250 {
        let oldest = outer.entries.lock().unwrap()[0].0;
        match random(10) {
            0 if random(3) == 0 => {
                let mut entries = outer.entries.lock().unwrap();
                let most = entries.len() - 1;
                entries.drain(..random(most + 1));
            }
            1..=3 => {
                for _ in 0..random(6) {
                    last += 1 + random(5) as u128;
                    all.push((last, TOPICS[random(3)]));
                    outer.entries.lock().unwrap().extend(all.last());
                }
            }
            4 | 5 => {
                let most = random(20);
                nodes[random(3)].feed(&outer, most);
            }
            6 => {
                let (at, node, kind) = (random(5), random(3), random(3));
                let client = &mut clients[at];
                if random(6) == 0 {
                    client.last = match random(3) {
                        0 => last + 1 + random(9) as u128,
                        1 => begin.max(last.saturating_sub(random(99) as u128)),
                        _ => random(9) as u128,
                    };
                    client.told = false;
                    let known = outer.entries.lock().unwrap();
                    client.strange = !known.iter().any(|(key, _)| *key == client.last);
                    client.told = client.strange;
                }
                client.connect(&nodes[node].hub, kind);
                if client.strange && client.last > last {
                    // It continues where the log is, and is told.
                    read += client.read(&all, u128::MAX);
                    client.last = client.last.min(last);
                }
            }
            _ => {
                let at = random(5);
                read += clients[at].read(&all, oldest);
            }
        }
    }
    // In the end, everybody has everything.
    for node in &mut nodes {
        node.feed(&outer, usize::MAX);
    }
    let oldest = outer.entries.lock().unwrap()[0].0;
    for (at, client) in clients.iter_mut().enumerate() {
        for _ in 0..20 {
            if client.reader.is_none() {
                client.connect(&nodes[at % 3].hub, at % 3);
            }
            read += client.read(&all, oldest);
        }
        assert!(
            client.told || client.missing(&all, u128::MAX).is_none(),
            "never sent"
        );
    }
    [read, outer.pages.load(Ordering::Relaxed)]
}

#[test]
fn clients_that_hop_between_nodes_miss_nothing_and_get_nothing_twice() {
    // A seed at a time: shuttle bounds the steps of each.
    static SEED: AtomicUsize = AtomicUsize::new(0);
    static READ: AtomicUsize = AtomicUsize::new(0);
    static PAGES: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..80 {
        crate::sync::run(|| {
            let seed = SEED.fetch_add(1, Ordering::Relaxed) as u64;
            let mut state = seed;
            let [read, pages] = run(|below| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(seed | 1);
                usize::try_from((state >> 33) % below as u64).unwrap()
            });
            READ.fetch_add(read, Ordering::Relaxed);
            PAGES.fetch_add(pages, Ordering::Relaxed);
        });
    }
    let [seeds, read, pages] = [&SEED, &READ, &PAGES].map(|sum| sum.load(Ordering::Relaxed));
    assert!(read > seeds * 100 && pages > seeds * 10, "{read} {pages}");
}
