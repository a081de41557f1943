//! A small Redis client of the tests' own, so that what is checked does not check itself.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::server::DEADLINE;

/// What Redis answers, under RESP2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Nil,
    Int(i64),
    Text(Vec<u8>),
    Error(String),
    List(Vec<Value>),
}

impl Value {
    pub fn text(&self) -> String {
        match self {
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Int(n) => n.to_string(),
            other => panic!("{other:?} is not text"),
        }
    }

    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            Self::Nil => &[],
            other => panic!("{other:?} is not a list"),
        }
    }

    pub fn int(&self) -> i64 {
        match self {
            Self::Int(n) => *n,
            other => panic!("{other:?} is not a number"),
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Error(text) => write!(f, "error {text}"),
            Self::List(values) => f.debug_list().entries(values).finish(),
            other => f.write_str(&other.text()),
        }
    }
}

/// A connection on which one command is sent at a time.
pub struct Resp(BufReader<TcpStream>);

impl Resp {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self(BufReader::new(socket)))
    }

    /// Sends a command, and gives its answer; errors of Redis are values.
    pub async fn try_send(&mut self, words: &[&[u8]]) -> io::Result<Value> {
        self.write(words).await?;
        let answer = tokio::time::timeout(DEADLINE, self.read()).await;
        answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// The same for commands that work.
    pub async fn send(&mut self, command: &str) -> Value {
        let words: Vec<&[u8]> = command.split_whitespace().map(str::as_bytes).collect();
        self.send_words(&words).await
    }

    pub async fn send_words(&mut self, words: &[&[u8]]) -> Value {
        let answer = self.try_send(words).await.expect("Redis answers");
        if let Value::Error(text) = &answer {
            let words: Vec<_> = words
                .iter()
                .map(|one| String::from_utf8_lossy(one))
                .collect();
            panic!("{}: {text}", words.join(" "));
        }
        answer
    }

    /// Writes a command without reading its answer.
    pub async fn write(&mut self, words: &[&[u8]]) -> io::Result<()> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        self.0.write_all(&bytes).await
    }

    pub async fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (kind, rest) = line.trim_end().split_at(1);
        let number = || rest.parse::<i64>().map_err(io::Error::other);
        Ok(match kind {
            "+" => Value::Text(rest.into()),
            "-" => Value::Error(rest.into()),
            ":" => Value::Int(number()?),
            "$" => match usize::try_from(number()?) {
                Err(_) => Value::Nil,
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    self.0.read_exact(&mut bytes).await?;
                    bytes.truncate(length);
                    Value::Text(bytes)
                }
            },
            "*" => match usize::try_from(number()?) {
                Err(_) => Value::Nil,
                Ok(length) => {
                    let mut values = Vec::new();
                    for _ in 0..length {
                        values.push(Box::pin(self.read()).await?);
                    }
                    Value::List(values)
                }
            },
            _ => return Err(io::Error::other(line)),
        })
    }
}
