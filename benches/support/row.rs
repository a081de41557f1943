//! The lines that `benches/goals` reads.

use crate::rounds;

/// A row: its name, our figure, the other figure and its name, and how many times ours the other is.
///
/// Names are `bench/case/contestant`. The ratio is given apart, because it is the median of the
/// rounds' ratios and not the ratio of the medians.
pub fn print(name: &str, ours: f64, peer: f64, ratio: f64, peer_name: &str) {
    // A single run says nothing.
    if rounds().is_some() {
        println!("row\t{name}\t{ours:.4}\t{peer:.4}\t{ratio:.3}\t{peer_name}");
    }
}

/// A figure that is compared with nothing.
pub fn alone(name: &str, ours: f64) {
    if rounds().is_some() {
        println!("row\t{name}\t{ours:.4}\t-\t-\t-");
    }
}
