//! Stands in for a model.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;

/// The tokens of an answer.
pub(crate) fn generate(prompt: &str) -> impl Stream<Item = String> + use<> {
    let answer = format!("You asked: {prompt}\nA model would now answer that, a token at a time.");
    let tokens: Vec<_> = answer.split_inclusive(' ').map(str::to_owned).collect();
    let pace = IntervalStream::new(interval(Duration::from_millis(60)));
    pace.zip(stream::iter(tokens)).map(|(_, token)| token)
}
