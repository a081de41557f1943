//! Frames that are compressed once for all subscribers: what the hub knows of
//! [`crate::compression`].

use std::task::Waker;

use bytes::Bytes;

pub(super) use crate::compression::{Packed, Span, Track, Tracks};

use super::core::{Seat, Taken};
use super::shared::Shared;
use crate::compression::handover;
pub(super) use crate::compression::handover::{announce, is_wanted};

impl Shared {
    /// Takes a frame like [`Shared::take_shared`], and offers its
    /// compressed form.
    pub(super) fn take_shared_packed(&self, seat: &mut Seat, task: &Waker) -> Option<Bytes> {
        let mut state = self.lock();
        let from = state.place(seat);
        let bytes = state.take_shared(seat, task, false)?;
        let packed = state.pack(seat, from, (&bytes, None), &self.tracks);
        drop(state);
        handover::offer(packed);
        Some(bytes)
    }

    /// Takes a frame like [`Shared::take`], and offers its compressed
    /// form.
    pub(super) fn take_packed(&self, seat: &mut Seat) -> Taken {
        let (taken, packed) = self.with(|state, wakes| {
            let from = state.place(seat);
            let taken = state.take(seat, wakes);
            let packed = match &taken {
                Taken::Frame(block) => Some(state.pack(seat, from, block.parts(), &self.tracks)),
                _ => None,
            };
            (taken, packed)
        });
        if let Some(packed) = packed {
            handover::offer(packed);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::pin::Pin;
    use std::task::Context;

    use flate2::write::GzDecoder;
    use http_body::Body;

    use crate::compression::{Follower, handover};
    use crate::hub::{Hub, Subscription};
    use crate::protocol::{Data, Event};
    use bytes::Bytes;

    struct Reader {
        body: Subscription,
        follower: Follower,
        decoder: GzDecoder<Vec<u8>>,
        plain: usize,
        wire: Vec<Bytes>,
    }

    impl Reader {
        fn new(body: Subscription) -> Self {
            Self {
                body,
                follower: Follower::default(),
                decoder: GzDecoder::new(Vec::new()),
                plain: 0,
                wire: Vec::new(),
            }
        }

        /// Reads all that is pending; `false` at the end.
        fn read(&mut self) -> bool {
            let cx = &mut Context::from_waker(std::task::Waker::noop());
            loop {
                let body = Pin::new(&mut self.body);
                let slot = handover::open();
                let polled = body.poll_frame(cx);
                let offer = slot.close();
                let std::task::Poll::Ready(frame) = polled else {
                    return true;
                };
                self.follower.offered(offer);
                let ended = frame.is_none();
                let mut rest =
                    frame.map_or_else(Bytes::new, |frame| frame.unwrap().into_data().unwrap());
                self.plain += rest.len();
                while let Some(chunk) = self.follower.next(&mut rest, ended) {
                    self.decoder.write_all(&chunk).unwrap();
                    self.wire.push(chunk);
                    if rest.is_empty() && (ended || self.wire.len() > 1) {
                        break;
                    }
                }
                self.decoder.flush().unwrap();
                assert_eq!(self.decoder.get_ref().len(), self.plain);
                if ended {
                    self.decoder.try_finish().unwrap();
                    return false;
                }
            }
        }
    }

    #[test]
    fn subscribers_share_compressed_frames() {
        crate::sync::run(share);
    }

    fn share() {
        let hub = Hub::builder().epoch(36).build();
        let mut readers = [(); 3].map(|()| Reader::new(hub.subscribe().unwrap()));
        assert!(readers.iter_mut().all(Reader::read));
        let data = Data::try_from(Bytes::from(vec![b'x'; 200_000])).unwrap();
        for data in [
            Data::from("goal"),
            data,
            Data::from("goal"),
            Data::from("goal"),
        ] {
            hub.publish(Event::new(data));
            assert!(readers.iter_mut().all(Reader::read));
        }
        let [one, _, other] = &readers;
        for (one, other) in one.wire.iter().zip(&other.wire).skip(2) {
            assert_eq!(one.as_ptr(), other.as_ptr(), "{one:?} {other:?}");
        }
        hub.close();
        for mut reader in readers {
            assert!(!reader.read());
            let wire: usize = reader.wire.iter().map(Bytes::len).sum();
            assert!(wire < 1_000 && reader.plain > 200_000, "{wire} bytes");
        }
    }
}
