use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzDecoder;

use super::{Follower, Packed, Span, Track, Tracks};
use crate::compression::handover::Offer;
use crate::compression::{Compression, gzip};
use crate::protocol::{Block, Data, Event};

fn tracks(bytes: u32, max_contexts: usize) -> Arc<Tracks> {
    let settings = Compression::new()
        .segment_bytes(bytes)
        .segment_time(Duration::MAX)
        .max_contexts(max_contexts);
    Arc::new(Tracks::new(settings))
}

/// A connection, and what its client has decoded.
struct Client {
    follower: Follower,
    decoder: GzDecoder<Vec<u8>>,
    sent: Vec<u8>,
    wire: usize,
}

impl Client {
    fn new() -> Self {
        Self {
            follower: Follower::default(),
            decoder: GzDecoder::new(Vec::new()),
            sent: Vec::new(),
            wire: 0,
        }
    }

    /// Sends a chunk of a body. The client can read all of it at once. Returns the number of bytes
    /// on the wire.
    fn send(&mut self, chunk: &Bytes, end: bool) -> usize {
        self.sent.extend_from_slice(chunk);
        let (mut rest, before) = (chunk.clone(), self.wire);
        let mut last = Bytes::new();
        while !rest.is_empty() || end {
            let encoded = self.follower.next(&mut rest, end).unwrap();
            self.wire += encoded.len();
            self.decoder.write_all(&encoded).unwrap();
            last = encoded;
            if end && rest.is_empty() {
                break;
            }
        }
        self.decoder.flush().unwrap();
        assert!(end || chunk.is_empty() || last.ends_with(&gzip::SYNC[1..]));
        assert_eq!(self.decoder.get_ref().len(), self.sent.len());
        assert!(self.decoder.get_ref().ends_with(chunk));
        self.wire - before
    }

    fn take(&mut self, frame: &Arc<Packed>, block: &Block) -> usize {
        self.follower.offered(Offer::Frame(Arc::clone(frame)));
        let chunks = block.clone().into_chunks();
        chunks.map(|chunk| self.send(&chunk, false)).sum()
    }

    /// Ends the stream, and checks the trailer.
    fn end(mut self) {
        self.send(&Bytes::new(), true);
        assert_eq!(self.decoder.finish().unwrap(), self.sent);
    }
}

/// A group's log, and the frames that its subscribers share.
struct GroupLog {
    track: Arc<Track>,
    events: Vec<Block>,
    subscribers: usize,
    frames: HashMap<(usize, usize), (Arc<Packed>, Block)>,
}

impl GroupLog {
    fn new(tracks: &Arc<Tracks>, subscribers: usize) -> Self {
        Self {
            track: Track::new(Arc::clone(tracks)),
            events: Vec::new(),
            subscribers,
            frames: HashMap::new(),
        }
    }

    fn publish(&mut self, text: &str) {
        let event = Event::new(format!(
            "{{\"number\":{},\"text\":\"{text}\"}}",
            self.events.len()
        ));
        self.events.push(event.encode());
    }

    fn frame(&mut self, from: usize, to: usize) -> &(Arc<Packed>, Block) {
        let span = Span {
            from: from as u64,
            to: to as u64,
            subscribers: self.subscribers,
        };
        self.frames.entry((from, to)).or_insert_with(|| {
            let block = match &self.events[from..to] {
                [only] => only.clone(),
                events => {
                    Block::write(|out| events.iter().for_each(|event| out.push(event.clone())))
                }
            };
            let packed = Packed::new(block.parts(), span, Arc::clone(&self.track));
            (Arc::new(packed), block)
        })
    }

    /// Sends the newest event.
    fn deliver(&mut self, client: &mut Client) -> usize {
        let end = self.events.len();
        let (frame, block) = self.frame(end - 1, end);
        client.take(frame, block)
    }
}

