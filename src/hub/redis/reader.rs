//! The task that follows the stream on its own connection and keeps the ring up to date.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::{Cmd, RedisError, Value, cmd};

use super::begin::{append_first, ask_time, has_begun};
use super::connection::{Link, Patience};
use super::context::Context;
use super::entry::{read_entries, read_stream};
use super::machine::{Ask, Machine, Reply};
use super::ring::{apply, knows};
use super::started::Started;
use crate::hub::foreign::id_of;
use crate::hub::shared::Shared;
use crate::hub::trace;

/// How long a read waits for an entry. Afterwards, the reader checks that the last entry is still
/// there.
const BLOCK: Duration = Duration::from_millis(2000);

/// How late a reply may be before the connection counts as lost.
const GRACE: Duration = Duration::from_millis(1500);

/// Appends a mark unless there is one after an entry, so that nodes which find the same loss at the
/// same time append one mark. Also returns nothing if too many entries have been added to look
/// through.
const MARK: &str = "
local new = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', 1000)
if #new == 1000 then return false end
for _, entry in ipairs(new) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'mark' and fields[i + 1] == 'lost' then return false end
  end
end
return redis.call('XADD', KEYS[1], '*', 'mark', 'lost', 'from', ARGV[2])";

/// Why the reader leaves a connection.
enum Stop {
    Error(RedisError),
    /// The reply is not that of a stream.
    Nonsense,
    /// The hub has been dropped.
    Gone,
}

impl From<RedisError> for Stop {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

pub(super) struct StreamReader {
    context: Arc<Context>,
    shared: crate::sync::Weak<Shared>,
    machine: Machine,
    /// Whether the Redis user may run scripts.
    scripts: bool,
}

impl StreamReader {
    pub(super) fn new(context: Arc<Context>, shared: crate::sync::Weak<Shared>) -> Self {
        let machine = Machine::new(context.depth);
        Self {
            context,
            shared,
            machine,
            scripts: true,
        }
    }

    /// Follows the stream until the hub is dropped.
    pub(super) async fn run(mut self) {
        let mut backoff = Patience::new();
        loop {
            let stop = match self.context.connect(BLOCK + GRACE).await {
                Ok(link) => self.follow(link, &mut backoff).await,
                Err(error) => Stop::Error(error),
            };
            match stop {
                Stop::Gone => return,
                Stop::Error(error) => self.context.disconnected(&error.to_string()),
                Stop::Nonsense => self
                    .context
                    .disconnected("the answer is not one of a stream"),
            }
            self.machine.fail();
            backoff.wait().await;
        }
    }

    async fn follow(&mut self, mut link: Link, backoff: &mut Patience) -> Stop {
        // The read of the entry with a key, if it has been sent.
        let mut confirm: Option<(u128, Started)> = None;
        loop {
            if let Some((settled, last)) = self.machine.looks_after() {
                let expected = self.context.unread.after(settled, last);
                self.machine.look_for(expected);
            }
            let ask = self.machine.ask();
            let begun = match (ask, confirm.take()) {
                (Ask::Confirm { key }, Some((sent, begun))) if key == sent => Some(begun),
                _ => None,
            };
            let marks = matches!(ask, Ask::Lost { .. });
            if marks {
                self.context.unread.set_aside();
            }
            let reply = match begun {
                Some(begun) => begun.reply().await.map_err(Stop::Error).and_then(read),
                None => self.query(&mut link, ask, &mut confirm).await,
            };
            if marks {
                // What cannot be marked would be looked for again and again.
                let is_marked = matches!(reply, Ok(Reply::Marked(true) | Reply::Forbidden));
                self.context.unread.marked(is_marked);
            }
            let reply = match reply {
                Ok(reply) => reply,
                Err(stop) => return stop,
            };
            let Some(shared) = self.shared.upgrade() else {
                return Stop::Gone;
            };
            let context = Arc::clone(&self.context);
            backoff.reset();
            context.connected();
            let losses = self.machine.losses;
            let acts = self.machine.answer(reply, |key| knows(&shared, key));
            if self.machine.losses > losses {
                context.counts.losses.fetch_add(1, Ordering::Relaxed);
                trace::lost();
            }
            context.counts.note_progress(self.machine.is_quiet());
            for act in acts {
                context.note(&act);
                if !apply(&shared, act) {
                    // The ring and the machine disagree, which is a bug: start over.
                    apply(&shared, self.machine.begin_again());
                    return Stop::Nonsense;
                }
            }
        }
    }

