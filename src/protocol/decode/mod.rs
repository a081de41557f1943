//! The reading wing: events out of chunks of bytes.
//!
//! # Three paths
//!
//! A decoder gets chunks that are cut anywhere, and nearly always a chunk holds whole blocks of the
//! plainest form. So there is a short path for those, a general one for the rest, and a buffer for
//! what chunks divide. All end in the same place: [`Parts`](whole_block::Parts) say where in
//! the chunk an event's data, type and ID are, and what they do not have is in
//! [`Pending`](pending::Pending); from the two, `MessageRef` borrows an event and `MessageEvent`
//! takes one. There the block is [checked](text) to be UTF-8, once.
//!
//! | path | when it runs | what it does |
//! |---|---|---|
//! | **whole block**, [`Scanner::whole`](scan::Scanner::whole) | at the start of a block, with nothing pending | reads `name: value` lines that end in LF, with one `data` line, up to the empty line; gives up on anything else without having changed anything |
//! | **scan**, [`Scanner::scan`](scan::Scanner::scan) | when the first path gives up | reads line by line: any line end, any field, limits, comments, repair of what is not UTF-8; stops after each event |
//! | **pending**, [`Pending`](pending::Pending) | inside the scan, where the chunk ends before the block does, and for data of several lines | keeps the block's parts, and how far into a line the chunk reached; the scan of the next chunk begins by finishing that line |
//!
//! Before a divided block comes to the scan, [`DividedBlock`](tail::DividedBlock) joins it, as long as it has the plainest
//! form and at most 4 KiB, and the first path reads what is joined.
//!
//! Three kinds of chunks are too common to go through the scan: those that have
//! [no more than a piece of a line](scan::Scanner::more_of_line) of the block that is being joined,
//! those that have only comments, as heartbeats are, and those that have only more of the data that the
//! last one broke off in ([`Scanner::take_all`](scan::Scanner::take_all)).
//!
//! # One call
//!
//! ```text
//! decode(chunk)
//!   whole?      ── yes ──────────────────────────────────────────┐
//!   joining?    ── yes ─> more of the block, or its end ── yes ──┤
//!   one kind?   ── yes ─> heartbeats, more data, or a beginning  │
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
//! A block is looked at three times at most: by the first path, which may give up at its last byte, where
//! it is joined, and by the scan. A line over many chunks is searched for its end once in each of them.
//!
//! # What lives between calls
//!
//! [`Scanner`](scan::Scanner) is all of the decoder's state: [`StreamStart`](line_end::StreamStart) (byte order mark,
//! CR), [`Pending`](pending::Pending) (the unfinished block and line, its data in a
//! [`DataBuffer`](data_buffer::DataBuffer)), [`DividedBlock`](tail::DividedBlock) (the block that is
//! being joined), [`Lengths`](lengths::Lengths)
//! (limits, and how much of them is used), [`LastId`](last_id::LastId), the reconnection time, and a
//! detour to take before the next block. Parts live for one call only: what they point to is gone with
//! the chunk, so the scan copies it where the chunk ends. What is pending may be lent out until the
//! next call, so a dispatch only unsets the flags that say that it counts, and large buffers are
//! released by the next call.

mod data_buffer;
mod decoder;
mod field;
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

pub use decoder::{Decoded, Decoder};
pub use limit::{Limit, LimitExceeded};
pub use message::MessageEvent;
pub use message_ref::MessageRef;
