//! The parts of a gzip stream (RFC 1952) that does not come from one encoder: its header, its
//! stored blocks, and its trailer.
//!
//! Every part begins and ends at a byte border, so parts of any origin can follow each other.

use bytes::Bytes;
use crc32fast::Hasher;

/// The header: no name, no time, an unknown system.
pub(super) const HEADER: Bytes = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/// The checksum and the length of uncompressed bytes. The length is modulo 2^32, as gzip has it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksum {
    crc: u32,
    len: u32,
}

impl Checksum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            crc: crc32fast::hash(bytes),
            len: wrapped(bytes.len()),
        }
    }

    pub(super) fn len(self) -> u32 {
        self.len
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let mut hasher = Hasher::new_with_initial(self.crc);
        hasher.update(bytes);
        self.crc = hasher.finalize();
        self.len = self.len.wrapping_add(wrapped(bytes.len()));
    }

    /// Becomes the checksum of its bytes and these, of which there must be less than 4 GiB. That is
    /// cheaper than an [update](Self::update) if there are many.
    pub(super) fn append(&mut self, bytes: Self) {
        if bytes.len == 0 {
            return;
        }
        let mut hasher = Hasher::new_with_initial(self.crc);
        hasher.combine(&Hasher::new_with_initial_len(bytes.crc, bytes.len.into()));
        self.crc = hasher.finalize();
        self.len = self.len.wrapping_add(bytes.len);
    }

    /// The end of a stream with this checksum: an empty block that is marked as the last, and the
    /// trailer.
    pub(super) fn end(self) -> Bytes {
        let mut end = vec![1, 0, 0, 0xff, 0xff];
        end.extend_from_slice(&self.crc.to_le_bytes());
        end.extend_from_slice(&self.len.to_le_bytes());
        Bytes::from(end)
    }
}

/// The number of bytes modulo 2^32.
#[expect(clippy::cast_possible_truncation, reason = "that is modulo")]
fn wrapped(len: usize) -> u32 {
    len as u32
}

/// An empty stored block, which zlib's sync flush ends with. It adds nothing to the stream, but Go's
/// decoder hands out what comes before it.
pub(super) const SYNC: [u8; 5] = [0, 0, 0, 0xff, 0xff];

/// The shortest heartbeat.
pub(super) const HEARTBEAT: &[u8] = b":\n";

/// The shortest heartbeat in a stored block, and an empty one.
pub(super) const STORED_HEARTBEAT: Bytes =
    Bytes::from_static(&[0, 2, 0, 0xfd, 0xff, b':', b'\n', 0, 0, 0, 0xff, 0xff]);

/// The head of a stored block with this many bytes, which refers to nothing before it.
pub(super) fn stored_head(len: u16) -> [u8; 5] {
    let [low, high] = len.to_le_bytes();
    [0, low, high, !low, !high]
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};

    use flate2::read::GzDecoder;
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    fn store(plain: &[u8]) -> Vec<u8> {
        let head = stored_head(plain.len().try_into().unwrap());
        [&head, plain].concat()
    }

    #[test]
    fn blocks_of_several_origins_make_one_stream() {
        let longest = vec![b'x'; 0xffff];
        let parts = [
            &b""[..],
            b"data: goal\n\n",
            b":\n",
            b"data: goal\n\n",
            &longest,
        ];
        let mut deflate = Compress::new(Compression::default(), false);
        let (mut stream, mut checksum) = (HEADER.to_vec(), Checksum::default());
        for (at, part) in parts.iter().enumerate() {
            if at % 2 == 0 {
                stream.extend(store(part));
            } else {
                deflate.reset();
                let mut piece = Vec::with_capacity(100);
                let flush = FlushCompress::Sync;
                deflate.compress_vec(part, &mut piece, flush).unwrap();
                stream.extend(piece);
            }
            checksum.append(Checksum::of(part));
        }
        assert_eq!(checksum, Checksum::of(&parts.concat()));
        stream.extend(checksum.end());
        let (mut decoder, mut decoded) = (GzDecoder::new(&*stream), Vec::new());
        decoder.read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, parts.concat());
        assert!(decoder.into_inner().is_empty(), "bytes after the trailer");
    }

    #[test]
    fn a_heartbeat_is_a_stored_block() {
        assert_eq!(STORED_HEARTBEAT, [&*store(HEARTBEAT), &SYNC].concat());
    }

    #[test]
    fn a_cut_stream_looks_cut() {
        let stream = [&HEADER, &*store(b"data: goal\n\n")].concat();
        let error = GzDecoder::new(&*stream).read_to_end(&mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn checksums_are_the_same_in_any_order_of_work() {
        let text = b"data: one\n\ndata: two\n\n";
        for at in 0..=text.len() {
            let (one, other) = text.split_at(at);
            let (mut appended, mut updated) = (Checksum::of(one), Checksum::of(one));
            appended.append(Checksum::of(other));
            updated.update(other);
            assert_eq!(appended, Checksum::of(text));
            assert_eq!(updated, Checksum::of(text));
        }
    }

    #[test]
    fn the_length_wraps() {
        let mut checksum = Checksum {
            crc: 1,
            len: 0xffff_ffff,
        };
        checksum.append(Checksum::of(b"xy"));
        assert_eq!(checksum.end()[9..], [1, 0, 0, 0]);
    }
}
