//! A match, as the tests of servers serve it.

use std::convert::Infallible;

use futures_util::Stream;
use tower_sse::{Event, LastEventId};

/// A match of ten events, from after the one that was seen last; then silence.
pub(crate) fn ticker(
    last: Option<&LastEventId>,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    use futures_util::{StreamExt, stream};

    let seen: u64 = last.map_or(0, |last| last.as_str().parse().unwrap_or(0));
    stream::iter(seen.saturating_add(1)..=10)
        .map(|n| Ok(Event::new(format!("minute {n}")).with_id(n)))
        .chain(stream::pending())
}

/// What a client reads of the ticker's events `from` to `to`.
pub(crate) fn minutes(from: u64, to: u64) -> String {
    (from..=to)
        .map(|n| format!("id: {n}\ndata: minute {n}\n\n"))
        .collect()
}
