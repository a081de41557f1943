//! Seeded random streams, cut at random, against the oracle.

use crate::heard::check;
use crate::support::oracle::interpret;
use crate::support::{chunks, rng::Rng};

const TOKENS: &[&[u8]] = &[
    b"\ndata: x\n",
    b"\ndata:",
    b"\nid: ",
    b"\nevent:",
    b"\n:",
    b"data",
    b"data",
    b"data:",
    b"data: ",
    b"event",
    b"event: ",
    b"id",
    b"id: ",
    b"id:",
    b"retry: ",
    b"retry:",
    b":",
    b": ",
    b" ",
    b"\n",
    b"\n",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\r\r",
    b"x",
    b"7",
    b"42",
    b"\0",
    b"\xEF",
    b"\xBB",
    b"\xBF",
    b"\xEF\xBB\xBF",
    b"\xC3\xB6",
    b"\xF0\x9F\xA6\x80",
    b"\xF0\x9F",
    b"\xE2\x82",
    b"\x80",
    b"\xFF",
    b"message",
    b"a longer value, as they are met in streams of this kind, with more in it",
];

fn stream(rng: &mut Rng, tokens: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    if rng.one_in(4) {
        stream.extend_from_slice(b"\xEF\xBB\xBF");
    }
    for _ in 0..tokens {
        let token: &&[u8] = rng.pick(TOKENS);
        stream.extend_from_slice(token);
        if rng.one_in(500) {
            let len = rng.below(20_000);
            stream.resize(stream.len() + len, b'y');
        }
    }
    stream
}

#[test]
fn agrees_with_the_oracle() {
    let mut events = 0;
    for seed in 0..6_000 {
        let mut rng = Rng::new(seed);
        let tokens = rng.below(120);
        let stream = stream(&mut rng, tokens);
        let wanted = interpret(&stream);
        events += wanted.events.len();
        let most = 1 + rng.below(40);
        check(&wanted, &chunks::of(stream.len().max(1), &stream));
        check(&wanted, &chunks::random(&mut rng, most, &stream));
    }
    assert!(events > 10_000, "only {events} events");
}
