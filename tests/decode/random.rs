//! Seeded random streams, cut at random, against the oracle.

use crate::heard::{check, check_limited};
use crate::support::limited::{ERROR, Limits, rewrite};
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

const NAMES: &[&str] = &[
    "data", "data", "data", "id", "id", "event", "retry", "", "", "x", "dat",
];

const VALUES: &[&[u8]] = &[
    b"1",
    b"2",
    b"3",
    b"40",
    b"500",
    b"x",
    b"xy",
    b"",
    b" ",
    b"\0",
    b"\xFF",
    b"\xC3\xB6",
];

/// A line of a kind that matters.
fn line(rng: &mut Rng) -> Vec<u8> {
    if rng.one_in(300) {
        // About as long as an ID may be, before and after U+FFFD.
        let len = rng.pick(&[1_365, 4_096]) + rng.below(4);
        return [&b"id: "[..], &vec![*rng.pick(b"7\xFF"); len]].concat();
    }
    let (name, value) = (*rng.pick(NAMES), *rng.pick(VALUES));
    match rng.below(5) {
        0 if !name.is_empty() => name.into(),
        1 => [name.as_bytes(), b":", value].concat(),
        _ => [name.as_bytes(), b": ", value].concat(),
    }
}

/// About as many lines of data as a decoder keeps the positions of, with others between them.
fn many_lines(rng: &mut Rng) -> Vec<Vec<u8>> {
    let count = 55 + rng.below(20);
    let data = |rng: &mut Rng| [b"data: ", *rng.pick(VALUES)].concat();
    (0..count)
        .map(|_| if rng.one_in(20) { line(rng) } else { data(rng) })
        .collect()
}

/// Whole blocks, most of which are short and many of which have no data.
pub(crate) fn blocks(rng: &mut Rng) -> Vec<u8> {
    let ends: &[&str] = match rng.below(3) {
        0 => &["\n", "\r", "\r\n"],
        _ => &["\n"],
    };
    let mut stream = Vec::new();
    for _ in 0..rng.below(12) {
        let lines: Vec<Vec<u8>> = match rng.below(5) {
            0 => vec![b"id: 7".into()],
            1 => vec![b"id: 8".into(), b"data: a".into()],
            2 => vec![b"data: a".into()],
            3 if rng.one_in(10) => many_lines(rng),
            _ => (0..1 + rng.below(4)).map(|_| line(rng)).collect(),
        };
        for line in lines {
            stream.extend_from_slice(&line);
            stream.extend_from_slice(rng.pick(ends).as_bytes());
        }
        stream.extend_from_slice(rng.pick(ends).as_bytes());
    }
    if rng.one_in(4) {
        stream.extend_from_slice(&line(rng));
    }
    stream
}

/// Cut so that chunks end where lines and blocks end, at some places or at all.
pub(crate) fn at_ends(rng: &mut Rng, stream: &[u8]) -> Vec<bytes::Bytes> {
    let bits: Vec<u8> = (0..rng.below(6))
        .map(|_| rng.next().to_le_bytes()[0])
        .collect();
    chunks::at_ends(&bits, stream)
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

#[test]
fn blocks_cut_where_lines_end_agree_with_the_oracle() {
    let mut events = 0;
    for seed in 0..10_000 {
        let mut rng = Rng::new(seed);
        let stream = blocks(&mut rng);
        let wanted = interpret(&stream);
        events += wanted.events.len();
        check(&wanted, &chunks::of(stream.len().max(1), &stream));
        check(&wanted, &at_ends(&mut rng, &stream));
        let most = 1 + rng.below(10);
        check(&wanted, &chunks::random(&mut rng, most, &stream));
    }
    assert!(events > 10_000, "only {events} events");
}

fn below(rng: &mut Rng, ends: &[usize]) -> usize {
    let end = *rng.pick(ends);
    rng.below(end)
}

#[test]
fn limits_agree_with_the_model() {
    let (mut events, mut errors) = (0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::new(seed);
        let stream = if rng.one_in(3) {
            let tokens = rng.below(60);
            stream(&mut rng, tokens)
        } else {
            blocks(&mut rng)
        };
        let limits = Limits {
            max_line: below(&mut rng, &[10, 30, 5_000]),
            max_event: below(&mut rng, &[10, 30, 100, 5_000]),
        };
        for chunks in [
            chunks::of(stream.len().max(1), &stream),
            chunks::of(1, &stream),
            at_ends(&mut rng, &stream),
            chunks::random(&mut rng, 10, &stream),
        ] {
            let heard = check_limited(limits, &stream, &chunks);
            let is_error = |event: &&crate::support::oracle::Message| event.event_type == ERROR;
            errors += heard.events.iter().filter(is_error).count();
            events += heard.events.len();
        }
    }
    assert!(errors > 10_000, "only {errors} errors");
    assert!(events > errors + 10_000, "only {events} events");
}

#[test]
fn the_model_without_limits_is_the_oracle() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let stream = stream(&mut rng, 60);
        assert_eq!(
            interpret(&rewrite(Limits::NONE, &stream)),
            interpret(&stream)
        );
    }
}
