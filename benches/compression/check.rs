//! Reads what the contestants send, before anything is timed, and counts its bytes.

use flate2::{Decompress, FlushDecompress};

use crate::contestants::{self, Connection, IDENTITY};
use crate::payloads::Payload;

/// When the clients connect, and how many events there are.
const JOINS: [u64; 3] = [0, 77, 1_234];
const EVENTS: u64 = 4_000;

/// How many bytes an event takes on the wire, for each contestant.
pub(crate) type Wire = Vec<(&'static str, f64)>;

/// Compares what each of three clients has read after each event with the plain stream.
///
/// # Panics
///
/// If they differ.
pub(crate) fn check(payload: &Payload, events: u64) -> Wire {
    let mut plain: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut wire = Vec::new();
    for mut one in contestants::all() {
        let mut clients: Vec<Client> = Vec::new();
        let mut bytes = 0;
        for n in 0..events.min(EVENTS) {
            if JOINS.contains(&n) {
                clients.push(Client::new(one.connect(), one.name == IDENTITY));
            }
            one.publish((payload.data)(n));
            for (index, client) in clients.iter_mut().enumerate() {
                let read = client.read();
                // The prelude and the head of the stream are no part of an event.
                bytes += if index == 0 && n > 0 { read } else { 0 };
                if one.name == IDENTITY {
                    plain.resize(JOINS.len(), Vec::new());
                    plain[index].push(client.text.split_off(0));
                } else {
                    let expected = plain[index][client.events].as_slice();
                    assert!(client.text == expected, "{}: event {n}", one.name);
                    client.text.clear();
                }
                client.events += 1;
            }
        }
        let events = events.min(EVENTS).saturating_sub(1).max(1);
        wire.push((one.name, bytes as f64 / events as f64));
    }
    wire
}

struct Client {
    connection: Connection,
    /// `None` for the plain stream.
    decoder: Option<Decompress>,
    /// Since the last event.
    text: Vec<u8>,
    events: usize,
}

impl Client {
    fn new(connection: Connection, plain: bool) -> Self {
        Self {
            connection,
            decoder: (!plain).then(|| Decompress::new_gzip(15)),
            text: Vec::new(),
            events: 0,
        }
    }

    fn read(&mut self) -> usize {
        let Self {
            connection,
            decoder,
            text,
            ..
        } = self;
        connection.drain(|frame| match decoder {
            None => text.extend_from_slice(frame),
            Some(decoder) => decode(decoder, frame, text),
        })
    }
}

fn decode(decoder: &mut Decompress, mut bytes: &[u8], text: &mut Vec<u8>) {
    loop {
        text.reserve(4_096);
        let read = decoder.total_in();
        let flush = FlushDecompress::None;
        decoder
            .decompress_vec(bytes, text, flush)
            .expect("a gzip stream");
        let read = usize::try_from(decoder.total_in() - read).expect("a length");
        bytes = &bytes[read..];
        if bytes.is_empty() && text.len() < text.capacity() {
            return;
        }
    }
}
