use crate::hub::core::{Begin, Fresh, Last, State};

/// Where in the outer log a subscription begins.
#[derive(Debug)]
pub(in crate::hub) struct From {
    pub(super) begin: Begin,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// The ring has not begun.
    Waiting,
    /// It has read, or missed, everything up to this key.
    Reading(u128),
    /// It has taken its place in the ring.
    Placed,
}

impl From {
    /// Returns `None` if the ring has everything that the subscription needs.
    pub(in crate::hub) fn new(state: &State, begin: &Begin, is_lossy: bool) -> Option<Self> {
        let stage = if state.has_begun() {
            let floor = begin.floor_key()?;
            match (begin.last(), begin.start()) {
                (Last::Key(key), _) if is_lossy => Stage::Reading(floor.max(*key)),
                (Last::Nothing, Fresh::Oldest) => Stage::Reading(floor),
                (Last::Nothing, Fresh::After(Last::Key(key))) => Stage::Reading(floor.max(*key)),
                _ => return None,
            }
        } else {
            Stage::Waiting
        };
        let begin = begin.clone();
        Some(Self { begin, stage })
    }
}
