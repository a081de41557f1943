use std::time::Duration;

use crate::script::{Act, Answer, Script, all, send, stream};

const TEN: Duration = Duration::from_secs(10);
const NINE: Duration = Duration::from_secs(9);

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_a_dead_one() {
    let script = Script::new([
        stream([
            send("data: a\n\n"),
            Act::Wait(NINE),
            send("d"),
            Act::Wait(NINE),
            send(":"),
            Act::Stall,
        ]),
        // No byte after the head either.
        stream([Act::Stall]),
        Answer::Hang,
    ]);
    let mut source = script
        .source()
        .idle_timeout(TEN)
        .initial_reconnection_time(Duration::ZERO)
        .max_backoff(Duration::ZERO);
    assert_eq!(
        all(&mut source).await,
        [
            "open 200 OK (open)",
            "message a (open)",
            "error: no data received for 10 s (connecting)",
            "open 200 OK (open)",
            "error: no data received for 10 s (connecting)",
            "error: no data received for 10 s (connecting)",
            "failed: the response is not an event stream: 204 No Content (closed)",
        ]
    );
    let seconds: Vec<_> = script.times().iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [0, 28, 38, 48]);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_it_alive() {
    let beats = (0..100).flat_map(|_| [Act::Wait(NINE), send(":\n")]);
    let script = Script::new([stream(beats)]);
    let all = all(&mut script.source().idle_timeout(TEN)).await;
    assert_eq!(all[1], "error: the event stream has ended (connecting)");
}

/// A frame may end one event and begin the next, so that no place is ever between two.
#[tokio::test(start_paused = true)]
async fn any_bytes_keep_it_alive_wherever_frames_end() {
    let text: &str =
        "id: 7\ndata: a\n\ndata: b\ndata: c\n\n:beat\n\nevent: x\nretry: 0\ndata: d\n\n"
            .repeat(4)
            .leak();
    for comments in [false, true] {
        for len in 1..text.len() {
            for first in [len, 1 + len / 2] {
                let (first, rest) = text.as_bytes().split_at(first);
                let frames = std::iter::once(first).chain(rest.chunks(len));
                let frames = frames.map(|frame| send(std::str::from_utf8(frame).unwrap()));
                let script = Script::new([stream(frames.flat_map(|act| [Act::Wait(NINE), act]))]);
                let mut source = script.source().idle_timeout(TEN);
                if comments {
                    source = source.comments();
                }
                let all = all(&mut source).await;
                let messages = all.iter().filter(|one| one.starts_with("message"));
                assert_eq!(messages.count(), 8, "{len}: {all:?}");
                assert!(
                    !all.iter().any(|one| one.contains("no data")),
                    "{len}: {all:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn empty_frames_do_not() {
    let frames = (0..100).flat_map(|_| [Act::Wait(NINE), send("")]);
    let script = Script::new([stream(frames)]);
    let all = all(&mut script.source().idle_timeout(TEN)).await;
    assert_eq!(all[1], "error: no data received for 10 s (connecting)");
}

#[tokio::test(start_paused = true)]
async fn without_one_it_waits_for_ever() {
    let day = Duration::from_secs(86_400);
    let script = Script::new([stream([Act::Wait(day), send("data: a\n\n")])]);
    let all = all(&mut script.source()).await;
    assert_eq!(all[1], "message a (open)");
}
