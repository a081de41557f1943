use std::ops::Range;

use super::invalid_tail::Flaw;
use crate::protocol::EventId;

const ID: &str = "id: ";

/// The range of the ID's text in the bytes of one event, exactly as the encoder writes them:
/// comments, `retry`, `event`, `id`, data lines, and an empty line.
pub(super) fn check(wire: &[u8]) -> Result<Range<usize>, Flaw> {
    let text = std::str::from_utf8(wire).map_err(|_| Flaw::NotUtf8)?;
    let lines = text.strip_suffix("\n\n").ok_or(Flaw::NotOneEvent)?;
    let mut fields = lines.split('\n').peekable();
    let mut at = 0;
    let mut skip = |wanted: &dyn Fn(&str) -> bool, most: usize| {
        for _ in 0..most {
            match fields.next_if(|line| wanted(line)) {
                Some(line) => at += line.len() + 1,
                None => break,
            }
        }
        (at, fields.peek().copied())
    };
    skip(&|line| line == ":" || line.starts_with(": "), usize::MAX);
    skip(&is_retry, 1);
    let is_type = |line: &str| line.len() > "event: ".len() && line.starts_with("event: ");
    let (start, line) = skip(&is_type, 1);
    let id = line.and_then(|line| line.strip_prefix(ID));
    let id = id.ok_or(if line.is_none_or(|line| line.starts_with("data: ")) {
        Flaw::NoId
    } else {
        Flaw::NotOneEvent
    })?;
    let start = start + ID.len();
    let place = start..start + id.len();
    EventId::try_from(id).map_err(Flaw::Id)?;
    skip(&|line| line.starts_with(ID), 1);
    let (_, rest) = skip(&|line| line.starts_with("data: "), usize::MAX);
    if rest.is_some() || text.contains('\r') {
        return Err(Flaw::NotOneEvent);
    }
    Ok(place)
}

fn is_retry(line: &str) -> bool {
    let time = line.strip_prefix("retry: ");
    time.is_some_and(|time| {
        let time = time.parse::<u64>().ok().filter(|_| !time.starts_with('+'));
        time.is_some()
    })
}

/// The range of the ID's text in the lines before the data, if there is an ID.
pub(super) fn find(head: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    loop {
        let end = start + memchr::memchr(b'\n', &head[start..])?;
        if head[start..].starts_with(ID.as_bytes()) {
            return Some(start + ID.len()..end);
        }
        start = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::Event;

    #[test]
    fn what_the_encoder_writes_is_an_event_and_its_id_is_found() {
        let long = "x".repeat(100_000);
        for data in ["", "a", "a\nid: 9\r\n\nb", "id: 8", long.as_str()] {
            for event in [
                Event::new(data),
                Event::new(data).with_type("event: x"),
                Event::new(data).with_comment("id: 7\nretry: 3"),
                Event::comment("").with_retry(Duration::from_secs(3)),
                Event::comment("a").with_type("id: "),
                Event::retry(Duration::MAX),
            ] {
                for id in ["7", "", "id: 8", "data: 1"] {
                    let block = event.encode_as(Some(&EventId::try_from(id).unwrap()));
                    let wire = block.clone().into_bytes();
                    let at = check(&wire).unwrap_or_else(|_| panic!("{block:?}"));
                    assert_eq!(&wire[at.clone()], id.as_bytes());
                    assert_eq!(find(block.parts().0), Some(at));
                }
                assert!(matches!(
                    check(&event.encode_as(None).into_bytes()),
                    Err(Flaw::NoId)
                ));
            }
        }
    }

    #[test]
    fn nothing_else_is() {
        for wire in [
            "",
            "\n",
            "\n\n",
            "id: 7\n",
            "id: 7\ndata: x\n",
            "id: 7\ndata: x\n\n\n",
            "id: 7\ndata: x\n\ndata: y\n\n",
            "id: 7\n\ndata: y\n\n",
            "id: 7\r\n\r\n",
            "id: 7\ndata: x\ry\n\n",
            "id:7\ndata: x\n\n",
            "id: 7\ndata:x\n\n",
            "id: 7\ndata\n\n",
            "id: 7\nid: 8\n\n",
            "id: 7\nretry: 5\n\n",
            "id: 7\nevent: x\n\n",
            "id: 7\nfoo: x\n\n",
            "foo: x\nid: 7\n\n",
            "retry: x\nid: 7\n\n",
            "retry: +5\nid: 7\n\n",
            "retry: 99999999999999999999\nid: 7\n\n",
            "event: \nid: 7\n\n",
            "event: x\nretry: 5\nid: 7\n\n",
            "event: x\nevent: x\nid: 7\n\n",
            ":x\nid: 7\n\n",
            "\u{feff}id: 7\n\n",
            "id: 7\ndata: x\nid: 8\n\n",
            "id: 7\0\n\n",
        ] {
            assert!(check(wire.as_bytes()).is_err(), "{wire:?}");
        }
        assert!(matches!(check(b"id: \xff\n\n"), Err(Flaw::NotUtf8)));
        assert!(matches!(check(b"data: x\n\n"), Err(Flaw::NoId)));
    }
}
