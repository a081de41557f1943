use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use flate2::{Compress, Compression as Level, FlushCompress};

use super::shared_piece::{PieceNumber, SharedPiece};
use crate::compression::Compression;
use crate::compression::gzip::Checksum;

/// Free space in the output with which zlib never has to flush twice.
const SPARE: usize = 64;

/// The capacity of an output buffer that is kept.
const OUTPUT_KEPT: usize = 8 * 1024;

/// A context that compresses the pieces of one segment after the other.
pub(super) struct Deflater {
    context: Compress,
    output: Vec<u8>,
}

thread_local! {
    /// For pieces that stand alone. One for each thread, so that nobody waits for it.
    static ALONE: RefCell<Option<(Compression, Deflater)>> = const { RefCell::new(None) };
}

impl Deflater {
    pub(super) fn new(settings: &Compression) -> Self {
        Self {
            context: settings.raw_context(),
            output: Vec::with_capacity(OUTPUT_KEPT),
        }
    }

    /// Forgets the segment so far, and begins one of this level.
    ///
    /// Within a segment, zlib would have to end a block before it could change the level.
    pub(super) fn begin(&mut self, level: Level) -> Option<()> {
        self.context.reset();
        self.context.set_level(level).ok()
    }

    /// Compresses these bytes, with nothing left to come: they can be read at once. `None` if zlib
    /// fails, which it has no reason to.
    pub(super) fn compress(&mut self, plain: &[u8]) -> Option<Bytes> {
        let (context, output) = (&mut self.context, &mut self.output);
        output.clear();
        let begin = context.total_in();
        loop {
            let read = usize::try_from(context.total_in() - begin).ok()?;
            let rest = plain.get(read..)?;
            let flush = FlushCompress::Sync;
            context.compress_vec(rest, output, flush).ok()?;
            if output.len() < output.capacity() {
                break;
            }
            output.reserve(output.len() / 2 + SPARE);
        }
        let complete = context.total_in() - begin == plain.len() as u64;
        let bytes = complete.then(|| Bytes::copy_from_slice(output));
        if output.capacity() > OUTPUT_KEPT {
            output.clear();
            output.shrink_to(OUTPUT_KEPT);
        }
        bytes
    }

    /// Compresses these bytes, which this many clients may receive, as a segment of their own.
    pub(super) fn alone(
        plain: &[u8],
        settings: &Compression,
        clients: usize,
    ) -> Option<SharedPiece> {
        let new = || (settings.clone(), Self::new(settings));
        let compress = |kept: &mut Option<(Compression, Self)>| {
            kept.take_if(|(of, _)| !of.has_contexts_of(settings));
            let (_, deflater) = kept.get_or_insert_with(new);
            deflater.begin(settings.level_for(clients))?;
            deflater.compress(plain)
        };
        let bytes = ALONE
            .try_with(|alone| compress(&mut *alone.try_borrow_mut().ok()?))
            .ok()??;
        Some(SharedPiece {
            bytes,
            step: PieceNumber::begin(),
            checksum: Checksum::of(plain),
        })
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}
