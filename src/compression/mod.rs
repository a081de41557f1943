//! Compressed event streams.

mod gzip;
