use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::deflater::Deflater;
use super::track::Track;
use crate::compression::Compression;

/// A track is in use while the others compress less than this many parts each, on average, between
/// two of its own.
const IDLE: u64 = 8;

/// The tracks of a hub. Only a limited number of them has a compression context, which takes most
/// of the memory.
#[derive(Debug)]
pub(crate) struct Tracks {
    settings: Compression,
    /// The number of parts of frames compressed so far, in all tracks.
    parts: AtomicU64,
    /// The tracks that have a context. Some of them may be gone.
    holders: Mutex<Vec<Weak<Track>>>,
}

impl Tracks {
    pub(crate) fn new(settings: Compression) -> Self {
        Self {
            settings,
            parts: AtomicU64::new(0),
            holders: Mutex::default(),
        }
    }

    pub(super) fn settings(&self) -> &Compression {
        &self.settings
    }

    /// Counts a part of a frame, and returns its number.
    pub(super) fn count(&self) -> u64 {
        self.parts.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives the track a context: a new one, or that of the track that has been idle for longest.
    /// `None` if all tracks are in use.
    pub(super) fn admit(&self, track: &Arc<Track>, now: u64) -> Option<Deflater> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.len() >= self.settings.max_contexts {
            holders.retain(|holder| holder.strong_count() > 0);
        }
        if holders.len() < self.settings.max_contexts {
            holders.push(Arc::downgrade(track));
            return Some(Deflater::new(&self.settings));
        }
        let oldest = holders
            .iter_mut()
            .filter_map(|holder| Some((holder.upgrade()?, holder)))
            .min_by_key(|(track, _)| track.used());
        let (oldest, holder) = oldest?;
        let idle = now.saturating_sub(oldest.used());
        if idle < IDLE.saturating_mul(self.settings.max_contexts as u64) {
            return None;
        }
        let deflater = oldest.take_deflater()?;
        *holder = Arc::downgrade(track);
        Some(deflater)
    }
}
