use bytes::Bytes;
use tower_sse::Decoder;
use tower_sse::protocol::Decoded;

use crate::heard::check_every_way;

#[test]
fn arrive_whole_and_in_order() {
    let heard = check_every_way(b": a\n:b\ndata: x\n:\ndata: y\n\n: \xFFc\r\n::\n");
    assert_eq!(heard.comments, [" a", "b", "", " \u{fffd}c", ":"]);
    assert_eq!(heard.events[0].data, "x\ny");
}

#[test]
fn arrive_before_their_block_ends() {
    let mut decoder = Decoder::new();
    let mut chunk = Bytes::from("data: x\n:alive\n");
    let comment = decoder.decode_with_comments(&mut chunk).unwrap();
    assert_eq!(comment, Some(Decoded::Comment("alive".into())));
    let mut chunk = Bytes::from("\n");
    let Some(Decoded::Event(event)) = decoder.decode_with_comments(&mut chunk).unwrap() else {
        panic!("no event");
    };
    assert_eq!(event.data(), "x");
}