#[test]
fn subscribers_in_step_share_the_same_bytes() {
    let mut log = GroupLog::new(&tracks(u32::MAX, 1), 3);
    let mut clients = [Client::new(), Client::new(), Client::new()];
    for _ in 0..100 {
        log.publish("a goal for the home side");
        for client in &mut clients {
            log.deliver(client);
        }
    }
    let [one, other, _] = &clients;
    assert_eq!(one.wire, other.wire);
    // The numbers, and five bytes of a flush.
    assert!(
        one.wire < one.sent.len() / 4,
        "{} of {}",
        one.wire,
        one.sent.len()
    );
    clients.into_iter().for_each(Client::end);
}

#[test]
fn a_subscriber_out_of_step_joins_the_next_segment() {
    let mut log = GroupLog::new(&tracks(2_000, 1), 10);
    let mut clients: Vec<Client> = (0..9).map(|_| Client::new()).collect();
    let publish = |log: &mut GroupLog, clients: &mut [Client]| {
        log.publish("a goal for the home side");
        clients
            .iter_mut()
            .map(|client| log.deliver(client))
            .last()
            .unwrap()
    };
    for _ in 0..100 {
        publish(&mut log, &mut clients);
    }
    // Nobody waited, so the segment is longer than 2,000 bytes. It ends soon now.
    let mut late = Client::new();
    let large = publish(&mut log, &mut clients);
    assert_eq!(log.deliver(&mut late), 10 + 5 + log.events[0].len() + 2 + 5);
    publish(&mut log, &mut clients);
    let sizes = (log.deliver(&mut late), large);
    assert!(sizes.0 < 65 && sizes.1 < 25, "a new segment: {sizes:?}");
    // It stays in step until it sends something of its own.
    assert_eq!(publish(&mut log, &mut clients), log.deliver(&mut late));
    assert_eq!(late.send(&Bytes::from_static(b":\n"), false), 12);
    publish(&mut log, &mut clients);
    assert!(log.deliver(&mut late) > log.events[0].len());
    late.end();
}

/// The sizes of these events as one segment of this level.
fn segment(level: u32, events: &[Block]) -> Vec<usize> {
    let level = flate2::Compression::new(level);
    let mut context = flate2::Compress::new_with_window_bits(level, false, 15);
    let mut size = |event: &Block| {
        let (plain, mut piece) = (event.clone().into_bytes(), Vec::with_capacity(1_000));
        let flush = flate2::FlushCompress::Sync;
        context.compress_vec(&plain, &mut piece, flush).unwrap();
        piece.len()
    };
    events.iter().map(&mut size).collect()
}

#[test]
fn a_segment_has_the_level_for_its_subscribers() {
    let deliver = |settings: Compression, subscribers: &[usize]| {
        let settings = settings.segment_time(Duration::MAX);
        let mut log = GroupLog::new(&Arc::new(Tracks::new(settings)), 1);
        let mut client = Client::new();
        let mut sizes = Vec::new();
        for subscribers in subscribers {
            log.subscribers = *subscribers;
            for _ in 0..20 {
                log.publish("a goal for the home side, and one for the guests");
                sizes.push(log.deliver(&mut client));
            }
        }
        client.end();
        sizes[0] -= gzip::HEADER.len();
        (log.events, sizes)
    };
    let long = Compression::new().segment_bytes(u32::MAX);
    let short = Compression::new().segment_bytes(500);
    let (events, alone) = deliver(long.clone(), &[1]);
    assert_eq!(alone, segment(1, &events));
    let (events, shared) = deliver(long.clone(), &[2]);
    assert_eq!(shared, segment(6, &events));
    assert_ne!(alone, shared);

    // A segment keeps its level to its end, however many subscribers there are then.
    let (events, lonely) = deliver(long, &[2, 1]);
    assert_eq!(lonely, segment(6, &events));
    let (events, ended) = deliver(short.clone(), &[2, 1, 1]);
    assert_eq!(ended[..20], segment(6, &events[..20]));
    assert_eq!(ended[20..], segment(1, &events[20..]));

    // A level that is set is not changed, so that no segment ends.
    for level in [1, 6] {
        let (events, fixed) = deliver(short.clone().level(level), &[1, 2, 1]);
        assert_eq!(fixed, segment(level.into(), &events));
    }
}

