#[cfg(feature = "sealed")]
use super::seal::{Seal, SealKey};
use crate::protocol::EventId;
use crate::random;
use crate::sync::MutexGuard;

/// A publisher's turn. While it is held, no other publisher takes a number.
pub(super) type Turn<'a> = Option<MutexGuard<'a, ()>>;

/// The prefix of every ID, which distinguishes one hub's IDs from those of another hub or of
/// another life of the process.
///
/// An ID reads `<epoch>-<sequence number>`, the epoch in base 36 and the number in decimal, unless IDs
/// are sealed.
#[derive(Debug)]
pub(super) struct Epoch {
    number: u64,
    prefix: String,
    #[cfg(feature = "sealed")]
    seal: Option<Seal>,
}

impl Epoch {
    pub(super) fn new(number: u64) -> Self {
        let mut digits = Vec::new();
        let mut rest = number;
        loop {
            let digit = char::from_digit(u32::try_from(rest % 36).unwrap_or(0), 36);
            digits.push(digit.unwrap_or('0'));
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        let prefix = digits.into_iter().rev().chain(['-']).collect();
        Self {
            number,
            prefix,
            #[cfg(feature = "sealed")]
            seal: None,
        }
    }

    /// An epoch whose IDs are sealed.
    #[cfg(feature = "sealed")]
    pub(super) fn sealed(number: u64, key: SealKey) -> Self {
        Self {
            seal: Some(Seal::new(key, number)),
            ..Self::new(number)
        }
    }

    /// Has 48 bits: enough to distinguish the lives of a process, while IDs stay short.
    pub(super) fn random_number() -> u64 {
        random::below((1 << 48) - 1)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn id(&self, seq: u64) -> EventId {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return seal.id(seq);
        }
        let mut text = [0; 40];
        let (prefix, mut digits) = (self.prefix.as_bytes(), itoa::Buffer::new());
        let digits = digits.format(seq).as_bytes();
        let len = prefix.len() + digits.len();
        text[..prefix.len()].copy_from_slice(prefix);
        text[prefix.len()..len].copy_from_slice(digits);
        // Only letters, digits and a hyphen, so there is nothing to check.
        EventId::copy_checked(&text[..len])
    }

    /// A placeholder for the ID of an event that is encoded before its turn. Only sealed IDs have
    /// one, because they all have the same length.
    pub(super) fn blank(&self) -> Option<EventId> {
        #[cfg(feature = "sealed")]
        if self.seal.is_some() {
            return Some(Seal::blank());
        }
        None
    }

    /// Takes a publisher's turn if IDs are sealed. The number of the next event is then known
    /// without the lock, so an ID is sealed once and no subscriber waits for it.
    #[inline]
    pub(super) fn turn(&self) -> Turn<'_> {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return Some(seal.turn());
        }
        None
    }

    /// The number of bytes before the number in an ID, if the number is readable.
    pub(super) fn prefix_len(&self) -> Option<usize> {
        #[cfg(feature = "sealed")]
        if self.seal.is_some() {
            return None;
        }
        Some(self.prefix.len())
    }

    /// The sequence number, if the ID is exactly as this epoch writes it.
    pub(super) fn parse(&self, id: &str) -> Option<u64> {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return seal.open(id);
        }
        let digits = id.strip_prefix(self.prefix.as_str())?;
        let canonical = digits == "0" || !digits.starts_with(['0', '+']);
        canonical.then(|| digits.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_their_number_and_nothing_else_does() {
        for epoch in [0, 35, 36, u64::MAX] {
            let epoch = Epoch::new(epoch);
            for seq in [0, 1, 42, u64::MAX] {
                assert_eq!(epoch.parse(epoch.id(seq).as_str()), Some(seq));
            }
        }
        let epoch = Epoch::new(36 * 36 + 35);
        assert_eq!(epoch.id(7).as_str(), "10z-7");
        for other in [
            "",
            "7",
            "-7",
            "10z",
            "10z-",
            "10z-+7",
            "10z-07",
            "10z--7",
            "10Z-7",
            "10z-7 ",
            " 10z-7",
            "010z-7",
            "10y-7",
            "10z-18446744073709551616",
            "10z-७",
        ] {
            assert_eq!(epoch.parse(other), None, "{other:?}");
        }
    }
}
