//! The data of a test's event: which it is, in which topic, and a padding that tells damage.

use std::fmt;

/// What a test publishes, told apart from all others by publisher and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payload {
    pub topic: u16,
    pub publisher: u32,
    pub n: u32,
}

impl Payload {
    /// The events of this publisher have 64 KiB.
    pub const LARGE: u32 = 1 << 31;

    pub fn parse(data: &str) -> Option<Self> {
        let mut words = data.split(' ');
        let payload = Self {
            topic: words.next()?.parse().ok()?,
            publisher: words.next()?.parse().ok()?,
            n: words.next()?.parse().ok()?,
        };
        // The padding as well.
        (payload.to_string() == data).then_some(payload)
    }

    pub fn token(self) -> u64 {
        u64::from(self.publisher) << 32 | u64::from(self.n)
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            publisher,
            n,
        } = self;
        write!(f, "{topic} {publisher} {n} ")?;
        if *publisher == Self::LARGE {
            f.write_str(&"x".repeat(64 << 10))?;
        }
        // Of different lengths, some of more than a line.
        for at in 0..n % 7 {
            f.write_str(if n % 11 == 0 { "lines\n" } else { "padding " })?;
            if at == 3 {
                write!(f, "{}", n.wrapping_mul(2_654_435_761))?;
            }
        }
        Ok(())
    }
}
