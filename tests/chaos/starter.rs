//! Starts the processes, again and again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::process::Process;
use crate::run::KEY;

/// What it takes to start a process again.
pub(crate) struct Starter {
    pub(crate) plan: Plan,
    pub(crate) folder: PathBuf,
    pub(crate) ports: Vec<u16>,
    pub(crate) redis: Vec<String>,
    pub(crate) publisher: AtomicU32,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

impl Starter {
    pub(crate) fn kind(&self) -> String {
        if self.plan.toy { "toy" } else { "hub" }.to_owned()
    }

    pub(crate) fn node(&self, number: usize) -> Process {
        let arguments = [
            "node".to_owned(),
            self.ports[number].to_string(),
            self.redis[number].clone(),
            KEY.to_owned(),
            self.plan.ring_events.to_string(),
            self.kind(),
        ];
        let log = self.folder.join(format!("node-{number}.log"));
        Process::start(&arguments, &log, |_| {})
    }

    pub(crate) fn publisher(&self) -> Process {
        let number = self.publisher.fetch_add(1, Ordering::Relaxed);
        let arguments = [
            "publisher".to_owned(),
            number.to_string(),
            self.redis.last().unwrap().clone(),
            KEY.to_owned(),
            (self.plan.rate / self.plan.publishers).to_string(),
            (self.plan.seed * 1_000 + u64::from(number)).to_string(),
            self.plan.max_events.to_string(),
            self.kind(),
        ];
        let log = self.folder.join(format!("publisher-{number}.log"));
        let ledger = Arc::clone(&self.ledger);
        Process::start(&arguments, &log, move |line| {
            ledger.lock().unwrap().take(number, line);
        })
    }
}