    async fn query(
        &mut self,
        link: &mut Link,
        ask: Ask,
        confirm: &mut Option<(u128, Started)>,
    ) -> Result<Reply, Stop> {
        let stream = &self.context.settings.stream;
        let command = command(stream, ask, self.scripts);
        let reads = &self.context.counts.reads;
        reads.fetch_add(1, Ordering::Relaxed);
        let answer = match ask {
            Ask::Wait { after: key, .. } => {
                // Redis runs the second command as soon as the wait is over, so that both replies come
                // together.
                reads.fetch_add(1, Ordering::Relaxed);
                let next = self::command(stream, Ask::Confirm { key }, self.scripts);
                let mut begun = Started::new(link.clone(), next);
                let answer = begun.start_after(link.query(&command)).await;
                *confirm = Some((key, begun));
                answer
            }
            _ => link.query(&command).await,
        };
        match (ask, answer) {
            (Ask::Before { .. } | Ask::From { .. } | Ask::Confirm { .. }, Ok(value)) => read(value),
            (Ask::Wait { .. }, Ok(value)) => {
                let entries = read_stream(value).ok_or(Stop::Nonsense)?;
                Ok(Reply::Entries(entries))
            }
            (Ask::Begin, time) => {
                let first = append_first(stream, time)?;
                has_begun(link.query(&first).await)?;
                Ok(Reply::Marked(true))
            }
            (Ask::Lost { .. }, Ok(value)) => Ok(Reply::Marked(!matches!(value, Value::Nil))),
            (Ask::Lost { .. }, Err(error)) if error.code() == Some("NOPERM") => {
                if self.scripts {
                    self.scripts = false;
                    return Ok(Reply::Marked(false));
                }
                Ok(Reply::Forbidden)
            }
            (_, Err(error)) => Err(Stop::Error(error)),
        }
    }
}

fn read(value: Value) -> Result<Reply, Stop> {
    let entries = read_entries(value).ok_or(Stop::Nonsense)?;
    Ok(Reply::Entries(entries))
}

fn command(stream: &str, ask: Ask, scripts: bool) -> Cmd {
    let id = |key: u128| id_of(key).as_str().to_owned();
    match ask {
        Ask::Before { key, count } => {
            let from = key.map_or("+".to_owned(), |key| format!("({}", id(key)));
            let mut cmd = cmd("XREVRANGE");
            cmd.arg(stream).arg(from).arg("-").arg("COUNT").arg(count);
            cmd
        }
        Ask::From { key, count } => {
            let mut cmd = cmd("XRANGE");
            cmd.arg(stream)
                .arg(id(key))
                .arg("+")
                .arg("COUNT")
                .arg(count);
            cmd
        }
        Ask::Confirm { key } => {
            let mut cmd = cmd("XRANGE");
            cmd.arg(stream).arg(id(key)).arg(id(key));
            cmd.arg("COUNT").arg(1);
            cmd
        }
        Ask::Wait { after, count } => {
            let mut cmd = cmd("XREAD");
            let block = u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX);
            cmd.arg("COUNT").arg(count).arg("BLOCK").arg(block);
            cmd.arg("STREAMS").arg(stream).arg(id(after));
            cmd
        }
        Ask::Begin => ask_time(),
        Ask::Lost { from, after } if scripts => {
            let mut cmd = cmd("EVAL");
            cmd.arg(MARK)
                .arg(1)
                .arg(stream)
                .arg(id(after))
                .arg(id(from));
            cmd
        }
        Ask::Lost { from, .. } => {
            let mut cmd = cmd("XADD");
            cmd.arg(stream)
                .arg("*")
                .arg("mark")
                .arg("lost")
                .arg("from")
                .arg(id(from));
            cmd
        }
    }
}
