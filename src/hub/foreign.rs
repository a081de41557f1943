//! A hub on an outer log: the IDs of its events, and where a subscription begins.
//!
//! An event's ID is its key in the outer log, as Redis writes it.

use super::core::{Begin, Last, State};
use super::outcome::Outcome;
use super::past::{From, PastReader};
use super::shared::Shared;
use crate::protocol::{Event, EventId};

/// Milliseconds and a count, 64 bits each, in decimal.
pub(super) fn id_of(key: u128) -> EventId {
    let mut text = [0; 41];
    let (mut ms, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let parts = [
        ms.format(key >> 64),
        "-",
        count.format(key & u128::from(u64::MAX)),
    ];
    let mut len = 0;
    for part in parts {
        text[len..len + part.len()].copy_from_slice(part.as_bytes());
        len += part.len();
    }
    EventId::copy_checked(&text[..len])
}

/// Returns the key of an ID, which has to be written exactly like those of [`id_of`].
pub(super) fn key_of(id: &str) -> Option<u128> {
    let number = |digits: &str| {
        let canonical = digits == "0" || !digits.starts_with(['0', '+']);
        canonical.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let (ms, count) = id.split_once('-')?;
    Some(u128::from(number(ms)?) << 64 | u128::from(number(count)?))
}

impl Shared {
    /// Returns where in the outer log a subscription begins, if the ring does not have everything
    /// that it needs.
    pub(super) fn past_from(
        &self,
        state: &mut State,
        begin: &Begin,
        outcome: &mut Outcome,
    ) -> Option<From> {
        self.past()?;
        let from = From::new(state, begin, outcome.is_lossy())?;
        if outcome.is_lossy() {
            state.defer_gap();
        }
        if !matches!(begin.last(), Last::Nothing) {
            *outcome = Outcome::Pending;
        }
        Some(from)
    }

    /// Creates a reader that begins there.
    pub(super) fn past_reader(
        &self,
        from: Option<From>,
        first: Option<Event>,
    ) -> Option<PastReader> {
        let past = std::sync::Arc::clone(self.past()?);
        Some(PastReader::new(past, from?, first))
    }
}

#[cfg(test)]
impl super::builder::HubBuilder {
    /// Creates a hub on an outer log, whose ring begins after this key.
    pub(super) fn after_key(mut self, key: u128) -> Self {
        *self.foreign() = Some(key);
        self
    }
}

#[cfg(test)]
impl super::hub::Hub {
    pub(super) fn append(
        &self,
        topic: &str,
        event: &Event,
        key: u128,
    ) -> Result<EventId, super::core::KeyOrder> {
        let id = id_of(key);
        let draft = super::core::Draft::with_number(event.encode_as(Some(&id)), 0, None);
        self.shared()
            .with(|state, wakes| state.append(topic, draft, key, wakes))
            .map(|_| id)
    }

    pub(super) fn cut(&self, key: u128) {
        self.shared().change(|state, wakes| state.cut(key, wakes));
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use http_body::Body;

    use crate::body::SealedSource;

    use super::*;
    use crate::hub::{Hub, LagPolicy, Subscription};

    #[test]
    fn ids_are_their_keys_and_nothing_else_is() {
        for key in [0, 1, 1 << 64, (7 << 64) + 3, u128::MAX] {
            assert_eq!(key_of(id_of(key).as_str()), Some(key));
        }
        assert_eq!(
            id_of((1_700_000_000_000 << 64) + 12).as_str(),
            "1700000000000-12"
        );
        for other in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "+1-0",
            "01-0",
            "1-00",
            "1-0-0",
            "1-0 ",
            " 1-0",
            "a-0",
            "18446744073709551616-0",
            "0-18446744073709551616",
            "१-0",
            "1--0",
        ] {
            assert_eq!(key_of(other), None, "{other:?}");
        }
    }

    const TOPICS: [&str; 3] = ["a", "b", "b/1"];

    struct Client {
        topics: Vec<&'static str>,
        prefix: bool,
        /// The last ID it was sent, as a key.
        last: u128,
        /// Up to where it knows that something may be missing: it has been told of a gap.
        told: u128,
        body: Option<Subscription>,
    }

    impl Client {
        fn follows(&self, topic: &str) -> bool {
            self.topics.contains(&topic) || (self.prefix && topic.starts_with('b'))
        }

        fn connect(&mut self, hub: &Hub, last: &str) -> Outcome {
            let mut subscriber = hub.subscriber().topics(self.topics.iter().copied());
            if self.prefix {
                subscriber = subscriber.prefix("b");
            }
            let last = EventId::try_from(last).unwrap();
            let body = subscriber.after(last).subscribe().unwrap();
            let outcome = body.outcome();
            self.told = 0;
            self.body = Some(body);
            outcome
        }

        /// All that is ready, against all that there ever was.
        fn read(&mut self, log: &[(u128, &'static str)]) -> usize {
            let mut events = 0;
            let mut cx = Context::from_waker(Waker::noop());
            while let Some(body) = &mut self.body {
                let frame = match Pin::new(body).poll_frame(&mut cx) {
                    Poll::Pending => {
                        let missing = self.between(log, self.last, u128::MAX).next();
                        assert!(missing.is_none(), "{missing:?} is never sent");
                        break;
                    }
                    Poll::Ready(None) => {
                        self.body = None;
                        break;
                    }
                    Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
                    Poll::Ready(Some(Err(never))) => match never {},
                };
                let text = std::str::from_utf8(&frame).unwrap();
                for block in text.split_terminator("\n\n") {
                    let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
                    let key = key_of(field("id: ").unwrap()).unwrap();
                    let is_gap = block.starts_with("event: gap");
                    let is_event = !is_gap && block.contains("data: ");
                    if is_gap {
                        self.told = log.last().map_or(0, |(key, _)| *key);
                    }
                    if is_event {
                        events += 1;
                        let topic = field("data: ").unwrap();
                        assert!(log.contains(&(key, topic)) && self.follows(topic));
                        assert!(key > self.last, "twice, or out of order");
                    }
                    let missing = self.between(log, self.last, key).last();
                    assert!(missing <= Some(self.told), "lost in silence");
                    self.last = key;
                }
            }
            events
        }

        /// The events for it after a key and before another; the second one's too, if that is not
        /// an event.
        fn between<'a>(
            &'a self,
            log: &'a [(u128, &'static str)],
            after: u128,
            before: u128,
        ) -> impl Iterator<Item = u128> + 'a {
            let inside = log
                .iter()
                .filter(move |(key, _)| *key > after && *key < before);
            inside
                .filter(|(_, topic)| self.follows(topic))
                .map(|(key, _)| *key)
        }
    }

    fn run(mut random: impl FnMut(usize) -> usize) -> [usize; 2] {
        let lag = [LagPolicy::End, LagPolicy::Oldest, LagPolicy::Newest][random(3)];
        let begin = (random(3) as u128) << 64;
        let settings = Hub::builder().retain_events(1 + random(20)).lag(lag);
        let hub = settings.after_key(begin).build();
        let (mut log, mut last, mut start) = (Vec::new(), begin, begin);
        let mut clients: Vec<Client> = Vec::new();
        let (mut events, mut places) = (0, 0);
        for _ in 0..300 {
            match random(12) {
                0 if random(8) == 0 => {
                    // What has been trimmed was never here.
                    for _ in 0..random(3) {
                        last += 1 + random(9) as u128;
                        log.push((last, TOPICS[random(3)]));
                    }
                    hub.cut(last);
                    start = last;
                    for client in &mut clients {
                        events += client.read(&log);
                        assert!(client.body.is_none(), "cut, and not ended");
                    }
                }
                1 => {
                    let event = Event::new("never");
                    let key = last.saturating_sub(random(3) as u128);
                    let error = hub.append("a", &event, key).unwrap_err();
                    assert!(error.to_string().contains("is not after"));
                }
                2 if clients.len() < 5 => clients.push(Client {
                    topics: TOPICS[..random(3)].to_vec(),
                    prefix: random(2) == 0,
                    last: begin,
                    told: 0,
                    body: None,
                }),
                3 | 4 if !clients.is_empty() => {
                    let at = random(clients.len());
                    let client = &mut clients[at];
                    client.body = None;
                    let key = match random(4) {
                        0 => last + 1 + random(5) as u128,
                        1 => last.saturating_sub(random(200) as u128),
                        2 if !log.is_empty() => log[random(log.len())].0,
                        _ => client.last,
                    };
                    client.last = key;
                    let outcome = client.connect(&hub, id_of(key).as_str());
                    if key > last {
                        // It is ahead of this node, which knows nothing of that place.
                        assert_eq!(outcome, Outcome::Unknown);
                        client.last = begin;
                    }
                    let known = key == start || log.iter().any(|(one, _)| *one == key);
                    if key < start || !known {
                        assert_eq!(outcome, Outcome::Unknown, "{key} {start}");
                    }
                    if key == last {
                        assert_eq!(outcome, Outcome::Resumed(0));
                    }
                    if outcome == Outcome::Unknown {
                        client.told = u128::MAX;
                        client.last = client.last.min(last);
                    }
                }
                5 if !clients.is_empty() => {
                    // As a heartbeat does.
                    let at = random(clients.len());
                    let client = &mut clients[at];
                    if let Some(place) =
                        client.body.as_mut().and_then(|body| Pin::new(body).place())
                    {
                        let text = String::from_utf8(place.into_bytes().into()).unwrap();
                        let id = text.strip_prefix("id: ").unwrap().trim_end();
                        let key = key_of(id).unwrap();
                        let missed = client.between(&log, client.last, key + 1).last();
                        assert!(missed <= Some(client.told), "behind its place");
                        client.last = key;
                        places += 1;
                    }
                }
                6 => {
                    for client in &mut clients {
                        events += client.read(&log);
                    }
                }
                _ => {
                    last += 1 + random(9) as u128;
                    let topic = TOPICS[random(3)];
                    let id = hub.append(topic, &Event::new(topic), last).unwrap();
                    assert_eq!(key_of(id.as_str()), Some(last));
                    log.push((last, topic));
                }
            }
        }
        [events, places]
    }

    #[test]
    fn nothing_is_lost_in_silence_and_nothing_comes_twice() {
        crate::sync::run(|| {
            let mut sums = [0; 2];
            for seed in 0..200u64 {
                let mut state = seed;
                let counts = run(|below| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(seed | 1);
                    usize::try_from((state >> 33) % below as u64).unwrap()
                });
                sums = [sums[0] + counts[0], sums[1] + counts[1]];
            }
            assert!(sums[0] > 200 * 50 && sums[1] > 200, "{sums:?}");
        });
    }
}
