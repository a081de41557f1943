//! The oracle on the standard's own examples.

use crate::support::oracle::{interpret, interpret_from};

fn data(stream: &str) -> Vec<String> {
    let events = interpret(stream.as_bytes()).events;
    events.into_iter().map(|event| event.data).collect()
}

#[test]
fn examples_of_9_2_6() {
    assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);

    let blocks = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n";
    let heard = interpret(blocks.as_bytes());
    let events: Vec<_> = heard
        .events
        .iter()
        .map(|event| (&*event.data, &*event.last_event_id))
        .collect();
    assert_eq!(events, [("first event", "1"), ("second event", "")]);
    assert_eq!(heard.comments, [" test stream"]);

    assert_eq!(data("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
    assert_eq!(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
}

#[test]
fn what_outlives_a_block() {
    let heard = interpret_from(b"data: a\n\nid: 2\nretry: 5\n\nid: 3\nretry: 6\n", "1");
    assert_eq!(heard.events[0].last_event_id, "1");
    assert_eq!(heard.last_event_id, "2");
    assert_eq!(heard.reconnection_time, Some(6));
}
