//! Decoding: events out of chunks of bytes.
//!
//! # Three paths
//!
//! A decoder gets chunks that may be split anywhere, but nearly every chunk contains complete
//! blocks of the simplest form. So there is a short path for those, a general path for the rest,
//! and a buffer for blocks that are split over chunks. All paths produce the same result:
//! [`Parts`](whole_block::Parts) say where in the chunk an event's data, type and ID are, and
//! [`Pending`](pending::Pending) has the fields that are not in the chunk. From the two,
//! `MessageRef` borrows an event and `MessageEvent` takes one. At that point the block is
//! [checked](text) to be UTF-8, once.
//!
//! | path | when it runs | what it does |
//! |---|---|---|
//! | **whole block**, [`Scanner::whole`](scan::Scanner::whole) | at the start of a block, with nothing pending | reads `name: value` lines that end in LF, with one `data` line, up to the empty line; leaves any other block to the scan, which starts at its beginning, or at its second `data` line |
//! | **scan**, [`Scanner::scan`](scan::Scanner::scan) | when the first path gives up | reads line by line: any line end, any field, limits, comments, repair of what is not UTF-8; stops after each event |
//! | **pending**, [`Pending`](pending::Pending) | inside the scan, where the chunk ends before the block does | keeps the block's parts, and how far into a line the chunk reached; the scan of the next chunk begins by finishing that line |
//!
//! A block that is split over chunks is first joined by [`DividedBlock`](tail::DividedBlock), as
//! long as all its lines are `data`, `event` or `id` and it has at most 16 KiB, and is then read as a
//! whole, by the first path or by the scan. Otherwise the scan reads it piece by piece.
//!
//! Of data of several lines in one chunk, the scan keeps only the [positions](pending::Pending), and
//! the lines are joined when the block has been checked: one check, and one copy of each line to where
//! the text stays.
//!
//! Three kinds of chunks are too common to go through the scan: chunks with [only
//! more](scan::Scanner::more) of the block that is being joined or of a line of data, chunks that
//! begin with a block and end in one of its lines, and chunks with only comments, such as heartbeats
//! ([`Scanner::take_all`](scan::Scanner::take_all)).
//!
//! # One call
//!
//! ```text
//! decode(chunk)
//!   whole?      ── yes ──────────────────────────────────────────┐
//!    └─ cut in a line ─> join it, or push its data               │
//!   in a line, or joining? ─> more of the line, or of the block  │
//!   joining?    ── yes ─> the rest of the block ── its end; the  │
//!                          scan, unless it has the simplest form ┤
//!   one kind?   ── yes ─> heartbeats, or a beginning             │
//!   scan:                                                        │
//!     byte order mark, LF after a CR                             │
//!     detour: release what a large event needed; skip what is    │
//!             left of a block that was too long                  │
//!     finish the line that is pending                            │
//!     line by line ── empty line ─> dispatch ────────────────────┤
//!        └─ end of the chunk ─> keep the parts, push the line    │
//!                                                                v
//!                             Parts + Pending + LastId ─> an event
//! ```
//!
//! A block is read at most three times: by the first path, which may give up at its last byte, when
//! it is joined, and by the scan. A line split over many chunks is searched for its end once in
//! each of them, unless a large chunk has a short part of it.
//!
//! # State between calls
//!
//! [`Scanner`](scan::Scanner) is all of the decoder's state: [`StreamStart`](line_end::StreamStart)
//! (byte order mark, CR), [`Pending`](pending::Pending) (the incomplete block and line, its data in
//! a [`DataBuffer`](data_buffer::DataBuffer)), [`DividedBlock`](tail::DividedBlock) (the block that
//! is being joined), [`Lengths`](lengths::Lengths) (limits, and how much of them is used),
//! [`LastId`](last_id::LastId), the reconnection time, and a detour to take before the next block. An
//! event that is not a whole block stays there too, as a [`FoundEvent`](found::FoundEvent), until it is
//! taken in the same call.
//! Parts live for one call only, because they point into the chunk: at the end of the chunk, the
//! scan copies the parts of an incomplete block. Pending fields may be lent until the next call, so
//! a dispatch only clears the flags that mark them as valid, and the next call releases large
//! buffers.

mod data_buffer;
mod decoder;
mod field;
mod found;
mod last_id;
mod lengths;
mod limit;
mod line_end;
mod message;
mod message_ref;
mod pending;
mod scan;
mod tail;
mod text;
mod whole_block;

pub(crate) use decoder::NextItem;
pub use decoder::{Decoded, Decoder};
pub use limit::{Limit, LimitExceeded};
pub use message::MessageEvent;
pub use message_ref::MessageRef;
