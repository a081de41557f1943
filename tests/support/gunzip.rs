//! A strict decoder of gzip that shows what a client can read so far.

use flate2::{Decompress, FlushDecompress, Status};

pub struct Gunzip {
    inner: Decompress,
    buffer: Vec<u8>,
    text: Vec<u8>,
    ended: bool,
}

impl Gunzip {
    pub fn new() -> Self {
        Self {
            inner: Decompress::new_gzip(15),
            buffer: vec![0; 16 * 1024],
            text: Vec::new(),
            ended: false,
        }
    }

    /// Everything that can be read after these bytes.
    pub fn read(&mut self, mut bytes: &[u8]) -> &[u8] {
        loop {
            let (read, written) = (self.inner.total_in(), self.inner.total_out());
            let status = self
                .inner
                .decompress(bytes, &mut self.buffer, FlushDecompress::None)
                .unwrap();
            let written = usize::try_from(self.inner.total_out() - written).unwrap();
            bytes = &bytes[usize::try_from(self.inner.total_in() - read).unwrap()..];
            self.text.extend_from_slice(&self.buffer[..written]);
            if status == Status::StreamEnd {
                assert!(bytes.is_empty(), "bytes after the end");
                self.ended = true;
            }
            if bytes.is_empty() && written < self.buffer.len() {
                return &self.text;
            }
        }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the trailer has been read, and its checksum is that of the text.
    pub fn is_complete(&self) -> bool {
        self.ended
    }
}

pub fn gunzip(bytes: &[u8]) -> String {
    let mut gunzip = Gunzip::new();
    let text = gunzip.read(bytes).to_vec();
    assert!(gunzip.is_complete(), "truncated");
    String::from_utf8(text).unwrap()
}
