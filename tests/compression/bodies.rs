//! Bodies with a context of their own, polled by hand.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tower_sse::compression::{CompressedBody, Compression, Encoding};

use crate::support::bodies::{Polled, Script, ScriptBody, Wakes, poll, trailers};
use crate::support::gunzip::Gunzip;
use crate::support::rng::Rng;

fn gzip<B>(body: B) -> Pin<Box<CompressedBody<B>>> {
    gzip_with(body, &Compression::new())
}

fn gzip_with<B>(body: B, settings: &Compression) -> Pin<Box<CompressedBody<B>>> {
    Box::pin(CompressedBody::new(body, Encoding::Gzip, settings))
}

fn data(text: &str) -> Frame<Bytes> {
    Frame::data(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn each_frame_can_be_read_at_once() {
    let script = Script::new([]);
    let mut body = gzip(ScriptBody(script.clone()));
    let (wakes, waker) = Wakes::new();
    let (mut decoder, mut expected) = (Gunzip::new(), String::new());
    let long = "data: long\n".repeat(3_000) + "\n";
    for text in [":\n", "data: x\n\n", "data: x\n\n", &long, "d", "\n"] {
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
        let woken = wakes.count();
        script.push(data(text));
        assert_eq!(wakes.count(), woken + 1);
        expected.push_str(text);
        let frame = poll(&mut body, &waker).data();
        assert_eq!(decoder.read(&frame), expected.as_bytes());
        assert!(!body.is_end_stream());
    }
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    script.close();
    let frame = poll(&mut body, &waker).data();
    assert_eq!(decoder.read(&frame), expected.as_bytes());
    assert!(decoder.is_complete());
    assert!(body.is_end_stream());
    assert_eq!(poll(&mut body, &waker), Polled::End);
}

/// Go's decoder returns what it has decoded only after an empty stored block.
#[test]
fn each_frame_ends_with_an_empty_stored_block() {
    let script = Script::new([]);
    let mut body = gzip(ScriptBody(script.clone()));
    let event = "event: price\ndata: {\"symbol\":\"ACME\",\"price\":574.5}\n\n";
    let mut sizes = Vec::new();
    for _ in 0..100 {
        script.push(data(event));
        let frame = poll(&mut body, Waker::noop()).data();
        assert!(frame.ends_with(&[0, 0, 0xff, 0xff]));
        sizes.push(frame.len());
    }
    // Beside it, a repeated event costs a few bytes.
    assert!(sizes[1..].iter().all(|size| *size <= 9), "{sizes:?}");
}

#[test]
fn the_last_frame_brings_the_trailer() {
    let script = Script::new([data("data: x\n\n"), data("data: y\n\n")]);
    script.close();
    let mut body = gzip(ScriptBody(script));
    let mut decoder = Gunzip::new();
    decoder.read(&poll(&mut body, Waker::noop()).data());
    assert!(!decoder.is_complete() && !body.is_end_stream());
    decoder.read(&poll(&mut body, Waker::noop()).data());
    assert!(decoder.is_complete() && body.is_end_stream());
    assert_eq!(decoder.text(), b"data: x\n\ndata: y\n\n");
    assert_eq!(poll(&mut body, Waker::noop()), Polled::End);
}

/// An empty response would not be a gzip stream.
#[test]
fn an_empty_body_is_a_complete_stream() {
    let script = Script::new([]);
    script.close();
    let mut body = gzip(ScriptBody(script));
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().upper(), None);
    let mut decoder = Gunzip::new();
    assert_eq!(decoder.read(&poll(&mut body, Waker::noop()).data()), b"");
    assert!(decoder.is_complete() && body.is_end_stream());
    assert_eq!(poll(&mut body, Waker::noop()), Polled::End);
}

#[test]
fn trailers_follow_the_gzip_trailer() {
    let script = Script::new([data("data: x\n\n"), trailers("digest", "abc")]);
    let mut body = gzip(ScriptBody(script));
    let mut decoder = Gunzip::new();
    decoder.read(&poll(&mut body, Waker::noop()).data());
    assert!(!decoder.is_complete());
    decoder.read(&poll(&mut body, Waker::noop()).data());
    assert!(decoder.is_complete());
    assert!(!body.is_end_stream());
    let Polled::Trailers(trailers) = poll(&mut body, Waker::noop()) else {
        panic!("no trailers");
    };
    assert_eq!(trailers["digest"], "abc");
    assert!(body.is_end_stream());
    assert_eq!(poll(&mut body, Waker::noop()), Polled::End);
}

#[test]
fn identity_changes_nothing() {
    let script = Script::new([data("data: x\n\n"), data(""), trailers("digest", "abc")]);
    let body = CompressedBody::new(
        ScriptBody(script.clone()),
        Encoding::Identity,
        &Compression::new(),
    );
    let mut body = Box::pin(body);
    assert_eq!(body.size_hint().lower(), 9);
    assert_eq!(poll(&mut body, Waker::noop()).data(), "data: x\n\n");
    assert_eq!(poll(&mut body, Waker::noop()).data(), "");
    let polled = poll(&mut body, Waker::noop());
    assert!(matches!(polled, Polled::Trailers(_)));
    assert_eq!(poll(&mut body, Waker::noop()), Polled::Pending);
    script.close();
    assert!(body.is_end_stream());
    assert_eq!(poll(&mut body, Waker::noop()), Polled::End);
}

/// A body as random as the contract allows: data in a type of its own, pauses, empty frames, an end
/// that `is_end_stream` tells or not, trailers, errors.
struct Random {
    frames: VecDeque<Step>,
    tells_end: bool,
    /// All data that it has given.
    given: Rc<RefCell<Vec<u8>>>,
}

enum Step {
    Pause,
    Data(Vec<u8>),
    Trailers,
    Error,
}

/// Two pieces, as `Buf` allows.
struct Halves(Vec<u8>, usize);

impl Buf for Halves {
    fn remaining(&self) -> usize {
        self.0.len() - self.1
    }

    fn chunk(&self) -> &[u8] {
        let middle = self.0.len() / 2;
        let end = if self.1 < middle {
            middle
        } else {
            self.0.len()
        };
        &self.0[self.1..end]
    }

    fn advance(&mut self, count: usize) {
        self.1 += count;
    }
}

impl Body for Random {
    type Data = Halves;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Halves>, &'static str>>> {
        Poll::Ready(match self.frames.pop_front() {
            None => None,
            Some(Step::Pause) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Data(data)) => {
                self.given.borrow_mut().extend_from_slice(&data);
                Some(Ok(Frame::data(Halves(data, 0))))
            }
            Some(Step::Trailers) => Some(Ok(Frame::trailers(HeaderMap::new()))),
            Some(Step::Error) => Some(Err("gone")),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(7)
    }
}

fn random_data(rng: &mut Rng) -> Vec<u8> {
    let len = match rng.below(40) {
        0 => 0,
        1 => 60_000 + rng.below(150_000),
        2..5 => 4_000 + rng.below(200),
        _ => rng.below(300),
    };
    // Some of it is repetitive, some cannot be compressed.
    let kinds = [2, 20, 256][rng.below(3)];
    let byte = |_| u8::try_from(rng.below(kinds)).unwrap();
    (0..len).map(byte).collect()
}

#[test]
fn random_bodies_are_read_back_as_they_were() {
    let mut rng = Rng::new(7);
    let (mut ends, mut errors, mut drops) = (0, 0, 0);
    for _ in 0..300 {
        let mut frames = VecDeque::new();
        for _ in 0..rng.below(12) {
            frames.push_back(match rng.below(4) {
                0 => Step::Pause,
                _ => Step::Data(random_data(&mut rng)),
            });
        }
        let last = rng.below(4);
        match last {
            0 => frames.push_back(Step::Error),
            1 => frames.push_back(Step::Trailers),
            _ => {}
        }
        let settings = Compression::new()
            .level(u8::try_from(rng.below(12)).unwrap())
            .window_bits(u8::try_from(rng.below(20)).unwrap());
        let given = Rc::<RefCell<Vec<u8>>>::default();
        let body = Random {
            frames,
            tells_end: rng.one_in(2),
            given: Rc::clone(&given),
        };
        let mut body = gzip_with(body, &settings);
        let mut decoder = Gunzip::new();
        let mut polls_left = if rng.one_in(8) {
            rng.below(12)
        } else {
            usize::MAX
        };
        let end = loop {
            if polls_left == 0 {
                break Polled::Pending;
            }
            polls_left -= 1;
            assert!(!body.is_end_stream());
            assert_eq!(body.size_hint().upper(), None);
            match poll(&mut body, Waker::noop()) {
                Polled::Data(bytes) => {
                    read_in_parts(&mut decoder, &bytes, &mut rng);
                    assert!(given.borrow().starts_with(decoder.text()));
                }
                // Nothing that the body has given is left.
                Polled::Pending => assert_eq!(decoder.text(), *given.borrow()),
                end => break end,
            }
            if body.is_end_stream() {
                break Polled::End;
            }
        };
        if matches!(end, Polled::Pending) {
            drops += 1;
            continue;
        }
        assert_eq!(decoder.text(), *given.borrow());
        assert_eq!(decoder.is_complete(), last != 0);
        assert_eq!(matches!(end, Polled::Error(_)), last == 0);
        assert_eq!(matches!(end, Polled::Trailers(_)), last == 1);
        assert!(body.is_end_stream());
        assert_eq!(poll(&mut body, Waker::noop()), Polled::End);
        *if last == 0 { &mut errors } else { &mut ends } += 1;
    }
    assert!(
        ends > 150 && errors > 40 && drops > 10,
        "{ends} {errors} {drops}"
    );
}

/// As a network may deliver them.
fn read_in_parts(decoder: &mut Gunzip, mut bytes: &[u8], rng: &mut Rng) {
    while !bytes.is_empty() {
        let (now, later) = bytes.split_at(1 + rng.below(bytes.len().min(5_000)));
        decoder.read(now);
        bytes = later;
    }
}

/// Each byte for itself, over frames and the trailer.
#[test]
fn a_stream_that_arrives_byte_by_byte() {
    let frames = (0..50).map(|n| data(&format!("id: {n}\ndata: {{\"n\":{n}}}\n\n")));
    let script = Script::new(frames);
    script.close();
    let mut body = gzip(ScriptBody(script));
    let mut decoder = Gunzip::new();
    for n in 0..50 {
        for byte in poll(&mut body, Waker::noop()).data() {
            decoder.read(&[byte]);
        }
        let end = format!("data: {{\"n\":{n}}}\n\n");
        assert!(decoder.text().ends_with(end.as_bytes()));
    }
    assert!(decoder.is_complete());
}
