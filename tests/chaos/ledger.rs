//! What publishers say.

use crate::rig::checker::Truth;
use crate::rig::payload::Payload;
use crate::rig::trace::Key;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) truth: Truth,
    pub(crate) begun: usize,
    pub(crate) acknowledged: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
}

impl Ledger {
    /// Takes a line of a publisher.
    pub(crate) fn take(&mut self, publisher: u32, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, topic, n, ref id @ ..] = words[..] else {
            return;
        };
        let payload = Payload {
            topic: topic.parse().unwrap(),
            publisher,
            n: n.parse().unwrap(),
        };
        match (kind, id) {
            ("b", _) => {
                self.truth.begin(payload);
                self.begun += 1;
            }
            ("s", [id]) => {
                self.truth.stored(payload, Key::parse(id).unwrap());
                self.acknowledged += 1;
            }
            ("n", _) => {
                self.truth.refused(payload);
                self.refused += 1;
            }
            ("m", _) => self.unknown += 1,
            _ => panic!("publisher {publisher}: {line}"),
        }
    }
}
