//! The first entry of a stream.
//!
//! An entry's ID is the time and a count, and Redis does not remember the IDs of a deleted stream.
//! If a stream were deleted and created again within a millisecond, an event could get an ID that
//! clients already have, so they would never receive it. Nodes therefore create a stream only with
//! a mark, whose ID is one millisecond ahead of the time.

use redis::{Cmd, RedisError, Value, cmd};

/// The command to begin with: asks for the time.
pub(super) fn ask_time() -> Cmd {
    cmd("TIME")
}

/// Takes the time, and returns the command that appends the first entry.
pub(super) fn append_first(
    stream: &str,
    time: Result<Value, RedisError>,
) -> Result<Cmd, RedisError> {
    let id = match time {
        Ok(time) => first_id(&time),
        // Without the right to ask, Redis assigns the ID.
        Err(error) if error.code() == Some("NOPERM") => None,
        Err(error) => return Err(error),
    };
    let mut add = cmd("XADD");
    add.arg(stream).arg(id.as_deref().unwrap_or("*"));
    add.arg("mark").arg("begin");
    Ok(add)
}

/// Takes the reply to that. Another node may have begun the stream in the meantime, and have
/// appended a later entry.
pub(super) fn has_begun(reply: Result<Value, RedisError>) -> Result<(), RedisError> {
    let is_behind = |error: &RedisError| {
        let detail = error.detail().unwrap_or_default();
        detail.contains("equal or smaller")
    };
    match reply {
        Err(error) if !is_behind(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Returns an ID that is later than all that Redis has assigned up to this time.
fn first_id(time: &Value) -> Option<String> {
    let Value::Array(parts) = time else {
        return None;
    };
    let [seconds, micros] = &parts[..] else {
        return None;
    };
    let number = |value: &Value| match value {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse::<u64>().ok(),
        _ => None,
    };
    let seconds = number(seconds)?.checked_mul(1000)?;
    let ms = seconds.checked_add(number(micros)? / 1000)?;
    Some(format!("{}-0", ms.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: &str, micros: &str) -> Value {
        let text = |text: &str| Value::BulkString(text.into());
        Value::Array(vec![text(seconds), text(micros)])
    }

    #[test]
    fn the_first_id_is_later_than_all_of_this_millisecond() {
        let id = |seconds, micros| first_id(&time(seconds, micros));
        assert_eq!(
            id("1795344406", "849999").as_deref(),
            Some("1795344406850-0")
        );
        assert_eq!(id("1795344406", "999").as_deref(), Some("1795344406001-0"));
        for (seconds, micros) in [("", "1"), ("1", "x"), ("18446744073709551615", "0")] {
            assert_eq!(id(seconds, micros), None);
        }
        assert_eq!(first_id(&Value::Nil), None);
    }
}
