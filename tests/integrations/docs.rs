//! Pages of the docs whose examples need more crates than the library's own.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the links are the library's"
)]

#[doc = include_str!("../../src/docs/http2.md")]
pub mod http2 {}
