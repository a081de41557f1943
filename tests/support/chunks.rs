//! Ways to cut bytes into chunks.

use bytes::Bytes;

use super::rng::Rng;

/// Chunks of this many bytes, the last one shorter.
pub fn of(size: usize, bytes: &[u8]) -> Vec<Bytes> {
    bytes.chunks(size).map(Bytes::copy_from_slice).collect()
}

/// Chunks of these sizes, again and again; of a byte each without any.
pub fn of_sizes(sizes: &[u8], bytes: &[u8]) -> Vec<Bytes> {
    let mut sizes = sizes.iter().map(|size| usize::from(*size)).cycle();
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(1).max(1);
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        chunks.push(Bytes::copy_from_slice(chunk));
        rest = after;
    }
    chunks
}

/// Two chunks, for each place where one can be cut.
pub fn every_split(bytes: &[u8]) -> impl Iterator<Item = Vec<Bytes>> + '_ {
    (0..=bytes.len()).map(|at| {
        let (a, b) = bytes.split_at(at);
        vec![Bytes::copy_from_slice(a), Bytes::copy_from_slice(b)]
    })
}

/// Chunks that end where lines end: at each end that the bits say, again and again.
pub fn at_ends(bits: &[u8], bytes: &[u8]) -> Vec<Bytes> {
    let bits = bits
        .iter()
        .flat_map(|bits| (0..8).map(move |n| bits >> n & 1 == 1));
    let mut bits = bits.cycle();
    let mut chunks = Vec::new();
    let mut from = 0;
    for at in 1..=bytes.len() {
        let after_end = matches!(bytes[at - 1], b'\n' | b'\r');
        if at == bytes.len() || (after_end && bits.next().unwrap_or(true)) {
            chunks.push(Bytes::copy_from_slice(&bytes[from..at]));
            from = at;
        }
    }
    chunks
}

/// Chunks of random sizes up to `most`, empty ones included.
pub fn random(rng: &mut Rng, most: usize, bytes: &[u8]) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rng.below(most + 1).min(rest.len()));
        chunks.push(Bytes::copy_from_slice(chunk));
        rest = after;
    }
    chunks
}
