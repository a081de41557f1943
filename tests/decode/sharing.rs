use bytes::Bytes;
use tower_sse::Decoder;

#[test]
fn one_line_in_one_chunk_is_a_slice_of_it() {
    let chunk = Bytes::from(b"event: e\ndata: one\nid: 1\n\ndata: \xC3\xB6\r\n\r\n".to_vec());
    let mut decoder = Decoder::new();
    let mut rest = chunk.clone();
    let first = decoder.decode(&mut rest).unwrap().unwrap();
    let second = decoder.decode(&mut rest).unwrap().unwrap();
    assert_eq!(first.data_bytes().as_ptr(), chunk[15..].as_ptr());
    assert_eq!(second.data_bytes().as_ptr(), chunk[32..].as_ptr());

    let mut rest: &[u8] = &chunk;
    let lent = decoder.decode_ref(&mut rest).unwrap().unwrap();
    assert_eq!(lent.data_bytes().as_ptr(), chunk[15..].as_ptr());
}

#[test]
fn an_event_keeps_what_it_was_dispatched_with() {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    // Over two chunks each, so that all of it went through the decoder's buffers.
    for n in 0..100 {
        let text = n.to_string().repeat(1 + n % 50 * 100);
        let stream = format!("event: {n}\nid: {n}\ndata: {text}\n\n");
        let (a, b) = stream.split_at(stream.len() / 2);
        for chunk in [a, b] {
            let mut chunk = Bytes::copy_from_slice(chunk.as_bytes());
            while let Some(event) = decoder.decode(&mut chunk).unwrap() {
                events.push((event, text.clone()));
            }
        }
    }
    assert_eq!(events.len(), 100);
    for (n, (event, text)) in events.iter().enumerate() {
        let n = n.to_string();
        assert_eq!((event.event_type(), event.data()), (&*n, &**text));
        assert_eq!(event.last_event_id(), n);
    }
}
