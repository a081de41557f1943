//! The task that reads pages, on its own connection.

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

/// The time limit for a page.
const ANSWER: Duration = Duration::from_secs(5);

/// The target size of a page in bytes.
const BYTES: usize = 1 << 20;

/// The number of entries to search for marks at a time.
const SEARCHED: usize = 512;

/// The time to wait for further subscribers that want the same page.
const GATHER: Duration = Duration::from_millis(2);

pub(super) async fn read_pages(context: Arc<Context>) {
    let mut backoff = Patience::new();
    let mut mean = 4096;
    let mut link = None;
    loop {
        context.pages.wanted().await;
        if context.pages.oldest().is_some() {
            tokio::time::sleep(GATHER).await;
        }
        while let Some(task) = next_task(&context) {
            let open = match link.take() {
                Some(link) => Some(link),
                None => context.connect(ANSWER).await.ok(),
            };
            let done = match open {
                Some(mut open) => task
                    .run(&context, &mut open, &mut mean)
                    .await
                    .map(|is_end| (open, is_end)),
                None => None,
            };
            let Some((open, is_end)) = done else {
                // Meanwhile, the subscribers wait with heartbeats.
                context.pages.forget();
                backoff.wait().await;
                continue;
            };
            link = Some(open);
            backoff.reset();
            if is_end && context.pages.oldest().is_none() {
                break;
            }
        }
    }
}

/// Returns what to do next: pages come before searches.
fn next_task(context: &Context) -> Option<Task> {
    let page = context.pages.oldest().map(Task::Page);
    page.or_else(|| context.pages.search_from().map(Task::Search))
}

enum Task {
    Page(Wanted),
    /// Searches for marks after a key.
    Search(u128),
}

impl Task {
    /// Returns whether a search has reached the stream's end, or `None` if the connection failed.
    async fn run(self, context: &Context, link: &mut Link, mean: &mut usize) -> Option<bool> {
        match self {
            Self::Page(wanted) => {
                let read = read_page(context, link, wanted, mean).await?;
                Counts::add(&context.counts.pages, 1);
                context.pages.serve(wanted, &read);
                Some(false)
            }
            Self::Search(after) => search(context, link, after).await,
        }
    }
}

/// Searches for marks. Returns whether it has reached the stream's end.
async fn search(context: &Context, link: &mut Link, after: u128) -> Option<bool> {
    let stream = &context.settings.stream;
    let mut first = cmd("XRANGE");
    first.arg(stream).arg("-").arg("+").arg("COUNT").arg(1);
    let oldest = query(link, &first).await?.first().map(StreamEntry::key);
    let entries = match after.checked_add(1) {
        Some(from) => {
            let mut range = cmd("XRANGE");
            range.arg(stream).arg(id_of(from).as_str());
            range.arg("+").arg("COUNT").arg(SEARCHED);
            query(link, &range).await?
        }
        None => Vec::new(),
    };
    let is_end = entries.len() < SEARCHED;
    context.pages.search(oldest, &entries, is_end);
    Some(is_end)
}

/// Reads a page. Returns `None` if the connection failed.
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
    if let Some(newest) = entries.last() {
        // Subscribers are sent this entry, so the reader has to find it too, or mark its loss.
        context.unread.insert(newest.key);
    }
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
