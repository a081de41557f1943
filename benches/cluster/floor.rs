//! The least work that gives the same result: redis-rs alone, one `XADD` for each event, one `XREAD` for all
//! that has come, and one `write` of their text to each client. It keeps nothing, checks nothing, and does
//! not reconnect.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Value, cmd};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::{Outcome, STREAM};

#[derive(Clone)]
pub(crate) struct Floor {
    publisher: MultiplexedConnection,
    state: Arc<FloorState>,
}

#[derive(Default)]
struct FloorState {
    clients: Mutex<Vec<UnboundedSender<Bytes>>>,
    entries: AtomicU64,
    reads: AtomicU64,
}

/// Of entries, as they are sent to clients, and the last ID.
struct Batch {
    text: BytesMut,
    count: u64,
    last: Option<Vec<u8>>,
}

impl Floor {
    pub(crate) async fn open(url: &str) -> Outcome<Self> {
        let client = Client::open(url)?;
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let connect = || client.get_multiplexed_async_connection_with_config(&config);
        let (publisher, mut reader) = (connect().await?, connect().await?);
        let state = Arc::<FloorState>::default();
        let floor = Self {
            publisher,
            state: Arc::clone(&state),
        };
        // From what is there.
        let mut newest = cmd("XREVRANGE");
        newest.arg(STREAM).arg("+").arg("-").arg("COUNT").arg(1);
        let found = batch(newest.query_async(&mut reader).await?);
        state.entries.store(found.count, Ordering::Relaxed);
        let mut last = found.last.unwrap_or_else(|| b"0-0".to_vec());
        tokio::spawn(async move {
            loop {
                let mut read = cmd("XREAD");
                read.arg("COUNT").arg(256).arg("BLOCK").arg(2000);
                read.arg("STREAMS").arg(STREAM).arg(&last);
                let streams: Value = read.query_async(&mut reader).await.expect("Redis stays");
                state.reads.fetch_add(1, Ordering::Relaxed);
                let Value::Array(streams) = streams else {
                    continue;
                };
                let Some(Value::Array(stream)) = streams.into_iter().next() else {
                    continue;
                };
                let Some(entries) = stream.into_iter().nth(1) else {
                    continue;
                };
                let batch = batch(entries);
                let Some(newest) = batch.last else { continue };
                last = newest;
                let text = batch.text.freeze();
                let mut clients = state.clients.lock().expect("nobody panics");
                clients.retain(|client| client.send(text.clone()).is_ok());
                drop(clients);
                state.entries.fetch_add(batch.count, Ordering::Relaxed);
            }
        });
        Ok(floor)
    }

    pub(crate) async fn publish(&self, data: &str) -> redis::RedisResult<()> {
        let mut add = cmd("XADD");
        add.arg(STREAM)
            .arg("MAXLEN")
            .arg("~")
            .arg(1_000_000)
            .arg("*");
        add.arg("topic").arg("").arg("data").arg(data);
        let id: Value = add.query_async(&mut self.publisher.clone()).await?;
        assert!(matches!(id, Value::BulkString(_)));
        Ok(())
    }

    pub(crate) fn say(&self) -> String {
        let clients = self.state.clients.lock().expect("nobody panics").len();
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "{clients} {} {} 0",
            get(&self.state.entries),
            get(&self.state.reads)
        )
    }
}

pub(crate) async fn events(State(floor): State<Floor>) -> Body {
    let (sender, receiver) = mpsc::unbounded_channel();
    floor
        .state
        .clients
        .lock()
        .expect("nobody panics")
        .push(sender);
    Body::from_stream(UnboundedReceiverStream::new(receiver).map(Ok::<_, std::io::Error>))
}

fn batch(entries: Value) -> Batch {
    let mut batch = Batch {
        text: BytesMut::new(),
        count: 0,
        last: None,
    };
    let Value::Array(entries) = entries else {
        return batch;
    };
    for entry in entries {
        let Value::Array(mut entry) = entry else {
            continue;
        };
        let (Some(Value::Array(fields)), Some(Value::BulkString(id))) = (entry.pop(), entry.pop())
        else {
            continue;
        };
        let Some(Value::BulkString(data)) = fields.last() else {
            continue;
        };
        for part in [b"id: ", &id[..], b"\ndata: ", data, b"\n\n"] {
            batch.text.extend_from_slice(part);
        }
        batch.count += 1;
        batch.last = Some(id);
    }
    batch
}
