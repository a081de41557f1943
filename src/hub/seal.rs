use std::fmt;
use std::sync::PoisonError;

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use zeroize::Zeroizing;

use crate::protocol::EventId;
use crate::sync::{Mutex, MutexGuard};

/// The key that a hub seals its IDs with: [`HubBuilder::seal_ids`](super::HubBuilder::seal_ids).
///
/// 32 random bytes, kept secret and used for nothing else. Its memory is wiped when it is dropped,
/// and its `Debug` output shows nothing of it.
///
/// ```
/// use tower_sse::hub::SealKey;
///
/// // Random bytes from the operating system, or from the service's secret store.
/// let secret = [7; 32];
/// assert_eq!(format!("{:?}", SealKey::from(secret)), "SealKey(..)");
/// ```
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; LEN]>);

impl From<[u8; 32]> for SealKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// The length of a sealed place in bytes, and, by coincidence, of a key.
const LEN: usize = 32;

/// The length of AES-SIV's synthetic nonce, which comes first and authenticates the rest.
const NONCE: usize = 16;

/// The length of a sealed ID.
const TEXT: usize = (LEN * 8).div_ceil(6);

const BLANK: EventId = EventId::from_static("-------------------------------------------");

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const NO_HEADERS: [&[u8]; 0] = [];

/// Encodes places as IDs that reveal nothing, and decodes them.
///
/// An ID is the base64url of AES-SIV (RFC 5297) over the epoch and the number. That is
/// deterministic, so all subscribers share one encoded event, and authenticated, so only IDs sealed
/// with the key open.
#[derive(Debug)]
pub(super) struct Seal {
    key: SealKey,
    epoch: u64,
    turn: Mutex<()>,
}

impl Seal {
    pub(super) fn new(key: SealKey, epoch: u64) -> Self {
        Self {
            key,
            epoch,
            turn: Mutex::new(()),
        }
    }

    /// See [`Epoch::turn`](super::epoch::Epoch::turn).
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A placeholder that is as long as every ID, and never an ID itself.
    pub(super) fn blank() -> EventId {
        BLANK
    }

    pub(super) fn id(&self, seq: u64) -> EventId {
        let mut sealed = [0; LEN];
        let (nonce, place) = sealed.split_at_mut(NONCE);
        place[..8].copy_from_slice(&self.epoch.to_be_bytes());
        place[8..].copy_from_slice(&seq.to_be_bytes());
        let tag = self
            .cipher()
            .encrypt_inout_detached(NO_HEADERS, place.into())
            .expect("an empty list of headers is not too long");
        nonce.copy_from_slice(&tag);
        let text = encode(&sealed);
        std::str::from_utf8(&text)
            .ok()
            .and_then(|text| EventId::try_from(text).ok())
            .expect("letters, digits, '-' and '_' are a valid ID")
    }

    /// The number, if the ID was sealed with this key and for this epoch.
    pub(super) fn open(&self, id: &str) -> Option<u64> {
        let mut sealed = decode(id.as_bytes())?;
        let (nonce, place) = sealed.split_at_mut(NONCE);
        let tag = (&*nonce).try_into().ok()?;
        self.cipher()
            .decrypt_inout_detached(NO_HEADERS, (&mut *place).into(), &tag)
            .ok()?;
        let seq = place.strip_prefix(&self.epoch.to_be_bytes())?;
        seq.try_into().ok().map(u64::from_be_bytes)
    }

    /// The cipher is stateful, so each ID gets a new one, at the cost of a key schedule.
    fn cipher(&self) -> Aes128Siv {
        Aes128Siv::new((&*self.key.0).into())
    }
}

/// Base64url without padding.
fn encode(bytes: &[u8; LEN]) -> [u8; TEXT] {
    let mut text = [0; TEXT];
    for (digits, bytes) in text.chunks_mut(4).zip(bytes.chunks(3)) {
        let mut group = [0; 4];
        group[1..=bytes.len()].copy_from_slice(bytes);
        let group = u32::from_be_bytes(group);
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = DIGITS[(group >> (18 - 6 * at) & 63) as usize];
        }
    }
    text
}

