//! Publishing, on its own connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use redis::{Cmd, RedisError, Value, cmd};
use tokio::sync::{Mutex, Semaphore};

use super::begin::{append_first, ask_time, has_begun};
use super::connection::Link;
use super::context::Context;
use super::entry::{read_key, write_entry};
use super::new_entry::NewEntry;
use super::publish_error::PublishError;
use super::settings::Trim;
use super::transients::write_transient;
use crate::hub::foreign::id_of;
use crate::protocol::EventId;

/// The maximum number of events in flight; further publishers wait.
const IN_FLIGHT: usize = 1024;

/// The maximum number of attempts to append an event while the stream keeps being deleted.
const BEGINNINGS: usize = 5;

/// Appends an entry unless its name is already known, or the stream does not exist.
const APPEND_ONCE: &str = "
local id = redis.call('GET', KEYS[2])
if id then return id end
id = redis.call('XADD', KEYS[1], unpack(ARGV, 2))
if not id then return false end
redis.call('SET', KEYS[2], id, 'EX', ARGV[1])
return id";

#[derive(Debug)]
pub(super) struct Publisher {
    context: Arc<Context>,
    connection: Mutex<Connection>,
    /// Counts attempts to connect.
    attempts: AtomicU64,
    permits: Semaphore,
}

#[derive(Debug, Default)]
struct Connection {
    link: Option<Link>,
    /// The connection's number.
    number: u64,
    /// Why the last attempt failed.
    error: Option<RedisError>,
}

impl Publisher {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            connection: Mutex::default(),
            attempts: AtomicU64::new(0),
            permits: Semaphore::new(IN_FLIGHT),
        }
    }

    pub(super) async fn append(&self, entry: &NewEntry) -> Result<EventId, PublishError> {
        let mut add = cmd("XADD");
        add.arg(&self.context.settings.stream);
        self.write_bound(&mut add);
        write_entry(&mut add, entry);
        self.send_for_id(&add).await
    }

    pub(super) async fn append_once(
        &self,
        name: &str,
        entry: &NewEntry,
    ) -> Result<EventId, PublishError> {
        let settings = &self.context.settings;
        let token = settings.companion(&format!("once:{name}"));
        let mut eval = cmd("EVAL");
        eval.arg(APPEND_ONCE).arg(2);
        eval.arg(&settings.stream).arg(token);
        eval.arg(settings.once_for.as_secs().max(1));
        self.write_bound(&mut eval);
        write_entry(&mut eval, entry);
        self.send_for_id(&eval).await
    }

    /// Sends a transient event.
    pub(super) async fn publish(&self, entry: &NewEntry) -> Result<(), PublishError> {
        let mut publish = cmd("PUBLISH");
        publish.arg(self.context.settings.companion("transient"));
        publish.arg(write_transient(entry));
        self.send(&publish).await.map(|_| ())
    }

    /// Writes the options of `XADD`: it does not create the stream, since only a
    /// [mark](super::begin) does, it trims the stream, and Redis assigns the ID.
    fn write_bound(&self, cmd: &mut Cmd) {
        cmd.arg("NOMKSTREAM");
        match self.context.settings.trim {
            Trim::Events(events) => _ = cmd.arg("MAXLEN").arg("~").arg(events),
            Trim::Age(age) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                let oldest = now.unwrap_or_default().saturating_sub(age);
                let oldest = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
                cmd.arg("MINID").arg("~").arg(oldest);
            }
        }
        cmd.arg("*");
    }

    async fn send_for_id(&self, cmd: &Cmd) -> Result<EventId, PublishError> {
        for _ in 0..BEGINNINGS {
            let value = self.send(cmd).await?;
            if value == Value::Nil {
                self.begin().await.map_err(PublishError::not_stored)?;
                continue;
            }
            let no_id = || PublishError::maybe_stored("Redis did not answer with an ID");
            let key = read_key(&value).ok_or_else(no_id)?;
            self.context.unread.insert(key);
            return Ok(id_of(key));
        }
        Err(PublishError::not_stored("the stream is deleted repeatedly"))
    }

    async fn begin(&self) -> Result<(), RedisError> {
        let (link, number) = self.connect().await?;
        let time = self.query(link.clone(), number, &ask_time()).await;
        let first = append_first(&self.context.settings.stream, time)?;
        has_begun(self.query(link, number, &first).await)
    }

    async fn send(&self, cmd: &Cmd) -> Result<Value, PublishError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await;
        let connected = self.connect().await;
        let (link, number) = connected.map_err(PublishError::not_stored)?;
        let answer = self.query(link, number, cmd).await;
        // A broken pipe can mean that the command was not sent, or that its reply was lost.
        answer.map_err(|error| match is_answer(&error) {
            true => PublishError::not_stored(error),
            false => PublishError::maybe_stored(error),
        })
    }

    /// Sends a command. Drops the connection with this number if another is needed.
    async fn query(&self, mut link: Link, number: u64, cmd: &Cmd) -> Result<Value, RedisError> {
        let answer = link.query(cmd).await;
        if let Err(error) = &answer {
            if !is_answer(error) || needs_another_server(error) {
                let mut connection = self.connection.lock().await;
                if connection.number == number {
                    connection.link = None;
                }
            }
        }
        answer
    }

    async fn connect(&self) -> Result<(Link, u64), RedisError> {
        let attempts = self.attempts.load(Ordering::Acquire);
        let mut connection = self.connection.lock().await;
        if let Some(link) = &connection.link {
            return Ok((link.clone(), connection.number));
        }
        // Publishers that waited for another's attempt share its result.
        if self.attempts.load(Ordering::Acquire) > attempts {
            if let Some(error) = &connection.error {
                return Err(error.clone());
            }
        }
        let timeout = self.context.settings.response_timeout;
        let link = self.context.connect(timeout).await;
        self.attempts.fetch_add(1, Ordering::AcqRel);
        match link {
            Ok(link) => {
                connection.link = Some(link.clone());
                connection.number += 1;
                connection.error = None;
                Ok((link, connection.number))
            }
            Err(error) => {
                connection.error = Some(error.clone());
                Err(error)
            }
        }
    }
}

/// Whether the error is a reply of Redis.
fn is_answer(error: &redis::RedisError) -> bool {
    use redis::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed
    )
}

/// Whether the reply means that another server has to be asked: this one has become a replica, or
/// no longer accepts the credentials.
fn needs_another_server(error: &redis::RedisError) -> bool {
    let code = error.code().unwrap_or_default();
    matches!(
        code,
        "READONLY" | "NOAUTH" | "WRONGPASS" | "MASTERDOWN" | "LOADING" | "CLUSTERDOWN" | "MOVED"
    )
}
