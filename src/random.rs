use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A random number from 0 to `limit`, both included, uniform enough for spreading load.
pub(crate) fn below(limit: u64) -> u64 {
    let scaled = (u128::from(bits()) * (u128::from(limit) + 1)) >> 64;
    u64::try_from(scaled).expect("at most the limit")
}

/// The standard library seeds `RandomState` from the system's randomness and gives each new one
/// another key. Hashing a constant with a new one needs neither a dependency nor state.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn bits() -> u64 {
    RandomState::new().hash_one(0)
}

/// On this target, `RandomState` has the same seed in every process.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn bits() -> u64 {
    getrandom::u64().unwrap_or_else(|_| RandomState::new().hash_one(0))
}

/// A duration from zero to `limit`, in whole microseconds.
pub(crate) fn up_to(limit: Duration) -> Duration {
    Duration::from_micros(below(u64::try_from(limit.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_the_range_and_no_more() {
        let mut seen = [false; 4];
        for _ in 0..1_000 {
            seen[usize::try_from(below(3)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(below(0), 0);
        below(u64::MAX);
        assert!(up_to(Duration::from_secs(1)) <= Duration::from_secs(1));
        up_to(Duration::MAX);
    }
}
