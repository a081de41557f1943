//! Where memory lies, which a case must not inherit from the cases before it.
//!
//! `malloc` gives a loop the same few chunks again and again, and the stack of a process begins at random.
//! A result that crosses a page takes 11 ns longer to write, and an event of 16 B took 35 ns instead of
//! 23 in processes whose stack lay badly. One such place would be in all of a contestant's rounds.
//! Therefore the heap, the stack and the inputs are elsewhere in each round, for all contestants alike.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many allocations are held during a round, and their maximum size: several of each size for which
/// `malloc` uses the chunk again that was freed last.
const HELD: usize = 512;
const SIZE: usize = 1024;

/// How many copies of a text there are.
const COPIES: usize = 64;

static ROUND: AtomicUsize = AtomicUsize::new(0);

/// Where a round allocates and has its stack.
pub(crate) struct Places {
    held: Vec<Vec<u8>>,
    stack: usize,
    seed: u64,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self {
            held: Vec::new(),
            stack: 0,
            seed: 7,
        }
    }

    /// Begins a round: new allocations are held, and those of the last round are freed in random order,
    /// so that others are the first to be used again.
    pub(crate) fn change(&mut self) {
        let held = (0..HELD).map(|_| Vec::with_capacity(1 + self.random(SIZE)));
        let held = held.collect();
        let mut old = std::mem::replace(&mut self.held, held);
        while !old.is_empty() {
            old.swap_remove(self.random(old.len()));
        }
        // Of a page, by the 16 bytes to which the stack is aligned.
        self.stack = self.random(256);
        ROUND.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs the closure on this round's stack.
    pub(crate) fn run(&self, run: &mut dyn FnMut() -> Duration) -> Duration {
        below(self.stack / 4, &mut || match self.stack % 4 {
            0 => with_room::<16>(run),
            1 => with_room::<32>(run),
            2 => with_room::<48>(run),
            _ => with_room::<64>(run),
        })
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005);
        self.seed = self.seed.wrapping_add(1);
        (self.seed >> 33) as usize % below
    }
}

/// Runs the closure that many frames further down, each of about a cache line.
#[inline(never)]
fn below(frames: usize, run: &mut dyn FnMut() -> Duration) -> Duration {
    match frames {
        0 => run(),
        _ => with_room::<16>(&mut || below(frames - 1, run)),
    }
}

/// Runs the closure this much further down.
#[inline(never)]
fn with_room<const N: usize>(run: &mut dyn FnMut() -> Duration) -> Duration {
    let room = black_box([0_u8; N]);
    let time = run();
    black_box(&room);
    time
}

/// Text that is elsewhere in each round.
#[derive(Clone, Copy)]
pub struct Text(&'static [&'static str; COPIES]);

impl Text {
    /// Copies the text, and leaks it.
    pub fn new(text: &str) -> Self {
        let copies = std::array::from_fn(|_| &*text.to_owned().leak());
        Self(Box::leak(Box::new(copies)))
    }

    /// This round's copy.
    #[inline]
    pub fn get(self) -> &'static str {
        self.0[ROUND.load(Ordering::Relaxed) % COPIES]
    }
}
