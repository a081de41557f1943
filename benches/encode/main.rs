//! One event, from borrowed or owned text to the bytes on the wire.
//!
//! axum and actix-web-lab encode in their bodies only, so theirs are polled: a few nanoseconds of
//! the small events. What a contestant makes is read and compared before it is timed.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ::axum::response::IntoResponse;
use ::axum::response::sse as axum;
use actix_web::body::MessageBody;
use actix_web_lab::sse as actix;
use bytes::Bytes;
use futures_util::stream;
use http_body::Body;
use support::events::{self, text};
use support::{Case, Side};

mod data;
mod json;
mod typical;

/// axum's bytes for the events that the closure makes.
fn through_axum(mut make: impl FnMut() -> axum::Event + Send + 'static) -> impl FnMut() -> Bytes {
    let events = stream::repeat_with(move || Ok::<_, Infallible>(make()));
    let mut body = axum::Sse::new(events).into_response().into_body();
    move || match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
        _ => unreachable!("always ready"),
    }
}

/// actix-web-lab's bytes for the events that the closure makes.
fn through_actix(mut make: impl FnMut() -> actix::Data + 'static) -> impl FnMut() -> Bytes {
    let events = stream::repeat_with(move || Ok::<_, Infallible>(make().into()));
    let mut body = actix::Sse::from_stream(events);
    move || match Pin::new(&mut body).poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(bytes))) => bytes,
        _ => unreachable!("always ready"),
    }
}

/// A contestant that has shown that it encodes the event.
fn add<'a>(
    case: &mut Case<'a>,
    (name, side): (&'static str, Side),
    expected: &events::Read,
    mut work: impl FnMut() -> Bytes + 'a,
) {
    events::check(name, &work(), std::slice::from_ref(expected));
    case.add(name, side, work);
}

/// No text of a floor is longer. The compiler then sees that what is allocated has room for all, and
/// keeps the `Vec` in registers.
const FAR: usize = 1 << 30;

/// For floors: whether the text has a line break, or if it is short, any byte as small. They copy first
/// and ask then, which takes 2 ns less in "token".
#[inline(always)]
fn may_have_break(text: &[u8]) -> bool {
    #[inline(always)]
    fn has_small<const N: usize>(text: &[u8]) -> bool {
        let mut smallest = [u8::MAX; N];
        let mut look = |chunk: &[u8]| {
            for (smallest, b) in smallest.iter_mut().zip(chunk) {
                *smallest = (*smallest).min(*b);
            }
        };
        text.last_chunk::<N>()
            .into_iter()
            .for_each(|last| look(last));
        text.chunks_exact(N).for_each(look);
        smallest.iter().fold(false, |any, b| any | (*b <= b'\r'))
    }
    match text.len() {
        0..8 => text.iter().any(|b| *b <= b'\r'),
        8..16 => has_small::<8>(text),
        16..32 => has_small::<16>(text),
        32..1024 => has_small::<32>(text),
        _ => memchr::memchr2(b'\r', b'\n', text).is_some(),
    }
}

pub(crate) fn main() {
    let lines = &vec![text(64); 64].join("\n");
    data::borrowed("encode/8 B", &text(8));
    data::borrowed("encode/16 B", &text(16));
    data::owned("encode/16 B, owned", &text(16));
    typical::all();
    data::borrowed("encode/token", &text(200));
    data::owned("encode/token, owned", &text(200));
    json::all();
    data::borrowed("encode/line breaks", "\n\n");
    data::owned("encode/line breaks, owned", "\n\n");
    data::borrowed("encode/four lines", &vec![text(49); 4].join("\n"));
    data::borrowed("encode/64 lines", lines);
    data::owned("encode/64 lines, owned", lines);
    data::borrowed("encode/4 KiB", &text(4096));
    data::borrowed("encode/64 KiB", &text(64 * 1024));
    data::long("encode/64 KiB", 64 * 1024);
    data::long("encode/1 MiB", 1024 * 1024);
}
