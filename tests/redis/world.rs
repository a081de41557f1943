//! Nodes, clients and what they were sent, in one process.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_sse::Event;
use tower_sse::hub::{Hub, HubBuilder, PublishError, Redis};

use crate::rig::checker::{Report, Truth};
use crate::rig::feed::Feed;
use crate::rig::payload::Payload;
use crate::rig::resp::Value;
use crate::rig::server::{DEADLINE, Server};
use crate::rig::serving::serve;
use crate::rig::trace::{Key, Seen};

/// The stream of a test.
pub(crate) const KEY: &str = "log";

/// How long a client waits before it reconnects, on the real clock of the nodes' connections.
const RECONNECT: Duration = Duration::from_millis(10);

pub(crate) fn topic(number: u16) -> String {
    format!("{}/{number}", if number % 2 == 0 { "even" } else { "odd" })
}

pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("not within the deadline: {what}"),
    }
}

/// A hub that is served on a port of its own.
pub(crate) struct Node {
    pub(crate) hub: Hub<Redis>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Node {
    pub(crate) async fn start(url: &str) -> Self {
        Self::with(url, |settings| settings).await
    }

    pub(crate) async fn with(
        url: &str,
        set: impl FnOnce(HubBuilder<Redis>) -> HubBuilder<Redis>,
    ) -> Self {
        // The default is shorter than a disk may take on which Redis writes its file.
        let hub = Hub::redis(url, KEY).unwrap().response_timeout(DEADLINE / 2);
        let hub = set(hub).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(hub.clone(), listener));
        Self {
            hub,
            address,
            serving,
        }
    }

    /// Two nodes on the same server.
    pub(crate) async fn pair(server: &Server) -> [Self; 2] {
        let url = server.url();
        [Self::start(&url).await, Self::start(&url).await]
    }

    /// Waits until the node has read this many entries.
    pub(crate) async fn until_read(&self, entries: u64) {
        crate::rig::until("it has read them", async || {
            self.hub.status().entries >= entries
        })
        .await;
    }

    pub(crate) async fn until_connected(&self, connected: bool) {
        crate::rig::until("the node knows how it is", async || {
            self.hub.status().connected == connected
        })
        .await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What is published, and what became of it.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) truth: Truth,
    next: u32,
}

impl Log {
    pub(crate) fn payload(&mut self, topic: u16) -> Payload {
        let n = self.next;
        self.next += 1;
        let payload = Payload {
            topic,
            publisher: 1,
            n,
        };
        self.truth.begin(payload);
        payload
    }

    /// Publishes an event; what the hub says is written down.
    pub(crate) async fn try_publish(
        &mut self,
        hub: &Hub<Redis>,
        number: u16,
    ) -> (Payload, Result<Key, PublishError>) {
        let payload = self.payload(number);
        let result = self.send(hub, payload).await;
        (payload, result)
    }

    pub(crate) async fn send(
        &mut self,
        hub: &Hub<Redis>,
        payload: Payload,
    ) -> Result<Key, PublishError> {
        let event = Event::new(payload.to_string());
        let name = topic(payload.topic);
        let published = hub.topic(&name).publish(event);
        let result = within("publishing", published).await;
        let result = result.map(|id| Key::parse(id.as_str()).unwrap());
        match &result {
            Ok(key) => self.truth.stored(payload, *key),
            Err(error) if !may_be_stored(error) => self.truth.refused(payload),
            Err(_) => {}
        }
        result
    }

    pub(crate) async fn publish(&mut self, hub: &Hub<Redis>, topic: u16) -> Payload {
        // A connection is given three seconds, which a busy machine may take now and then.
        for _ in 0..5 {
            match self.try_publish(hub, topic).await {
                (_, Err(error)) if !may_be_stored(&error) && is_late(&error) => {}
                (payload, result) => {
                    result.expect("it is stored");
                    return payload;
                }
            }
        }
        panic!("no connection within its time");
    }

    /// Publishes an event once that works again. The first may be sent on a connection that is no
    /// more.
    pub(crate) async fn publish_again(&mut self, hub: &Hub<Redis>, topic: u16) -> Payload {
        crate::rig::until("it publishes again", async || {
            self.try_publish(hub, topic).await.1.is_ok()
        })
        .await;
        self.publish(hub, topic).await
    }

