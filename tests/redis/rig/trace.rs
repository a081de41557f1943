//! What a client was sent, as far as the check needs it.

use std::fmt;
use std::io::{self, Read, Write};

use super::feed::Block;
use super::payload::Payload;

/// An ID of Redis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(pub u64, pub u64);

impl Key {
    pub const MAX: Self = Self(u64::MAX, u64::MAX);

    pub fn parse(id: &str) -> Option<Self> {
        let (time, number) = id.split_once('-')?;
        let key = Self(time.parse().ok()?, number.parse().ok()?);
        (key.to_string() == id).then_some(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Event {
        key: Key,
        payload: Payload,
    },
    /// It may have missed something, and continues after `key`.
    Gap {
        key: Key,
    },
    /// An ID without an event.
    Place {
        key: Key,
    },
    /// Neither.
    Alien,
    /// A new connection, to the node of this number.
    Opened {
        node: u32,
    },
}

impl Seen {
    pub fn key(&self) -> Option<Key> {
        match *self {
            Self::Event { key, .. } | Self::Gap { key } | Self::Place { key } => Some(key),
            Self::Alien | Self::Opened { .. } => None,
        }
    }

    /// What a block says; `None` for a comment, or a block that does not concern an EventSource.
    pub fn of(block: &Block) -> Option<Self> {
        if block.id.is_none() && block.data.is_none() {
            return None;
        }
        let key = block.id.as_deref().and_then(Key::parse);
        let seen = match (key, &block.data) {
            (Some(key), None) => Self::Place { key },
            (Some(key), Some(_)) if block.event == "gap" => Self::Gap { key },
            (Some(key), Some(data)) => match Payload::parse(data) {
                Some(payload) => Self::Event { key, payload },
                None => Self::Alien,
            },
            (None, _) => Self::Alien,
        };
        Some(seen)
    }

    /// Binary, since there are millions.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let (kind, key, numbers) = match *self {
            Self::Event { key, payload } => {
                let Payload {
                    topic,
                    publisher,
                    n,
                } = payload;
                (b'e', key, [topic.into(), publisher, n])
            }
            Self::Gap { key } => (b'g', key, [0; 3]),
            Self::Place { key } => (b'p', key, [0; 3]),
            Self::Alien => (b'a', Key::default(), [0; 3]),
            Self::Opened { node } => (b'o', Key::default(), [node, 0, 0]),
        };
        to.write_all(&[kind])?;
        to.write_all(&key.0.to_le_bytes())?;
        to.write_all(&key.1.to_le_bytes())?;
        numbers
            .iter()
            .try_for_each(|n| to.write_all(&n.to_le_bytes()))
    }

    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let kind = array::<1>(from)?[0];
        let key = Key(
            u64::from_le_bytes(array(from)?),
            u64::from_le_bytes(array(from)?),
        );
        let mut number = || array(from).map(u32::from_le_bytes);
        let (topic, publisher, n) = (number()?, number()?, number()?);
        Ok(match kind {
            b'e' => {
                let topic = u16::try_from(topic).map_err(io::Error::other)?;
                let payload = Payload {
                    topic,
                    publisher,
                    n,
                };
                Self::Event { key, payload }
            }
            b'g' => Self::Gap { key },
            b'p' => Self::Place { key },
            b'o' => Self::Opened { node: topic },
            _ => Self::Alien,
        })
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