#[test]
fn large_payloads_are_shared_in_parts() {
    let mut log = GroupLog::new(&tracks(u32::MAX, 1), 2);
    let mut clients = [Client::new(), Client::new()];
    for size in [1, 20_000, 65_535, 200_000, 1] {
        let text = "0123456789abcdef".repeat(size / 16 + 1);
        let data = Data::try_from(Bytes::from(text)).unwrap();
        log.events.push(Event::new(data).encode());
        let [one, other] = clients.each_mut().map(|client| log.deliver(client));
        assert!(one < 100 + size / 50, "{one} of {size}");
        assert_eq!(one, other);
    }
    clients.into_iter().for_each(Client::end);
}

#[test]
fn contexts_are_bounded_and_move_to_the_tracks_in_use() {
    let tracks = tracks(u32::MAX, 2);
    let mut logs: Vec<GroupLog> = (0..3).map(|_| GroupLog::new(&tracks, 1)).collect();
    let mut clients: Vec<Client> = logs.iter().map(|_| Client::new()).collect();
    let mut publish = |at: usize| {
        logs[at].publish("short");
        logs[at].deliver(&mut clients[at]) < logs[at].events[0].len()
    };
    for _ in 0..50 {
        publish(0);
        publish(1);
        assert!(!publish(2), "there are two contexts, and both are in use");
    }
    assert!(publish(0) && publish(1));
    // The second falls silent.
    let gained = (0..50).position(|_| publish(0) & publish(2));
    assert!(gained.is_some_and(|rounds| rounds > 4), "{gained:?}");
    clients.into_iter().for_each(Client::end);
}

/// What subscribers get in any order that a hub could hand it out, and more.
#[test]
fn any_order_decodes_to_what_was_sent() {
    for seed in 1..=50 {
        random(seed);
    }
}

fn random(seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut dice = move |sides: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from((state >> 33) % sides).unwrap()
    };
    let tracks = tracks([0, 300, u32::MAX][dice(3)], dice(3));
    let mut logs: Vec<GroupLog> = (0..=dice(3))
        .map(|_| GroupLog::new(&tracks, 1 + dice(5)))
        .collect();
    let mut clients: Vec<(Client, usize, usize)> = Vec::new();
    for _ in 0..300 {
        let at = dice(logs.len() as u64);
        match dice(40) {
            0..=10 => logs[at].publish(["goal", "a much longer text than that"][dice(2)]),
            11 => {
                let text = "large ".repeat(dice(30_000));
                let data = Data::try_from(Bytes::from(text)).unwrap();
                logs[at].events.push(Event::new(data).encode());
            }
            12..=15 if clients.len() < 6 => {
                let from = dice(logs[at].events.len() as u64 + 1);
                clients.push((Client::new(), at, from));
            }
            16..=19 if !clients.is_empty() => {
                let which = dice(clients.len() as u64);
                let (client, _, _) = &mut clients[which];
                match dice(4) {
                    0 => clients.swap_remove(which).0.end(),
                    // A move to another topic, a gap, or a replay.
                    1 => (clients[which].1, clients[which].2) = (at, dice(2)),
                    _ => _ = client.send(&Bytes::from_static(b":\n"), false),
                }
            }
            _ if !clients.is_empty() => {
                let which = dice(clients.len() as u64);
                let (client, log, place) = &mut clients[which];
                let pending = logs[*log].events.len().saturating_sub(*place);
                if pending > 0 {
                    let merged = [1, 1 + dice(pending as u64)][dice(2)];
                    let (frame, block) = logs[*log].frame(*place, *place + merged);
                    *place += merged;
                    client.take(frame, block);
                }
            }
            _ => {}
        }
    }
    clients.into_iter().for_each(|(client, _, _)| client.end());
}
