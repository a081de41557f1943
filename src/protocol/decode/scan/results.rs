//! The forms in which a result is returned.

use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;

use super::Scanner;
use crate::protocol::decode::message::MessageEvent;
use crate::protocol::decode::message_ref::MessageRef;
use crate::protocol::decode::whole_block::Parts;

impl Scanner {
    /// The event that was just dispatched.
    #[inline(always)]
    pub(in crate::protocol::decode) fn lend<'a>(
        &'a mut self,
        chunk: &'a [u8],
        parts: &Parts,
    ) -> MessageRef<'a> {
        let Self {
            pending,
            last_id,
            detour,
            ..
        } = self;
        MessageRef::lend(chunk, parts, pending, last_id, detour)
    }

    /// The event of the block that [`whole`](Self::whole) found.
    #[inline(always)]
    pub(in crate::protocol::decode) fn lend_whole<'a>(
        &'a mut self,
        chunk: &'a [u8],
        parts: &Parts,
    ) -> MessageRef<'a> {
        let Self {
            pending,
            last_id,
            detour,
            ..
        } = self;
        MessageRef::lend_whole(chunk, parts, pending, last_id, detour)
    }

    /// The event that was just dispatched, with the text of its block.
    #[inline(always)]
    pub(in crate::protocol::decode) fn own(
        &mut self,
        block: ByteString,
        parts: Parts,
    ) -> MessageEvent {
        MessageEvent::of_block(block, parts, &mut self.last_id)
    }

    /// Keeps the event that was just dispatched, and takes it out of the chunk with everything before
    /// `len`.
    #[inline]
    pub(in crate::protocol::decode) fn keep(
        &mut self,
        chunk: &mut Bytes,
        parts: Parts,
        len: usize,
    ) {
        let Self {
            pending, last_id, ..
        } = self;
        self.found.set(chunk, parts, len, pending, last_id);
    }

    /// The event that was kept.
    #[inline(always)]
    pub(in crate::protocol::decode) fn take(&mut self) -> MessageEvent {
        self.found.take(&mut self.last_id)
    }

    /// The data and the type of the event that was kept.
    pub(in crate::protocol::decode) fn kept(&self) -> (&[u8], &[u8]) {
        self.found.texts()
    }

    /// The event that [`join`](Self::join) found.
    #[inline]
    pub(in crate::protocol::decode) fn lend_joined(&mut self, parts: &Parts) -> MessageRef<'_> {
        let Self {
            tail,
            pending,
            last_id,
            detour,
            ..
        } = self;
        MessageRef::lend_whole(tail.block(), parts, pending, last_id, detour)
    }

    /// The event that [`scan_joined`](Self::scan_joined) found.
    #[inline]
    pub(in crate::protocol::decode) fn lend_scanned(&mut self, parts: &Parts) -> MessageRef<'_> {
        let Self {
            tail,
            pending,
            last_id,
            detour,
            ..
        } = self;
        MessageRef::lend(tail.block(), parts, pending, last_id, detour)
    }

    /// Keeps the event that [`join`](Self::join) found.
    #[inline]
    pub(in crate::protocol::decode) fn keep_joined(&mut self, parts: Parts) {
        let Self {
            pending, last_id, ..
        } = self;
        self.found.copy(self.tail.block(), parts, pending, last_id);
    }

    /// Keeps the event that [`scan_joined`](Self::scan_joined) found.
    #[inline]
    pub(in crate::protocol::decode) fn keep_scanned(&mut self, parts: Parts) {
        let Self {
            pending, last_id, ..
        } = self;
        let block = self.tail.block();
        self.found.copy_scanned(block, parts, pending, last_id);
    }

    /// The comment that was just found.
    pub(in crate::protocol::decode) fn comment(
        &mut self,
        chunk: &[u8],
        at: Option<Range<usize>>,
    ) -> String {
        let text = match at {
            Some(at) => chunk[at].to_vec(),
            None => self.pending.take_value(),
        };
        String::from_utf8(text)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}
