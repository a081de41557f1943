//! Blocks that chunks divide, of about the length up to which they are joined and read whole, against
//! the oracle.

use bytes::Bytes;

use crate::heard::check;
use crate::support::oracle::interpret;
use crate::support::rng::Rng;

/// Up to how many bytes the decoder joins.
const JOINED: usize = 16 * 1024;

fn line(rng: &mut Rng, stream: &mut Vec<u8>) {
    let name = *rng.pick(&[
        "data", "data", "data", "data", "id", "event", "retry", "", "x", "dat", "idx",
    ]);
    stream.extend_from_slice(name.as_bytes());
    stream.extend_from_slice(rng.pick::<&[u8]>(&[b": ", b": ", b": ", b":", b""]));
    let len = match rng.below(12) {
        0 => JOINED - 40 + rng.below(60),
        1 => JOINED / 2 - 20 + rng.below(40),
        2 => 4 * JOINED,
        3..6 => 0,
        _ => rng.below(70),
    };
    let value = *rng.pick::<&[u8]>(&[
        b"x",
        b"x",
        b"7",
        b"\xC3\xB6",
        b"\xF0\x9F\xA6\x80",
        b"\xFF",
        b"\0",
    ]);
    stream.extend(value.iter().cycle().take(len));
    stream.extend_from_slice(rng.pick::<&[u8]>(&[b"\n", b"\n", b"\n", b"\n", b"\r\n", b"\r"]));
}

/// A stream, and where its blocks begin.
fn stream(rng: &mut Rng) -> (Vec<u8>, Vec<usize>) {
    let (mut stream, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..1 + rng.below(5) {
        starts.push(stream.len());
        for _ in 0..rng.below(4) {
            line(rng, &mut stream);
        }
        stream.extend_from_slice(rng.pick::<&[u8]>(&[b"\n", b"\n", b"\n", b"\r\n"]));
    }
    (stream, starts)
}

/// Cuts anywhere, and about where a block is as long as those that are joined.
fn cut(rng: &mut Rng, stream: &[u8], starts: &[usize]) -> Vec<Bytes> {
    let mut cuts = vec![0, stream.len()];
    for _ in 0..rng.below(5) {
        cuts.push(rng.below(stream.len() + 1));
    }
    for start in starts {
        // As long as what is joined, and as the first piece of a line that is not.
        let near = [JOINED, JOINED / 8].map(|len| start + len - 8 + rng.below(16));
        cuts.extend(near.map(|at| at.min(stream.len())));
        cuts.extend([*start, start + rng.below(12)].map(|at| at.min(stream.len())));
    }
    cuts.retain(|_| !rng.one_in(4));
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    let pairs = cuts.windows(2);
    pairs
        .map(|pair| Bytes::copy_from_slice(&stream[pair[0]..pair[1]]))
        .collect()
}

#[test]
fn blocks_about_as_long_as_those_that_are_joined() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let (stream, starts) = stream(&mut rng);
        let wanted = interpret(&stream);
        for _ in 0..3 {
            check(&wanted, &cut(&mut rng, &stream, &starts));
        }
    }
}
