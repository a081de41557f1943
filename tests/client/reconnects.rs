use std::time::Duration;

use crate::script::{Act, Answer, Script, all, send, stream};

/// How long it waited between the requests, in milliseconds; the connections take no time.
fn waits(script: &Script) -> Vec<u128> {
    let times = script.times();
    times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect()
}

#[track_caller]
fn assert_between(waits: &[u128], bounds: &[(u128, u128)]) {
    assert_eq!(waits.len(), bounds.len(), "{waits:?}");
    for (wait, (least, most)) in waits.iter().zip(bounds) {
        // tokio's clock ticks in milliseconds.
        assert!((*least..=most + 1).contains(wait), "{waits:?}");
    }
}

// Clauses: reconnection-time, jitter
#[tokio::test(start_paused = true)]
async fn after_the_time_and_some_jitter() {
    let script = Script::new((0..20).map(|_| stream([send("data: a\n\n"), Act::Break])));
    all(&mut script.source()).await;
    let waits = waits(&script);
    assert_between(&waits, &[(3_000, 6_000); 20]);
    let least = waits.iter().min().unwrap();
    assert!(waits.iter().any(|wait| wait > &(least + 100)), "{waits:?}");
}

// Clauses: reconnection-time, field-retry
#[tokio::test(start_paused = true)]
async fn any_block_may_set_the_time() {
    let script = Script::new([
        stream([send("retry: 10000\ndata: a\n\n")]),
        stream([send("data: b\n\n")]),
        stream([send("retry: 20000\n\n"), send("data: c\n\n")]),
        stream([send("retry: 100\ndata: d\n\n")]),
        stream([send("data: e\n\nretry: 200\n")]),
    ]);
    all(&mut script.source()).await;
    assert_between(
        &waits(&script),
        &[
            (10_000, 20_000),
            (10_000, 20_000),
            (20_000, 40_000),
            (100, 200),
            (200, 400),
        ],
    );
}

// Clauses: backoff
#[tokio::test(start_paused = true)]
async fn longer_while_connections_deliver_nothing() {
    let script = Script::new([
        Answer::Refuse,
        stream([]),
        stream([send(":\n\n"), Act::Break]),
        Answer::Refuse,
        Answer::Refuse,
        stream([send("data: a\n\n")]),
        // A clean end after heartbeats.
        stream([send(":\n\n"), send(":\n\n")]),
        Answer::Refuse,
    ]);
    let mut source = script
        .source()
        .initial_reconnection_time(Duration::from_secs(1))
        .max_backoff(Duration::from_secs(10));
    all(&mut source).await;
    assert_between(
        &waits(&script),
        &[
            (2_000, 4_000),
            (4_000, 8_000),
            (8_000, 16_000),
            (10_000, 20_000),
            (10_000, 20_000),
            (1_000, 2_000),
            (1_000, 2_000),
            (2_000, 4_000),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn never_in_a_tight_loop_and_never_before_the_server_wants() {
    let mut answers = vec![stream([send("retry: 0\n\ndata: a\n\n")])];
    answers.extend((0..3).map(|_| stream([])));
    answers.push(stream([send("retry: 40000\n\n")]));
    answers.extend((0..2).map(|_| Answer::Refuse));
    let script = Script::new(answers);
    all(&mut script.source()).await;
    assert_between(
        &waits(&script),
        &[
            (100, 200),
            (200, 400),
            (400, 800),
            (800, 1_600),
            (40_000, 80_000),
            (40_000, 80_000),
            (40_000, 80_000),
        ],
    );
}

// Clauses: reconnect
#[tokio::test(start_paused = true)]
async fn a_hundred_times() {
    let script = Script::new((0..100).map(|_| stream([])));
    let all = all(&mut script.source()).await;
    // Each opens and ends.
    assert_eq!(all.len(), 201);
    assert_eq!(script.times().len(), 101);
}
