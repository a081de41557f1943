//! Transient events: delivered by PUBLISH, at most once.
//!
//! A message holds the fields of an entry as netstrings: `5:topic,1:a,4:data,5:hello,`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use redis::{Arg, Cmd, Msg, RedisError};
use tokio::time::timeout;

use super::connection::{Channel, Patience};
use super::context::Context;
use super::entry::{EntryField, read_what, write_entry};
use super::new_entry::NewEntry;
use crate::hub::outer::Stored;
use crate::hub::shared::Shared;
use crate::sync::Weak;

/// The silence after which the connection is checked, and the time limit of that check.
const SILENCE: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(5);

/// Delivers messages until the hub is dropped.
pub(super) async fn receive(context: Arc<Context>, shared: Weak<Shared>) {
    let mut backoff = Patience::new();
    let name = context.settings.companion("transient");
    loop {
        if let Ok(mut channel) = context.settings.server.subscribe(&name).await {
            backoff.reset();
            while let Ok(message) = next(&mut channel).await {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                if let Some(Stored::Event { delivery, .. }) = message.as_ref().and_then(read) {
                    shared.publish_transient(&delivery.name(), delivery.into_block());
                }
            }
        }
        backoff.wait().await;
    }
}

/// Returns the next message, or `None` after a silence if the connection works.
async fn next(channel: &mut Channel) -> Result<Option<Msg>, RedisError> {
    let lost = || RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    let message = std::future::poll_fn(|cx| Pin::new(&mut channel.messages).poll_next(cx));
    match timeout(SILENCE, message).await {
        Ok(Some(message)) => Ok(Some(message)),
        Ok(None) => Err(lost()),
        Err(_) => match timeout(ANSWER, channel.requests.ping::<redis::Value>()).await {
            Ok(answer) => answer.map(|_| None),
            Err(_) => Err(lost()),
        },
    }
}

pub(super) fn write_transient(entry: &NewEntry) -> Vec<u8> {
    let mut fields = Cmd::new();
    write_entry(&mut fields, entry);
    let mut text = Vec::new();
    for field in fields.args_iter() {
        if let Arg::Simple(field) = field {
            text.extend_from_slice(field.len().to_string().as_bytes());
            text.push(b':');
            text.extend_from_slice(field);
            text.push(b',');
        }
    }
    text
}

fn read(message: &Msg) -> Option<Stored> {
    read_what(None, read_fields(message.get_payload_bytes())?)
}

fn read_fields(mut text: &[u8]) -> Option<Vec<EntryField>> {
    let mut next = || {
        let colon = memchr::memchr(b':', text.get(..text.len().min(12))?)?;
        let len: usize = std::str::from_utf8(&text[..colon]).ok()?.parse().ok()?;
        let rest = &text[colon + 1..];
        let (field, rest) = (rest.get(..len)?, rest.get(len..)?);
        text = rest.strip_prefix(b",")?;
        Some(field.to_vec())
    };
    let mut fields = Vec::new();
    while let Some(name) = next() {
        fields.push((name, next()?));
    }
    text.is_empty().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Event;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let event = Event::new("a\nid: 7").with_comment("c");
        let text = write_transient(&NewEntry::new("match/7", event.clone()));
        let Some(Stored::Event { delivery, .. }) = read_what(None, read_fields(&text).unwrap())
        else {
            panic!();
        };
        assert_eq!(delivery.topic(), "match/7");
        assert_eq!(delivery.into_block(), event.encode());
        for garbage in ["x", "4:data,", "4:data,9:x,", "4:data,1:x", ":,", "-1:a,"] {
            assert!(read_fields(garbage.as_bytes()).is_none(), "{garbage}");
        }
    }
}