/// Strict: accepts only what `encode` writes.
fn decode(text: &[u8]) -> Option<[u8; LEN]> {
    if text.len() != TEXT {
        return None;
    }
    let mut bytes = [0; LEN];
    let mut rest = bytes.iter_mut();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., byte] = (bits >> count).to_be_bytes();
            *rest.next()? = byte;
            bits &= (1 << count) - 1;
        }
    }
    (bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: u8, epoch: u64) -> Seal {
        Seal::new(SealKey::from([key; 32]), epoch)
    }

    #[test]
    fn digits_are_base64url() {
        assert_eq!(encode(&[0; LEN]), [b'A'; TEXT]);
        let text = encode(&[0xff; LEN]);
        assert_eq!((text[0], text[TEXT - 1]), (b'_', b'8'));
        let count: [u8; LEN] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(
            &encode(&count),
            b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
        );
        for bytes in [[0; LEN], [0xff; LEN], count] {
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }

    /// What OpenSSL's AES-SIV makes of the same bytes: other processes and later versions know the ID.
    #[test]
    fn ids_are_what_others_compute() {
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let seal = Seal::new(SealKey::from(key), 36);
        for (seq, id) in [
            (0, "ZyUbYAER4VyIUl7NMN10RUOlAu4Vx32cSbp2l94qd98"),
            (7, "zHgBn2f6w8y6E1QcFzJ1Hz5KL9-NJxC43YOTAx7LfXA"),
        ] {
            assert_eq!(seal.id(seq).as_str(), id);
            assert_eq!(seal.open(id), Some(seq));
        }
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let (here, elsewhere, later) = (seal(1, 36), seal(2, 36), seal(1, 37));
        for seq in [0, 1, 42, 1 << 40, u64::MAX] {
            let id = here.id(seq);
            assert_eq!(id, here.id(seq), "the same for all");
            assert_eq!(id.as_str().len(), BLANK.as_str().len());
            assert_eq!(here.open(id.as_str()), Some(seq));
            assert_eq!(elsewhere.open(id.as_str()), None);
            assert_eq!(later.open(id.as_str()), None);
        }
        for other in ["", "10-0", "10-1", BLANK.as_str(), "A", "\u{fc}"] {
            assert_eq!(here.open(other), None, "{other}");
        }
    }

    #[test]
    fn no_altered_id_opens() {
        let seal = seal(1, 36);
        let id = seal.id(7);
        let id = id.as_str();
        for end in 0..id.len() {
            assert_eq!(seal.open(&id[..end]), None);
            assert_eq!(seal.open(&id[id.len() - end..]), None);
            for other in (0..=127).map(char::from).chain(['\u{fc}', '\u{a0}']) {
                let (before, after) = (&id[..end], &id[end + 1..]);
                let inserted = format!("{before}{other}{}", &id[end..]);
                assert_eq!(seal.open(&inserted), None, "{inserted:?}");
                let altered = format!("{before}{other}{after}");
                let expected = (altered == id).then_some(7);
                assert_eq!(seal.open(&altered), expected, "{altered:?}");
            }
            if end > 0 {
                let mut swapped = id.as_bytes().to_vec();
                swapped.swap(end - 1, end);
                let swapped = String::from_utf8(swapped).unwrap();
                assert!(swapped == id || seal.open(&swapped).is_none());
            }
        }
        for more in ["=", "A", "-"] {
            assert_eq!(seal.open(&format!("{id}{more}")), None);
        }
        // Halves of two IDs are none.
        let other = seal.id(8);
        for at in 1..id.len() {
            let mixed = format!("{}{}", &id[..at], &other.as_str()[at..]);
            assert!(mixed == id || mixed == other.as_str() || seal.open(&mixed).is_none());
        }
    }

    /// Between consecutive IDs, and between those of neighbouring epochs and keys, every bit differs
    /// half of the time, and each of an ID's bits is set half of the time.
    #[test]
    fn ids_of_neighbours_have_nothing_in_common() {
        const IDS: u64 = 4_000;
        let bits = |seal: &Seal, seq| decode(seal.id(seq).as_bytes()).unwrap();
        let (here, later, elsewhere) = (seal(1, 36), seal(1, 37), seal(3, 36));
        let mut counts = [[0_u64; LEN * 8]; 5];
        for seq in 0..IDS {
            let id = bits(&here, seq);
            let pairs = [
                [0; LEN],
                bits(&here, seq + 1),
                bits(&here, seq + 256),
                bits(&later, seq),
                bits(&elsewhere, seq),
            ];
            for (count, other) in counts.iter_mut().zip(pairs) {
                for (at, count) in count.iter_mut().enumerate() {
                    let differ = (id[at / 8] ^ other[at / 8]) >> (at % 8) & 1;
                    *count += u64::from(differ);
                }
            }
        }
        // Six standard deviations of about 32.
        for count in counts.iter().flatten() {
            assert!(count.abs_diff(IDS / 2) < 190, "{count} of {IDS}");
        }
    }
}
