//! A `Display` or a `Serialize` that gives up halfway, by an error or a panic, leaves nothing behind: half
//! a block would be read as fields.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tower_sse::{Block, Writer};

#[derive(Debug, Clone, Copy)]
enum How {
    Error,
    Panic,
}

/// Gives up after text that would be fields if it stayed.
struct Halfway(How);

const FORGED: &str = "x\n\nid: 666\nevent: forged\ndata: injected\n";

impl fmt::Display for Halfway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORGED)?;
        match self.0 {
            How::Error => Err(fmt::Error),
            How::Panic => panic!("halfway"),
        }
    }
}

#[cfg(feature = "json")]
impl serde::Serialize for Halfway {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeSeq};

        let mut all = serializer.serialize_seq(None)?;
        all.serialize_element(
            &serde_json::value::RawValue::from_string(format!("\"{}\"", FORGED.escape_default()))
                .map_err(S::Error::custom)?,
        )?;
        match self.0 {
            How::Error => Err(S::Error::custom("halfway")),
            How::Panic => panic!("halfway"),
        }
    }
}

#[track_caller]
fn leaves_nothing(write: impl Fn(&mut Writer, Halfway)) {
    for how in [How::Error, How::Panic] {
        let block = Block::write(|out| {
            out.data("before");
            _ = catch_unwind(AssertUnwindSafe(|| write(out, Halfway(how))));
            out.data("after");
        });
        assert_eq!(block, "data: before\n\ndata: after\n\n", "{how:?}");
    }
}

#[test]
fn what_gives_up_halfway_leaves_nothing() {
    leaves_nothing(|out, value| _ = out.display(value));
    leaves_nothing(|out, value| _ = out.id(7).typed("x").display(value));
    leaves_nothing(|out, value| {
        use fmt::Write as _;
        let mut data = out.id(7).begin_data();
        _ = write!(data, "{value}").map(|()| data.finish());
    });
    #[cfg(feature = "json")]
    {
        leaves_nothing(|out, value| _ = out.json(&value));
        leaves_nothing(|out, value| _ = out.id(7).json(&value));
    }
}
