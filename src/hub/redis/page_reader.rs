//! Reads pages on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use redis::{Value, cmd};

use super::connection::{Link, Patience};
use super::context::Context;
use super::counts::Counts;
use super::entry::{StreamEntry, read_entries};
use super::pages::{ReadPage, Wanted};
use crate::hub::foreign::id_of;
use crate::hub::outer::{LogEntry, Stored};

/// How long a page may take.
const ANSWER: Duration = Duration::from_secs(5);

/// How many bytes a page aims at.
const BYTES: usize = 1 << 20;

/// How long one waits for others that want the same.
const GATHER: Duration = Duration::from_millis(2);

pub(super) async fn read_pages(context: Arc<Context>) {
    let mut backoff = Patience::new();
    let mut mean = 4096;
    let mut link = None;
    loop {
        context.pages.wanted().await;
        tokio::time::sleep(GATHER).await;
        while let Some(wanted) = context.pages.oldest() {
            let read = match link.take() {
                Some(link) => Ok(link),
                None => context.connect(ANSWER).await,
            };
            let read = match read {
                Ok(mut open) => read_page(&context, &mut open, wanted, &mut mean)
                    .await
                    .map(|read| (open, read)),
                Err(_) => None,
            };
            match read {
                Some((open, read)) => {
                    link = Some(open);
                    backoff.reset();
                    Counts::add(&context.counts.pages, 1);
                    context.pages.serve(wanted, &read);
                }
                // Those that want it wait on, with heartbeats.
                None => {
                    context.pages.forget();
                    backoff.wait().await;
                }
            }
        }
    }
}

/// One page; none if the connection is of no more use.
async fn read_page(
    context: &Context,
    link: &mut Link,
    wanted: Wanted,
    mean: &mut usize,
) -> Option<ReadPage> {
    let stream = &context.settings.stream;
    let count = (BYTES / *mean).clamp(16, 1024) + 1;
    let mut range = cmd("XRANGE");
    range.arg(stream).arg(id_of(wanted.after).as_str());
    range.arg("+").arg("COUNT").arg(count);
    let entries = query(link, &range).await?;
    let is_full = entries.len() >= count;
    let bytes: usize = entries.iter().map(|entry| entry.size).sum();
    if !entries.is_empty() {
        *mean = (*mean + bytes / entries.len()) / 2;
    }
    let mut newest = 0;
    if entries.is_empty() {
        let mut last = cmd("XREVRANGE");
        last.arg(stream).arg("+").arg("-").arg("COUNT").arg(1);
        newest = query(link, &last)
            .await?
            .first()
            .map_or(0, StreamEntry::key);
    }
    let mut entries: Vec<LogEntry> = entries.into_iter().map(|entry| entry.entry).collect();
    Stored::drop_replaced(&mut entries);
    Some(ReadPage {
        entries: entries.into(),
        bytes,
        is_full,
        newest,
    })
}

async fn query(link: &mut Link, command: &redis::Cmd) -> Option<Vec<StreamEntry>> {
    let value: Value = link.query(command).await.ok()?;
    read_entries(value)
}
