/// Drops what is seldom there, out of line.
///
/// Where a part of an event may be dropped, there has to be an event in memory, and each step of
/// building it is a move through memory, which waits for what the step before has stored. That is why
/// an event is in a [`ManuallyDrop`](std::mem::ManuallyDrop) while a part of it is made: if that panics, the event leaks.
/// `benches/encode`, "typical, number as ID", `Event` of a `String`: 34 ns, and 42 otherwise.
#[inline(always)]
pub(super) fn discard<T>(seldom: Option<T>) {
    #[cold]
    #[inline(never)]
    fn discard<T>(value: T) {
        drop(value);
    }
    if let Some(value) = seldom {
        discard(value);
    }
}
