//! A hub on a Redis stream.
