//! What the decoder makes of chunks, in the oracle's words.

use bytes::Bytes;
use tower_sse::Decoder;
use tower_sse::protocol::{Decoded, Limit, LimitExceeded};

use crate::support::chunks;
use crate::support::limited::{self, Limits, rewrite};
use crate::support::oracle::{Interpretation, Message, interpret};
use crate::support::rng::Rng;

fn decoder(limits: Limits) -> Decoder {
    Decoder::new()
        .max_line_len(limits.max_line)
        .max_event_len(limits.max_event)
}

/// Both kinds of event have these methods, and no trait.
macro_rules! message {
    ($event:expr) => {
        Message {
            event_type: $event.event_type().to_owned(),
            data: $event.data().to_owned(),
            last_event_id: $event.last_event_id().to_owned(),
            id: $event.id().map(str::to_owned),
            retry: $event
                .retry()
                .map(|time| u64::try_from(time.as_millis()).unwrap()),
        }
    };
}

fn error(error: LimitExceeded, decoder: &Decoder) -> Message {
    let limit = match error.limit() {
        Limit::Line => limited::LINE,
        Limit::Event => limited::EVENT,
        other => panic!("{other:?}"),
    };
    Message {
        event_type: limited::ERROR.to_owned(),
        data: limit.to_owned(),
        last_event_id: decoder.last_event_id().to_string(),
        id: None,
        retry: None,
    }
}

fn end(decoder: &Decoder, mut out: Interpretation) -> Interpretation {
    out.last_event_id = decoder.last_event_id().to_string();
    out.reconnection_time = decoder
        .reconnection_time()
        .map(|time| u64::try_from(time.as_millis()).unwrap());
    out
}

fn owned(mut decoder: Decoder, chunks: &[Bytes]) -> Interpretation {
    let mut out = Interpretation::default();
    for chunk in chunks {
        let mut chunk = chunk.clone();
        while let Some(event) = decoder.decode(&mut chunk).transpose() {
            out.events.push(match event {
                Ok(event) => message!(event),
                Err(limit) => error(limit, &decoder),
            });
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, out)
}

fn lent(mut decoder: Decoder, chunks: &[Bytes]) -> Interpretation {
    let mut out = Interpretation::default();
    for chunk in chunks {
        let mut chunk: &[u8] = chunk;
        loop {
            out.events.push(match decoder.decode_ref(&mut chunk) {
                Ok(Some(event)) => message!(event),
                Ok(None) => break,
                Err(limit) => error(limit, &decoder),
            });
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, out)
}

fn with_comments(mut decoder: Decoder, chunks: &[Bytes]) -> Interpretation {
    let mut out = Interpretation::default();
    for chunk in chunks {
        let mut chunk = chunk.clone();
        while let Some(decoded) = decoder.decode_with_comments(&mut chunk).transpose() {
            match decoded {
                Ok(Decoded::Comment(comment)) => out.comments.push(comment),
                Ok(Decoded::Event(event)) => out.events.push(message!(event)),
                Ok(other) => panic!("{other:?}"),
                Err(limit) => out.events.push(error(limit, &decoder)),
            }
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, out)
}

/// Another view with each call; comments are dropped, as some of them are not seen whole.
fn mixed(mut decoder: Decoder, chunks: &[Bytes]) -> Interpretation {
    let mut out = Interpretation::default();
    let mut calls = 0;
    for chunk in chunks {
        let mut chunk = chunk.clone();
        loop {
            calls += 1;
            let found = match calls % 3 {
                0 => decoder
                    .decode(&mut chunk)
                    .map(|event| event.map(|event| message!(event))),
                1 => {
                    let mut rest: &[u8] = &chunk;
                    let found = decoder
                        .decode_ref(&mut rest)
                        .map(|event| event.map(|event| message!(event)));
                    chunk = chunk.slice_ref(rest);
                    found
                }
                _ => match decoder.decode_with_comments(&mut chunk) {
                    Ok(Some(Decoded::Event(event))) => Ok(Some(message!(event))),
                    Ok(Some(_)) => continue,
                    Ok(None) => Ok(None),
                    Err(limit) => Err(limit),
                },
            };
            match found {
                Ok(Some(event)) => out.events.push(event),
                Ok(None) => break,
                Err(limit) => out.events.push(error(limit, &decoder)),
            }
        }
        assert!(chunk.is_empty());
    }
    end(&decoder, out)
}

/// Holds all views, and a mixture of them, of these chunks against what is wanted.
pub(crate) fn check(wanted: &Interpretation, chunks: &[Bytes]) {
    check_with(&Decoder::new(), wanted, chunks);
}

fn check_with(decoder: &Decoder, wanted: &Interpretation, chunks: &[Bytes]) {
    assert_eq!(
        &with_comments(decoder.clone(), chunks),
        wanted,
        "with comments, {chunks:?}"
    );
    let without_comments = Interpretation {
        comments: Vec::new(),
        ..wanted.clone()
    };
    let owned = owned(decoder.clone(), chunks);
    assert_eq!(owned, without_comments, "owned, {chunks:?}");
    let lent = lent(decoder.clone(), chunks);
    assert_eq!(lent, without_comments, "lent, {chunks:?}");
    let mixed = mixed(decoder.clone(), chunks);
    assert_eq!(mixed, without_comments, "mixed, {chunks:?}");
}

/// The same with limits, which the stream is rewritten for.
pub(crate) fn check_limited(limits: Limits, stream: &[u8], chunks: &[Bytes]) -> Interpretation {
    let wanted = interpret(&rewrite(limits, stream));
    check_with(&decoder(limits), &wanted, chunks);
    wanted
}

/// Holds the decoder against the oracle: whole, byte by byte, in twos and threes, split in two at
/// every place, cut at every end of a line, and with empty chunks in between.
pub(crate) fn check_every_way(stream: &[u8]) -> Interpretation {
    let wanted = interpret(stream);
    check(&wanted, &[Bytes::copy_from_slice(stream)]);
    for size in 1..=3 {
        check(&wanted, &chunks::of(size, stream));
    }
    for chunks in chunks::every_split(stream) {
        check(&wanted, &chunks);
    }
    check(&wanted, &chunks::at_ends(&[], stream));
    check(&wanted, &chunks::random(&mut Rng::new(1), 2, stream));
    wanted
}
