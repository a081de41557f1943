//! The parts of a gzip stream (RFC 1952) that does not come from one encoder: its header, its
//! stored blocks, and its trailer.
//!
//! Every part begins and ends at a byte border, so parts of any origin can follow each other.

use bytes::Bytes;
use crc32fast::Hasher;

/// The header: no name, no time, an unknown system.
pub(super) const HEADER: Bytes = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/// The maximum number of bytes in a stored block.
const STORED_MAX: usize = 0xffff;

/// Bytes up to this number are copied behind the head of their stored block. More of them are sent
/// as a chunk of their own, which shares their memory.
const COPIED_MAX: usize = 4 * 1024;

/// The checksum and the length of uncompressed bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksum {
    crc: u32,
    len: u64,
}

impl Checksum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            crc: crc32fast::hash(bytes),
            len: bytes.len() as u64,
        }
    }

    /// Becomes the checksum of these bytes after its own.
    pub(super) fn append(&mut self, bytes: Self) {
        if self.len == 0 {
            *self = bytes;
        } else if bytes.len > 0 {
            let mut hasher = Hasher::new_with_initial_len(self.crc, self.len);
            hasher.combine(&Hasher::new_with_initial_len(bytes.crc, bytes.len));
            self.crc = hasher.finalize();
            self.len = self.len.wrapping_add(bytes.len);
        }
    }

    /// The end of a stream with this checksum: an empty block that is marked as the last, and the
    /// trailer.
    pub(super) fn end(self) -> Bytes {
        let mut end = vec![1, 0, 0, 0xff, 0xff];
        end.extend_from_slice(&self.crc.to_le_bytes());
        // The length is stored modulo 2^32.
        end.extend_from_slice(&self.len.to_le_bytes()[..4]);
        Bytes::from(end)
    }
}

/// Writes the bytes as stored blocks, which refer to nothing and are readable at once.
pub(super) fn store(mut plain: Bytes, out: &mut impl Extend<Bytes>) {
    while !plain.is_empty() {
        let part = plain.split_to(plain.len().min(STORED_MAX));
        let copied = part.len() <= COPIED_MAX;
        let mut block = Vec::with_capacity(5 + if copied { part.len() } else { 0 });
        let [low, high, ..] = part.len().to_le_bytes();
        block.extend_from_slice(&[0, low, high, !low, !high]);
        if copied {
            block.extend_from_slice(&part);
            out.extend([Bytes::from(block)]);
        } else {
            out.extend([Bytes::from(block), part]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    fn decode(chunks: &[Bytes]) -> Vec<u8> {
        let (encoded, mut decoded) = (chunks.concat(), Vec::new());
        let mut decoder = GzDecoder::new(&*encoded);
        decoder.read_to_end(&mut decoded).unwrap();
        assert!(decoder.into_inner().is_empty(), "bytes after the trailer");
        decoded
    }

    #[test]
    fn stored_blocks_of_every_size() {
        let border = [0, 1, COPIED_MAX, STORED_MAX, 2 * STORED_MAX];
        let sizes = border
            .iter()
            .flat_map(|size| [size.max(&1) - 1, *size, size + 1]);
        for size in sizes {
            let plain: Vec<u8> = (0..=250).cycle().take(size).collect();
            let mut chunks = vec![HEADER];
            store(Bytes::from(plain.clone()), &mut chunks);
            chunks.push(Checksum::of(&plain).end());
            assert_eq!(decode(&chunks), plain, "{size} bytes");
        }
    }

    #[test]
    fn large_chunks_are_not_copied() {
        let plain = Bytes::from(vec![b'x'; COPIED_MAX + 1]);
        let mut chunks = Vec::new();
        store(plain.clone(), &mut chunks);
        assert_eq!(chunks[1].as_ptr(), plain.as_ptr());
    }

    #[test]
    fn blocks_of_an_encoder_follow_stored_ones() {
        let parts = [&b""[..], b"data: goal\n\n", b":\n", b"data: goal\n\n", b"x"];
        let mut deflate = Compress::new(Compression::default(), false);
        let (mut chunks, mut checksum) = (vec![HEADER], Checksum::default());
        for (at, part) in parts.iter().enumerate() {
            if at % 2 == 0 {
                store(Bytes::copy_from_slice(part), &mut chunks);
            } else {
                deflate.reset();
                let mut piece = Vec::with_capacity(100);
                let flush = FlushCompress::Sync;
                deflate.compress_vec(part, &mut piece, flush).unwrap();
                chunks.push(Bytes::from(piece));
            }
            checksum.append(Checksum::of(part));
        }
        assert_eq!(checksum, Checksum::of(&parts.concat()));
        chunks.push(checksum.end());
        assert_eq!(decode(&chunks), parts.concat());
    }

    #[test]
    fn a_cut_stream_looks_cut() {
        let mut chunks = vec![HEADER];
        store(Bytes::from_static(b"data: goal\n\n"), &mut chunks);
        let encoded = chunks.concat();
        let error = GzDecoder::new(&*encoded).read_to_end(&mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
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
