//! Subscribers that share compressed bytes: each can read every event as soon as it is sent, and
//! reads what it would read without compression.

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use tower_sse::compression::{CompressedBody, Compression, Encoding};
use tower_sse::hub::{Handle, Hub, LagPolicy, Start};
use tower_sse::{Data, Event, EventId, KeepAlive};

use crate::reader::Reader;
use crate::support::gunzip::Gunzip;
use crate::support::rng::Rng;

const TOPICS: [&str; 3] = ["a", "b", "c"];

/// Two subscribers that are polled at the same times, each of a hub of its own with the same events, so
/// that the one that is compressed may be alone there.
struct Pair {
    plain: Reader,
    gzip: Reader,
    handles: [Handle; 2],
    expected: Vec<u8>,
    read: Vec<u8>,
}

impl Pair {
    fn new(hubs: &[Hub; 2], topic: &str, last: Option<&EventId>, filtered: bool) -> Option<Self> {
        let bodies = hubs.each_ref().map(|hub| {
            let mut subscriber = hub.subscriber().topic(topic).start(Start::Last(2));
            if filtered {
                subscriber = subscriber.filter(|delivery| delivery.data().len() % 2 == 0);
            }
            subscriber
                .after(last.cloned().unwrap_or(EventId::EMPTY))
                .subscribe()
                .ok()
        });
        let [Some(one), Some(other)] = bodies else {
            return None;
        };
        let handles = [one.handle(), other.handle()];
        let alive = |body: tower_sse::Subscription| body.keep_alive(KeepAlive::new());
        Some(Self {
            plain: Reader::new(alive(one)),
            gzip: Reader::gzip(alive(other)),
            handles,
            expected: Vec::new(),
            read: Vec::new(),
        })
    }

    /// Reads everything that is pending. `false` at the end.
    fn read(&mut self) -> bool {
        let open = read_all(&mut self.plain, &mut self.expected);
        assert_eq!(read_all(&mut self.gzip, &mut self.read), open);
        // Not `assert_eq`, which would print all of it.
        assert!(self.read == self.expected);
        open
    }

