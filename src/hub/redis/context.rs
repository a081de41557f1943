use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::connection::Link;
use super::counts::Counts;
use super::machine::{Act, Depth};
use super::pages::Pages;
use super::settings::RedisSettings;
use super::unread::Unread;

use crate::hub::trace;

/// The state that a hub's tasks share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) settings: RedisSettings,
    pub(super) depth: Depth,
    pub(super) counts: Counts,
    pub(super) pages: Arc<Pages>,
    pub(super) unread: Unread,
}

impl Context {
    pub(super) fn new(settings: RedisSettings, depth: Depth) -> Self {
        Self {
            settings,
            depth,
            counts: Counts::new(),
            pages: Arc::new(Pages::default()),
            unread: Unread::default(),
        }
    }

    /// Opens a connection to the server that holds the stream. Commands fail unless they are
    /// answered within this time.
    pub(super) async fn connect(&self, answer: Duration) -> Result<Link, redis::RedisError> {
        let RedisSettings { server, stream, .. } = &self.settings;
        server.connect(stream, answer).await
    }

    /// Notes that the reader's connection works.
    pub(super) fn connected(&self) {
        if !self.counts.connected.swap(true, Ordering::Relaxed) {
            trace::connected();
        }
    }

    /// Notes that the reader's connection was lost or could not be opened.
    pub(super) fn disconnected(&self, why: &str) {
        self.pages.forget();
        self.counts.note_progress(false);
        if self.counts.connected.swap(false, Ordering::Relaxed) {
            self.counts.reconnects.fetch_add(1, Ordering::Relaxed);
            trace::disconnected(why);
        }
    }

    /// Counts a change of the ring before it is made.
    pub(super) fn note(&self, act: &Act) {
        let entries = match act {
            Act::Cut => return self.pages.forget(),
            Act::Begin { entries, .. } | Act::Append(entries) => entries,
        };
        let skipped = entries.iter().filter(|entry| entry.is_skipped).count();
        Counts::add(&self.counts.entries, entries.len() as u64);
        Counts::add(&self.counts.skipped, skipped as u64);
    }
}