    /// Publishes events to the topics from 0 on, in turn; the last of them.
    pub(crate) async fn publish_all(&mut self, hub: &Hub<Redis>, n: usize, topics: u16) -> Payload {
        let mut last = None;
        for at in 0..n {
            let topic = u16::try_from(at % usize::from(topics)).unwrap();
            last = Some(self.publish(hub, topic).await);
        }
        last.unwrap()
    }

    /// The same past the hub, on one connection and in large pieces.
    pub(crate) async fn add(&mut self, server: &Server, n: usize, topics: u16) -> Payload {
        let mut connection = server.connection().await;
        let payloads: Vec<_> = (0..n)
            .map(|at| self.payload(u16::try_from(at % usize::from(topics)).unwrap()))
            .collect();
        for some in payloads.chunks(100) {
            for payload in some {
                let (name, data) = (topic(payload.topic), payload.to_string());
                let words = ["XADD", KEY, "*", "topic", &name, "data", &data];
                connection.write(&words.map(str::as_bytes)).await.unwrap();
            }
            for payload in some {
                match connection.read().await.unwrap() {
                    Value::Error(error) => panic!("{error}"),
                    id => self.truth.stored(*payload, Key::parse(&id.text()).unwrap()),
                }
            }
        }
        *payloads.last().unwrap()
    }

    /// What Redis has now is what it has not lost.
    pub(crate) async fn lossy(&mut self, server: &Server) {
        let (mut events, mut marks) = (Vec::new(), Vec::new());
        for (id, fields) in server.entries(KEY).await {
            let field = |name| {
                fields
                    .chunks(2)
                    .find(|two| two[0] == name)
                    .map(|two| &*two[1])
            };
            match field("data").and_then(Payload::parse) {
                Some(payload) => events.push(payload),
                None if field("mark") == Some("lost") => marks.push(Key::parse(&id).unwrap()),
                None => {}
            }
        }
        self.truth.lossy(events, marks);
    }

    /// Checks a client that has everything; how it fared.
    #[track_caller]
    pub(crate) fn check(&mut self, client: &Client) -> Report {
        self.truth.add_seen(&client.trace);
        assert_eq!(self.truth.settle(), []);
        let report = self.truth.check(&client.topics, &client.trace);
        if !report.faults.is_empty() {
            for seen in &client.trace {
                eprintln!("{seen:?}");
            }
            panic!("{:?}", report.faults);
        }
        report
    }

    /// And was told of so many gaps.
    #[track_caller]
    pub(crate) fn check_gaps(&mut self, client: &Client, gaps: usize) {
        let report = self.check(client);
        assert_eq!(report.gaps, gaps, "{report:?} {:#?}", client.trace);
    }
}

/// Whether an error says that the event may be stored nevertheless.
pub(crate) fn may_be_stored(error: &PublishError) -> bool {
    error.may_be_stored()
}

/// Whether Redis took longer than it is given.
pub(crate) fn is_late(error: &PublishError) -> bool {
    let cause = error.source().map(ToString::to_string);
    cause.is_some_and(|cause| cause.contains("timed out"))
}

/// A client of some topics, or of both prefixes.
pub(crate) struct Client {
    pub(crate) topics: Vec<u16>,
    path: String,
    pub(crate) last: Option<String>,
    pub(crate) trace: Vec<Seen>,
    pub(crate) feed: Option<Feed>,
}

impl Client {
    pub(crate) fn of(topics: &[u16]) -> Self {
        let names = topics
            .iter()
            .map(|number| format!("topic={}", topic(*number)));
        Self::new(topics.to_vec(), &names.collect::<Vec<_>>().join("&"))
    }

    /// Of all topics.
    pub(crate) fn all() -> Self {
        Self::new((0..100).collect(), "prefix=even/&prefix=odd/")
    }

    /// Of all topics, and has its place.
    pub(crate) async fn at(node: &Node) -> Self {
        let mut client = Self::all();
        client.begin(node).await;
        client
    }

    pub(crate) fn new(topics: Vec<u16>, query: &str) -> Self {
        Self {
            topics,
            path: format!("/?{query}"),
            last: None,
            trace: Vec::new(),
            feed: None,
        }
    }

