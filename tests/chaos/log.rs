//! What the stream has in the end.

use crate::rig::payload::Payload;
use crate::rig::resp::Value;
use crate::rig::server::Server;
use crate::rig::trace::Key;
use crate::run::KEY;

/// What Redis has in the end.
pub(crate) struct Log {
    pub(crate) events: Vec<(Payload, Key)>,
    /// Where it says that something was lost.
    pub(crate) marks: Vec<Key>,
    /// Where it was empty.
    pub(crate) begins: Vec<Key>,
}

impl Log {
    pub(crate) async fn read(server: &Server) -> Self {
        let mut log = Self {
            events: Vec::new(),
            marks: Vec::new(),
            begins: Vec::new(),
        };
        let mut connection = server.connection().await;
        let mut from = "-".to_owned();
        loop {
            let page = connection
                .send(&format!("XRANGE {KEY} {from} + COUNT 10000"))
                .await;
            let Some(last) = page.list().last() else {
                return log;
            };
            from = format!("({}", last.list()[0].text());
            for entry in page.list() {
                let key = Key::parse(&entry.list()[0].text()).unwrap();
                let fields: Vec<_> = entry.list()[1].list().iter().map(Value::text).collect();
                let field = |name| {
                    fields
                        .chunks(2)
                        .find(|two| two[0] == name)
                        .map(|two| two[1].as_str())
                };
                if let Some(mark) = field("mark") {
                    match mark {
                        "lost" => log.marks.push(key),
                        _ => log.begins.push(key),
                    }
                } else if let Some(payload) = field("data").and_then(Payload::parse) {
                    log.events.push((payload, key));
                }
            }
        }
    }

    /// What the log has between a place and the next mark: whether Redis was away meanwhile.
    pub(crate) fn around(&self, at: Key, mark: Key) -> String {
        let keys = self.events.iter().map(|(_, key)| *key);
        let keys: Vec<Key> = keys.filter(|key| at < *key && *key < mark).collect();
        let steps = keys.windows(2).map(|two| two[1].0 - two[0].0);
        format!(
            "after {at} with the mark {mark}: {} events from {:?} to {:?}, at most {} ms apart",
            keys.len(),
            keys.first(),
            keys.last(),
            steps.max().unwrap_or_default()
        )
    }
}
