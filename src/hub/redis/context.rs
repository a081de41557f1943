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

/// What the tasks of one hub on one context have in common.
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

    /// A connection of one's own to where the stream is. Commands are answered within this time or fail.
    pub(super) async fn connect(&self, answer: Duration) -> Result<Link, redis::RedisError> {
        let RedisSettings { server, stream, .. } = &self.settings;
        server.connect(stream, answer).await
    }

    /// The connection that follows the stream is in order.
    pub(super) fn connected(&self) {
        if !self.counts.connected.swap(true, Ordering::Relaxed) {
            trace::connected();
        }
    }

    /// It is lost, or could not be made.
    pub(super) fn disconnected(&self, why: &str) {
        self.pages.forget();
        self.counts.note_progress(false);
        if self.counts.connected.swap(false, Ordering::Relaxed) {
            self.counts.reconnects.fetch_add(1, Ordering::Relaxed);
            trace::disconnected(why);
        }
    }

    /// The ring is about to change so.
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
