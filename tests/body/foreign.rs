//! Heartbeats in streams that somebody else wrote.

use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tower_sse::body::KeepAliveBody;
use tower_sse::{Event, KeepAlive};

use crate::support::bodies::{Polled, Script, ScriptBody, Wakes, poll, trailers};
use crate::support::oracle::interpret;
use crate::support::rng::Rng;
use crate::support::timer::ManualTimer;

const INTERVAL: Duration = Duration::from_secs(15);

/// What comes out of a foreign stream in these chunks, with silence long enough for a heartbeat
/// after each, and how many heartbeats went in.
fn with_silences(chunks: &[Bytes], keep_alive: KeepAlive) -> (Vec<u8>, usize) {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let script = Script::new([]);
    let mut body = Box::pin(KeepAliveBody::with_timer(
        ScriptBody(script.clone()),
        keep_alive,
        timer.clone(),
    ));
    let (mut out, mut heartbeats) = (Vec::new(), 0);
    for chunk in chunks {
        script.push(Frame::data(chunk.clone()));
        assert_eq!(poll(&mut body, &waker).data(), chunk);
        out.extend_from_slice(chunk);
        for _ in 0..20 {
            while let Polled::Data(heartbeat) = poll(&mut body, &waker) {
                out.extend_from_slice(&heartbeat);
                heartbeats += 1;
            }
            timer.advance(INTERVAL / 8);
        }
    }
    script.close();
    assert_eq!(poll(&mut body, &waker), Polled::End);
    (out, heartbeats)
}

#[test]
fn nothing_changes_for_the_reader_whatever_the_stream_and_its_chunks() {
    const PIECES: &[&str] = &[
        "\u{feff}",
        "data: a",
        "data",
        "id: 7",
        "event: x",
        ": comment",
        "é",
        "\r",
        "\n",
        "\r\n",
        "\n\n",
        "\r\r",
        "\r\n\r\n",
        "retry: 10\n",
    ];
    let rng = &mut Rng::new(7);
    let mut heartbeats = 0;
    for round in 0..3_000 {
        let stream: String = (0..rng.below(20)).map(|_| *rng.pick(PIECES)).collect();
        let most = 1 + rng.below(10);
        let mut chunks = Vec::new();
        let mut rest = stream.as_bytes();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(1 + rng.below(most)));
            chunks.push(Bytes::copy_from_slice(chunk));
            rest = after;
        }
        // An event as heartbeat may stand between events only, and changes no other.
        let as_event = round % 2 == 0;
        let keep_alive = if as_event {
            KeepAlive::new().event(Event::new("<3"))
        } else {
            KeepAlive::new().text("alive")
        };
        let (out, sent) = with_silences(&chunks, keep_alive);
        heartbeats += sent;
        let (mut with, without) = (interpret(&out), interpret(stream.as_bytes()));
        with.events.retain(|event| event.data != "<3");
        with.comments
            .retain(|comment| !matches!(comment.as_str(), "" | " alive"));
        assert_eq!(with.events, without.events, "{stream:?} became {out:?}");
        assert_eq!(with.reconnection_time, without.reconnection_time);
        let comments: Vec<_> = without
            .comments
            .into_iter()
            .filter(|c| !c.is_empty())
            .collect();
        assert_eq!(with.comments, comments);
    }
    assert!(heartbeats > 1_000, "{heartbeats}");
}

#[test]
fn a_silent_stream_has_none_before_its_first_line() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let script = ScriptBody(Script::new([]));
    let mut body = Box::pin(KeepAliveBody::with_timer(
        script,
        KeepAlive::default(),
        timer.clone(),
    ));
    for _ in 0..4 {
        assert_eq!(poll(&mut body, &waker), Polled::Pending);
        timer.advance(INTERVAL);
    }
}

#[test]
fn trailers_pass_and_nothing_follows_them() {
    let (_, waker) = Wakes::new();
    let timer = ManualTimer::new();
    let script = Script::new([
        Frame::data(Bytes::from("data: x\n\n")),
        trailers("grpc-status", "0"),
    ]);
    let foreign = ScriptBody(script.clone());
    let mut body = Box::pin(KeepAliveBody::with_timer(
        foreign,
        KeepAlive::default(),
        timer.clone(),
    ));
    assert_eq!(body.size_hint().lower(), 9);
    assert_eq!(body.size_hint().upper(), None);
    assert_eq!(poll(&mut body, &waker).data(), "data: x\n\n");
    let Polled::Trailers(trailers) = poll(&mut body, &waker) else {
        panic!("no trailers")
    };
    assert_eq!(trailers["grpc-status"], "0");
    timer.advance(10 * INTERVAL);
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
    script.close();
    assert!(body.is_end_stream());
    assert_eq!(poll(&mut body, &waker), Polled::End);
}
