use bytes::{Buf, Bytes};
use flate2::{Compress, FlushCompress};

use super::compression::Compression;

/// The longest input that is compressed in one poll, in bytes, which takes about a millisecond.
const SLICE: usize = 64 * 1024;

/// The output of one call of the compressor. Most events fit, and then cost one allocation. It is
/// zeroed for each event, so it is not larger.
const OUTPUT: usize = 1024;

/// The compression context of a stream that no other subscriber receives.
///
/// Each frame ends with a sync flush, that is, with an empty stored block. It costs about four bytes
/// more than a partial flush, but Go's decoder returns what it has decoded only there.
pub(super) struct OwnContext {
    compress: Compress,
}

impl OwnContext {
    pub(super) fn new(settings: &Compression) -> Self {
        Self {
            compress: settings.context(),
        }
    }

    /// Takes the next slice off the input and compresses it. After the `last` one, the stream is
    /// complete. `None` means that the compressor has failed, which only a bug in it could cause.
    pub(super) fn next(&mut self, input: &mut Bytes, last: bool) -> Option<Bytes> {
        let slice = input.split_to(input.len().min(SLICE));
        let flush = if last && input.is_empty() {
            FlushCompress::Finish
        } else {
            FlushCompress::Sync
        };
        self.compress(&slice, flush)
    }

    fn compress(&mut self, mut input: &[u8], flush: FlushCompress) -> Option<Bytes> {
        let mut output = [0; OUTPUT];
        let mut earlier = Vec::new();
        loop {
            let (read, written) = (self.compress.total_in(), self.compress.total_out());
            self.compress.compress(input, &mut output, flush).ok()?;
            let read = usize::try_from(self.compress.total_in() - read).ok()?;
            let written = usize::try_from(self.compress.total_out() - written).ok()?;
            input.advance(read);
            let output = &output[..written];
            if written == OUTPUT {
                // There may be more.
                earlier.extend_from_slice(output);
            } else if !input.is_empty() {
                return None;
            } else if earlier.is_empty() {
                return Some(Bytes::copy_from_slice(output));
            } else {
                earlier.extend_from_slice(output);
                return Some(earlier.into());
            }
        }
    }
}
