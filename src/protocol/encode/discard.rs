/// Drops a rarely present value, out of line.
///
/// If part of an event may have to be dropped, the event must be in memory, and each step of
/// building it is a move through memory that waits for the stores of the previous step.
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