    /// Begins at an ID, and has not seen what comes before it.
    pub(crate) fn after(mut self, id: &str) -> Self {
        if let Some(key) = Key::parse(id) {
            self.trace.push(Seen::Place { key });
        }
        self.last = Some(id.to_owned());
        self
    }

    /// Connects to a node; the connection before is closed.
    pub(crate) async fn connect(&mut self, node: &Node) {
        self.connect_to(node.address).await;
    }

    pub(crate) async fn connect_to(&mut self, address: SocketAddr) {
        self.feed = None;
        let feed = Feed::open(address, &self.path, self.last.as_deref()).await;
        self.feed = Some(feed.unwrap());
        self.trace.push(Seen::Opened { node: 0 });
    }

    /// Connects, and waits until it has its place.
    pub(crate) async fn begin(&mut self, node: &Node) {
        self.connect(node).await;
        self.next("its place").await;
    }

    /// What comes next; `None` where the stream ends.
    pub(crate) async fn step(&mut self) -> Option<Seen> {
        loop {
            let block = self.feed.as_mut().expect("connected").next().await;
            let Some(block) = block else {
                self.feed = None;
                return None;
            };
            if block.id.is_some() {
                self.last.clone_from(&block.id);
            }
            if let Some(seen) = Seen::of(&block) {
                self.trace.push(seen);
                return Some(seen);
            }
        }
    }

    /// What comes next on this connection.
    pub(crate) async fn next(&mut self, what: &str) -> Seen {
        let next = within(what, self.step()).await;
        next.unwrap_or_else(|| panic!("the stream ends before {what}"))
    }

    /// Reads on this connection until an event is there.
    pub(crate) async fn until(&mut self, event: Payload) {
        while !is(&self.next(&format!("{event}")).await, event) {}
    }

    /// Reads until an event is there, and reconnects where the stream ends.
    pub(crate) async fn follow(&mut self, node: &Node, event: Payload) {
        let what = format!("{event}, of {:?}", self.trace.last());
        within(&what, async {
            loop {
                if self.feed.is_none() {
                    self.connect(node).await;
                }
                match self.step().await {
                    Some(seen) if is(&seen, event) => break,
                    Some(_) => {}
                    None => tokio::time::sleep(RECONNECT).await,
                }
            }
        })
        .await;
    }

    /// Reads until a gap is told, and reconnects where the stream ends.
    pub(crate) async fn follow_gap(&mut self, node: &Node) {
        within("a gap", async {
            loop {
                if self.feed.is_none() {
                    self.connect(node).await;
                }
                match self.step().await {
                    Some(Seen::Gap { .. }) => break,
                    Some(_) => {}
                    None => tokio::time::sleep(RECONNECT).await,
                }
            }
        })
        .await;
    }

    /// Nothing but heartbeats and places comes for a time.
    pub(crate) async fn is_quiet(&mut self, time: Duration) {
        let quiet = async {
            loop {
                match self.step().await {
                    Some(Seen::Place { .. }) => {}
                    other => break other,
                }
            }
        };
        if let Ok(seen) = tokio::time::timeout(time, quiet).await {
            panic!("came: {seen:?}");
        }
    }

    /// Waits for a heartbeat. Nothing else comes before it.
    pub(crate) async fn has_heartbeat(&mut self) {
        let comments = |client: &Self| client.feed.as_ref().unwrap().blocks.comments;
        let before = comments(self);
        within("a heartbeat", async {
            while comments(self) == before {
                self.is_quiet(RECONNECT).await;
            }
        })
        .await;
    }

    pub(crate) fn leave(&mut self) {
        self.feed = None;
    }

    /// The number of events since the first gap.
    pub(crate) fn events_after_gap(&self) -> usize {
        let is_gap = |seen: &&Seen| matches!(seen, Seen::Gap { .. });
        let since = self.trace.iter().skip_while(|seen| !is_gap(seen));
        let events = since.filter(|seen| matches!(seen, Seen::Event { .. }));
        events.count()
    }

    pub(crate) fn gaps(&self) -> usize {
        let gaps = self
            .trace
            .iter()
            .filter(|seen| matches!(seen, Seen::Gap { .. }));
        gaps.count()
    }
}

fn is(seen: &Seen, event: Payload) -> bool {
    matches!(seen, Seen::Event { payload, .. } if *payload == event)
}