    /// The ID that the client has seen last.
    fn last(&self) -> Option<EventId> {
        let text = text(&self.expected);
        let mut ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.next_back()
            .map(|id| EventId::try_from(id.to_owned()).unwrap())
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn read_all(reader: &mut Reader, read: &mut Vec<u8>) -> bool {
    loop {
        match reader.poll() {
            Poll::Pending => return true,
            Poll::Ready(Some(bytes)) => read.extend(bytes),
            Poll::Ready(None) => return false,
        }
    }
}

fn event(rng: &mut Rng) -> Event {
    let number = rng.next() % 1_000;
    match rng.below(30) {
        0 => {
            let line = "a line that is shared and long".repeat(rng.below(4_000));
            Event::new(Data::try_from(Bytes::from(line)).unwrap())
        }
        1 => Event::new("text\n".repeat(rng.below(20_000))),
        2 => Event::new(""),
        _ => Event::new(format!("{{\"player\":\"Müller\",\"minute\":{number}}}")),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_what_is_sent() {
    for seed in 0..24 {
        random(seed).await;
    }
}

async fn random(seed: u64) {
    let mut rng = Rng::new(seed);
    let mut settings = Compression::new()
        .window_bits(*rng.pick(&[9, 12, 15]))
        .segment_bytes(*rng.pick(&[0, 1, 100, 1_000, u32::MAX]))
        .segment_time(*rng.pick(&[Duration::ZERO, Duration::MAX]))
        .max_contexts(*rng.pick(&[0, 1, 2, 64]));
    if let Some(level) = *rng.pick(&[None, None, Some(1), Some(6), Some(9)]) {
        settings = settings.level(level);
    }
    let builder = Hub::builder()
        .epoch(36)
        .compression(settings)
        .retain_events(20)
        .retain_bytes(*rng.pick(&[1_000, 1 << 20]))
        .lag(*rng.pick(&[LagPolicy::End, LagPolicy::Oldest, LagPolicy::Newest]))
        .farewell(Event::new("bye"));
    let hubs = [builder.clone().build(), builder.build()];
    let mut pairs: Vec<Pair> = Vec::new();
    for _ in 0..400 {
        let topic = *rng.pick(&TOPICS);
        let any = rng.below(pairs.len().max(1));
        match rng.below(20) {
            what @ 0..=9 => {
                let event = event(&mut rng);
                for hub in &hubs {
                    let (topic, event) = (hub.topic(topic), event.clone());
                    match what {
                        8 => topic.publish_transient(event),
                        9 => _ = topic.publish_latest("key", event),
                        _ => _ = topic.publish(event),
                    }
                }
            }
            10 | 11 if pairs.len() < 12 => {
                pairs.extend(Pair::new(&hubs, topic, None, rng.one_in(6)));
            }
            12 if !pairs.is_empty() => {
                let gone = pairs.swap_remove(any);
                let topic = *rng.pick(&TOPICS);
                pairs.extend(Pair::new(&hubs, topic, gone.last().as_ref(), false));
            }
            13 if !pairs.is_empty() => {
                for handle in &pairs[any].handles {
                    match seed % 3 {
                        0 => handle.move_to([topic]),
                        1 => handle.follow(topic),
                        _ => handle.leave(topic),
                    };
                }
            }
            14 if rng.one_in(20) => {
                let last = event(&mut rng);
                for hub in &hubs {
                    hub.topic(topic).finish(last.clone());
                }
            }
            15 if rng.one_in(20) && !pairs.is_empty() => {
                assert_eq!(pairs[any].handles[0].end(), pairs[any].handles[1].end());
            }
            16 => tokio::time::advance(Duration::from_secs(rng.next() % 20)).await,
            17 if !pairs.is_empty() => {
                if !pairs[any].read() {
                    pairs.swap_remove(any);
                }
            }
            _ => pairs.retain_mut(Pair::read),
        }
    }
    if rng.one_in(2) {
        hubs.iter().for_each(Hub::close);
    } else {
        drop(hubs);
    }
    assert!(!pairs.iter_mut().any(Pair::read));
}

/// As in a server: woken after a linger, with heartbeats, and ended one after the other.
#[tokio::test(start_paused = true)]
async fn a_hub_that_lingers_and_is_drained() {
    let hub = Hub::builder().farewell(Event::new("bye")).build();
    let linger = tokio::spawn(hub.linger(Duration::from_millis(5)));
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let keep_alive = KeepAlive::new().interval(Duration::from_millis(100));
            let body = hub.subscribe().unwrap().keep_alive(keep_alive);
            let body = CompressedBody::new(body, Encoding::Gzip, &Compression::new());
            tokio::spawn(async move {
                let mut body = std::pin::pin!(body);
                let (mut gunzip, mut frames) = (Gunzip::new(), 0);
                while let Some(frame) = body.frame().await {
                    gunzip.read(&frame.unwrap().into_data().unwrap());
                    frames += 1;
                }
                assert!(gunzip.is_complete());
                (text(gunzip.text()).to_owned(), frames)
            })
        })
        .collect();
    for n in 0..500 {
        hub.publish(Event::new(format!("event number {n}")));
        let millis = if n % 50 == 0 { 130 } else { n % 3 };
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    hub.close_over(Duration::from_secs(1)).await;
    assert_eq!(hub.drain().await, 0);
    linger.abort();
    for client in clients {
        let (text, frames) = client.await.unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = (0..500).map(|n| format!("event number {n}"));
        assert!(data.eq(events.chain(["bye".to_owned()])), "{text}");
        assert!(text.contains("\n:\n") && frames < 450, "{frames} frames");
    }
}

/// Reads everything that is pending, and returns its bytes as they were sent.
fn wire(reader: &mut Reader) -> Vec<Bytes> {
    std::iter::from_fn(|| match reader.poll_wire() {
        Poll::Ready(frame) => frame,
        Poll::Pending => None,
    })
    .collect()
}

#[test]
fn the_hub_compresses_once() {
    let hub = Hub::builder().epoch(36).build();
    let mut readers: Vec<Reader> = (0..50)
        .map(|_| Reader::gzip(hub.subscribe().unwrap()))
        .collect();
    for reader in &mut readers {
        assert_eq!(wire(reader).len(), 2, "a header and a place");
    }
    for at in 0..20 {
        hub.publish(Event::new(format!("event number {at}")));
        let sent: Vec<_> = readers.iter_mut().map(wire).collect();
        let [first] = &*sent[0] else {
            panic!("one frame");
        };
        assert!(
            first.len() < 38 && first.ends_with(&[0, 0, 0xff, 0xff]),
            "{first:x}"
        );
        for other in &sent {
            assert_eq!(other[0].as_ptr(), first.as_ptr(), "the same memory");
        }
    }
    let mut late = Reader::gzip(hub.resume(EventId::from_static("10-15")).unwrap());
    hub.publish(Event::new("for all"));
    let replayed: Vec<_> = wire(&mut late);
    assert!(
        replayed
            .concat()
            .windows(7)
            .any(|bytes| bytes == b"for all"),
        "stored"
    );
    let one = wire(&mut readers[0]).concat();
    assert!(
        one.len() < 38,
        "a replay does not end the segment of the others"
    );
}

#[test]
fn every_frame_ends_with_an_empty_block() {
    let hub = Hub::builder().epoch(36).build();
    let mut reader = Reader::gzip(hub.subscribe().unwrap());
    let mut late = None;
    assert_eq!(wire(&mut reader)[0].len(), 10, "the header");
    for len in [1, 100, 4_000, 5_000, 65_530, 65_536, 200_000] {
        for data in [
            Data::from("x".repeat(len)),
            Data::try_from(Bytes::from("x".repeat(len))).unwrap(),
        ] {
            late = Some(Reader::gzip(hub.resume(hub.last_event_id()).unwrap()));
            hub.publish(Event::new(data));
            for reader in [&mut reader, late.as_mut().unwrap()] {
                let last = wire(reader).pop().unwrap();
                assert!(last.ends_with(&[0, 0, 0xff, 0xff]), "{len}");
            }
        }
    }
    drop(late);
}

#[test]
fn a_subscriber_that_goes_leaves_nothing_behind() {
    let hub = Hub::builder().epoch(36).build();
    let mut readers = [(); 3].map(|()| Reader::gzip(hub.subscribe().unwrap()));
    let large = Bytes::from("shared and long ".repeat(20_000));
    hub.publish(Event::new(Data::try_from(large.clone()).unwrap()));
    // One goes in the middle of a piece, one goes with a piece that it has compressed, and the
    // third reads on.
    for _ in 0..4 {
        assert!(readers[0].poll().is_ready());
    }
    let [gone, mut second, mut third] = readers;
    drop(gone);
    for _ in 0..5 {
        assert!(second.poll().is_ready());
    }
    drop(second);
    let mut read = Vec::new();
    assert!(read_all(&mut third, &mut read));
    assert!(text(&read).contains(text(&large)));
    hub.publish(Event::new("goal"));
    drop(hub);
    assert!(!read_all(&mut third, &mut read));
    assert!(text(&read).ends_with("data: goal\n\n"));
}

#[test]
fn a_client_that_stalls_holds_up_nobody() {
    let hub = Hub::builder().epoch(36).retain_events(10).build();
    let [mut stalled, mut reader] = [(); 2].map(|()| Reader::gzip(hub.subscribe().unwrap()));
    let mut read = Vec::new();
    for at in 0..100 {
        hub.publish(Event::new(format!("event number {at}")));
        assert!(read_all(&mut reader, &mut read));
    }
    assert!(text(&read).contains("event number 99\n"));
    let mut lagged = Vec::new();
    read_all(&mut stalled, &mut lagged);
    assert!(
        !text(&lagged).contains("event number 0\n"),
        "{}",
        text(&lagged)
    );
}

/// Frames are compressed by the thread that comes first, while others join and leave.
#[test]
fn threads_share_compressed_frames() {
    const EVENTS: usize = 300;
    let settings = Compression::new().segment_bytes(500);
    let hub = Hub::builder().compression(settings).build();
    let read = |at: usize| {
        let mut rng = Rng::new(at as u64);
        let mut streams: Vec<_> = (0..6).map(|_| None).collect();
        loop {
            let stream = streams.get_mut(rng.below(6)).unwrap();
            let (reader, read) = stream.get_or_insert_with(|| {
                let start = Start::Last(rng.below(5));
                let body = hub.subscriber().start(start).subscribe();
                (body.ok().map(Reader::gzip), Vec::new())
            });
            let Some(reader) = reader else { break };
            let open = read_all(reader, read);
            let events = text(read)
                .lines()
                .filter_map(|line| line.strip_prefix("data: "));
            let numbers: Vec<usize> = events.map(|number| number.parse().unwrap()).collect();
            assert!(
                numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
                "{numbers:?}"
            );
            if !open {
                // One that came between the last event and the close has none.
                assert!(numbers.last().is_none_or(|last| *last == EVENTS - 1));
                break;
            }
            if rng.one_in(50) {
                *stream = None;
            }
        }
    };
    std::thread::scope(|scope| {
        for at in 0..4 {
            scope.spawn(move || read(at));
        }
        for number in 0..EVENTS {
            hub.publish(Event::new(number.to_string()));
            std::thread::yield_now();
        }
        hub.close();
    });
}
