use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use flate2::Compression as Level;

use super::deflater::Deflater;
use super::packed::Span;
use super::shared_piece::{PieceNumber, SharedPiece};
use super::tracks::Tracks;
use crate::clock;
use crate::compression::Compression;
use crate::compression::gzip::Checksum;

/// A segment that nobody waits for the end of ends after this many bytes, so that its checksum can
/// be [appended](Checksum::append).
const SEGMENT_MAX: u32 = 1 << 31;

/// The compressed counterpart of a group's frames.
#[derive(Debug)]
pub(crate) struct Track {
    tracks: Arc<Tracks>,
    /// The number of connections that could not use the last piece.
    misses: AtomicUsize,
    /// When it was last used, as a [number](Tracks::count) of a part.
    used: AtomicU64,
    state: Mutex<TrackState>,
}

#[derive(Debug, Default)]
struct TrackState {
    /// `None` if too many tracks have one.
    deflater: Option<Deflater>,
    /// The place in the group's log that is reached, and the number of parts after it.
    reached: (u64, usize),
    /// The number of the group's subscribers at the last part.
    subscribers: usize,
    segment: Option<Segment>,
}

#[derive(Debug)]
struct Segment {
    level: Level,
    next: PieceNumber,
    /// The checksum of what it contains so far.
    checksum: Checksum,
    begun: Option<Instant>,
    /// Whether a subscriber waits for the next segment.
    is_awaited: bool,
}

/// Where a part of a frame belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) span: Span,
    pub(super) part: usize,
    pub(super) is_last: bool,
}

impl Track {
    pub(crate) fn new(tracks: Arc<Tracks>) -> Arc<Self> {
        Arc::new(Self {
            tracks,
            misses: AtomicUsize::new(0),
            used: AtomicU64::new(0),
            state: Mutex::default(),
        })
    }

    pub(super) fn settings(&self) -> &Compression {
        self.tracks.settings()
    }

    /// Counts a connection that cannot use the last piece.
    pub(super) fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes its context away, unless that is in use.
    pub(super) fn take_deflater(&self) -> Option<Deflater> {
        let mut state = self.state.try_lock().ok()?;
        state.segment = None;
        state.deflater.take()
    }

    /// Compresses the next part of the group's log, for a connection that can continue its segment
    /// with the piece `next`. `None` for an earlier part, which is for a subscriber that is behind,
    /// or if there are too many tracks.
    pub(super) fn compress(
        self: &Arc<Self>,
        plain: &[u8],
        position: Position,
        next: Option<PieceNumber>,
    ) -> Option<SharedPiece> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if position.begin() < state.reached {
            return None;
        }
        let now = self.tracks.count();
        self.used.store(now, Ordering::Relaxed);
        if state.deflater.is_none() {
            state.deflater = self.tracks.admit(self, now);
        }
        let mut misses = self.misses.swap(0, Ordering::Relaxed);
        let segment = state.segment.as_ref();
        misses += usize::from(segment.is_some_and(|segment| next != Some(segment.next)));
        state.end_segment(position, misses, self.tracks.settings());
        state.subscribers = position.span.subscribers;
        state.reached = position.end();
        state.compress(plain, self.tracks.settings())
    }
}

impl TrackState {
    /// Ends the segment if the part does not follow it, or if the next segment should begin, given
    /// the number of connections that miss this one.
    fn end_segment(&mut self, position: Position, misses: usize, settings: &Compression) {
        let follows = position.begin() == self.reached;
        let has_room = |segment: &Segment| segment.checksum.len() < SEGMENT_MAX;
        // If half of the subscribers miss it, it is of little use.
        let is_used = 2 * misses < self.subscribers.max(1);
        self.segment = self.segment.take().filter(|segment| {
            let level = settings.level_for(position.span.subscribers);
            let is_outdated = segment.level != level;
            let is_due =
                (segment.is_awaited || misses > 0 || is_outdated) && segment.is_full(settings);
            follows && is_used && !is_due && has_room(segment)
        });
        if let Some(segment) = &mut self.segment {
            segment.is_awaited |= misses > 0;
        }
    }

    fn compress(&mut self, plain: &[u8], settings: &Compression) -> Option<SharedPiece> {
        let deflater = self.deflater.as_mut()?;
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => {
                let level = settings.level_for(self.subscribers);
                deflater.begin(level)?;
                Segment::begin(level)
            }
        };
        segment.checksum.update(plain);
        let piece = SharedPiece {
            bytes: deflater.compress(plain)?,
            step: segment.next,
            checksum: segment.checksum,
        };
        segment.next = segment.next.following()?;
        self.segment = Some(segment);
        Some(piece)
    }
}

impl Segment {
    fn begin(level: Level) -> Self {
        Self {
            level,
            next: PieceNumber::begin(),
            checksum: Checksum::default(),
            begun: clock::instant(),
            is_awaited: false,
        }
    }

    /// Whether it is long enough, or old enough, for the next to begin.
    fn is_full(&self, settings: &Compression) -> bool {
        let age = self.begun.map(|begun| begun.elapsed());
        self.checksum.len() >= settings.segment_bytes
            || age.is_some_and(|age| age >= settings.segment_time)
    }
}

impl Position {
    fn begin(self) -> (u64, usize) {
        (self.span.from, self.part)
    }

    fn end(self) -> (u64, usize) {
        if self.is_last {
            (self.span.to, 0)
        } else {
            (self.span.from, self.part + 1)
        }
    }
}
