//! smol's executor and timers.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt;
use tower_sse::client::{Reconnect, SourceEvent};
use tower_sse::{Event, EventId, EventSource, KeepAlive, MaxAge, SseBody};

use crate::script::{Script, request, send, stream};
use crate::support::bodies::{Polled, Script as Events, Wakes, poll};

#[test]
fn no_runtime_is_needed_but_a_timer() {
    let script = {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let _guard = runtime.enter();
        Script::new([
            stream([send("id: 7\ndata: a\n\n")]),
            stream([send("data: b\n\n")]),
        ])
    };
    let mut source = EventSource::with_timer(script.clone(), request(), smol::Timer::after)
        .reconnect_when(Reconnect::Always)
        .initial_reconnection_time(std::time::Duration::from_millis(1))
        .resume_after(EventId::from(6u64));
    let data = smol::block_on(async {
        let mut data = Vec::new();
        while let Some(event) = source.next().await {
            if let SourceEvent::Message(event) = event {
                data.push(event.data().to_owned());
            }
        }
        data
    });
    assert_eq!(data, ["a", "b"]);
    assert_eq!(
        script.last_event_ids()[..2],
        [Some("6".into()), Some("7".into())]
    );
}

/// The longest time is out of the range of smol's clock.
#[test]
fn its_clock_takes_the_longest_times() {
    let (_, waker) = Wakes::new();
    let events = Events::<Result<Event, Infallible>>::new([]);
    let body = SseBody::with_timer(events, smol::Timer::after)
        .keep_alive(KeepAlive::new().interval(Duration::MAX))
        .max_age(MaxAge::new(Duration::MAX).spread(Duration::MAX));
    let mut body = Box::pin(body);
    poll(&mut body, &waker).data();
    assert_eq!(poll(&mut body, &waker), Polled::Pending);
}
