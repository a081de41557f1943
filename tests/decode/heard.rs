//! What the decoder makes of chunks, in the oracle's words.

use bytes::Bytes;
use tower_sse::Decoder;
use tower_sse::protocol::Decoded;

use crate::support::chunks;
use crate::support::oracle::{Interpretation, Message, interpret};
use crate::support::rng::Rng;

fn end(decoder: &Decoder, out: &mut Interpretation) {
    out.last_event_id = decoder.last_event_id().to_string();
    out.reconnection_time = decoder
        .reconnection_time()
        .map(|time| u64::try_from(time.as_millis()).unwrap());
}

pub(crate) fn owned(chunks: &[Bytes]) -> Interpretation {
    let mut decoder = Decoder::new();
    let mut out = Interpretation::default();
    for chunk in chunks {
        let mut chunk = chunk.clone();
        while let Some(event) = decoder.decode(&mut chunk).unwrap() {
            out.events.push(Message {
                event_type: event.event_type().to_owned(),
                data: event.data().to_owned(),
                last_event_id: event.last_event_id().to_string(),
            });
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, &mut out);
    out
}

pub(crate) fn lent(chunks: &[Bytes]) -> Interpretation {
    let mut decoder = Decoder::new();
    let mut out = Interpretation::default();
    for chunk in chunks {
        let mut chunk: &[u8] = chunk;
        while let Some(event) = decoder.decode_ref(&mut chunk).unwrap() {
            out.events.push(Message {
                event_type: event.event_type().to_owned(),
                data: event.data().to_owned(),
                last_event_id: event.last_event_id().to_string(),
            });
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, &mut out);
    out
}

pub(crate) fn with_comments(chunks: &[Bytes]) -> Interpretation {
    let mut decoder = Decoder::new();
    let mut out = Interpretation::default();
    for chunk in chunks {
        let mut chunk = chunk.clone();
        while let Some(decoded) = decoder.decode_with_comments(&mut chunk).unwrap() {
            match decoded {
                Decoded::Comment(comment) => out.comments.push(comment),
                Decoded::Event(event) => out.events.push(Message {
                    event_type: event.event_type().to_owned(),
                    data: event.data().to_owned(),
                    last_event_id: event.last_event_id().to_string(),
                }),
                other => panic!("{other:?}"),
            }
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, &mut out);
    out
}

/// Holds all three views of these chunks against what is wanted.
pub(crate) fn check(wanted: &Interpretation, chunks: &[Bytes]) {
    assert_eq!(&with_comments(chunks), wanted, "{chunks:?}");
    let without_comments = Interpretation {
        comments: Vec::new(),
        ..wanted.clone()
    };
    assert_eq!(owned(chunks), without_comments, "{chunks:?}");
    assert_eq!(lent(chunks), without_comments, "{chunks:?}");
}

/// Holds the decoder against the oracle: whole, byte by byte, in twos and threes, split in two at
/// every place, and with empty chunks in between.
pub(crate) fn check_every_way(stream: &[u8]) -> Interpretation {
    let wanted = interpret(stream);
    check(&wanted, &[Bytes::copy_from_slice(stream)]);
    for size in 1..=3 {
        check(&wanted, &chunks::of(size, stream));
    }
    for chunks in chunks::every_split(stream) {
        check(&wanted, &chunks);
    }
    check(&wanted, &chunks::random(&mut Rng::new(1), 2, stream));
    wanted
}
