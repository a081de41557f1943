//! The address of Redis: a server, some nodes of a cluster, or sentinels that know the master.
//!
//! The stream is one key, so the hub needs only the cluster node that holds it. A read on any other
//! node is answered with `MOVED`, which says where that is. A client library for clusters would
//! also repeat commands whose reply was lost, which could store an event twice.

use std::fmt;
use std::sync::Arc;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, Value, cmd};

use super::connection::{Channel, Link, timed_out, tuned};
use std::time::Duration;

/// The maximum number of redirections to follow.
const HOPS: usize = 5;

#[derive(Clone)]
pub(super) struct Server {
    /// The addresses, which are tried in turn.
    infos: Arc<[ConnectionInfo]>,
    /// Set if the addresses are those of sentinels.
    master: Option<Master>,
}

/// The master that sentinels watch.
#[derive(Clone)]
struct Master {
    name: String,
    /// Its user, password and database. The address is a placeholder.
    info: ConnectionInfo,
}

impl Server {
    /// `redis://[user:password@]host[:port][,host[:port]...][/database][?protocol=resp3]`, or for
    /// sentinels `redis+sentinel://[user:password@]host[:port][,...]/master[/database]`.
    pub(super) fn parse(url: &str) -> Result<Self, RedisError> {
        let Some(parts) = UrlParts::new(url) else {
            return Ok(Self {
                infos: Arc::new([tuned(url.into_connection_info()?)]),
                master: None,
            });
        };
        if !parts.is_sentinel {
            let infos = parts.hosts.split(',').map(|host| {
                parts
                    .url(parts.user, host, parts.path)
                    .into_connection_info()
                    .map(tuned)
            });
            let infos: Result<Vec<_>, _> = infos.collect();
            let infos = infos?.into();
            return Ok(Self {
                infos,
                master: None,
            });
        }
        let mut path = parts.path.trim_start_matches('/').splitn(2, '/');
        let name = path.next().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| {
            let kind = redis::ErrorKind::InvalidClientConfig;
            RedisError::from((kind, "the URL of sentinels has no name of a master"))
        })?;
        let database = path.next().map_or(String::new(), |path| format!("/{path}"));
        let info = parts.url(parts.user, "localhost", &database);
        let infos = parts.hosts.split(',').map(|host| {
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| {
                !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
            });
            let host = if has_port {
                host.to_owned()
            } else {
                format!("{host}:26379")
            };
            parts.url("", &host, "").into_connection_info().map(tuned)
        });
        let infos: Result<Vec<_>, _> = infos.collect();
        Ok(Self {
            infos: infos?.into(),
            master: Some(Master {
                name: name.to_owned(),
                info: tuned(info.into_connection_info()?),
            }),
        })
    }

    /// Returns the same server with these certificates.
    #[cfg(feature = "redis-tls")]
    pub(super) fn with_tls(&self, tls: &super::tls::RedisTls) -> Result<Self, RedisError> {
        let infos = self.infos.iter().map(|info| tls.apply(info));
        let infos: Result<Vec<_>, _> = infos.collect();
        let master = self.master.as_ref().map(|master| {
            let info = tls.apply(&master.info)?;
            let name = master.name.clone();
            Ok::<_, RedisError>(Master { name, info })
        });
        Ok(Self {
            infos: infos?.into(),
            master: master.transpose()?,
        })
    }

    /// Opens a connection to the server that holds the stream. Commands fail unless they are
    /// answered within this time.
    pub(super) async fn connect(&self, stream: &str, answer: Duration) -> Result<Link, RedisError> {
        let mut error = None;
        for info in &*self.infos {
            match self.connect_by(info, stream, answer).await {
                Ok((link, _)) => return Ok(link),
                Err(other) => error = Some(other),
            }
        }
        Err(error.unwrap_or_else(timed_out))
    }

    /// Opens a connection that is subscribed to a channel.
    pub(super) async fn subscribe(&self, channel: &str) -> Result<Channel, RedisError> {
        let mut error = None;
        for info in &*self.infos {
            let found = self.find(info).await;
            let open = match found {
                Ok(info) => Channel::open(&client(&info)?, channel).await,
                Err(other) => Err(other),
            };
            match open {
                Ok(channel) => return Ok(channel),
                Err(other) => error = Some(other),
            }
        }
        Err(error.unwrap_or_else(timed_out))
    }

    async fn connect_by(
        &self,
        info: &ConnectionInfo,
        stream: &str,
        answer: Duration,
    ) -> Result<(Link, ConnectionInfo), RedisError> {
        let mut info = self.find(info).await?;
        let mut error = None;
        for _ in 0..HOPS {
            let mut link = Link::open(&client(&info)?, answer).await?;
            let mut read = cmd("XRANGE");
            read.arg(stream).arg("-").arg("-").arg("COUNT").arg(1);
            let moved = match link.query(&read).await {
                Err(error) if error.code() == Some("MOVED") => error,
                // Any other reply comes from the server that holds the stream.
                _ => return Ok((link, info)),
            };
            let to = moved.redirect_node().and_then(|(addr, _)| at(&info, addr));
            error = Some(moved);
            match to {
                Some(to) => info = to,
                None => break,
            }
        }
        Err(error.unwrap_or_else(timed_out))
    }

    /// Returns the server itself, or the master that the sentinel knows.
    async fn find(&self, info: &ConnectionInfo) -> Result<ConnectionInfo, RedisError> {
        let Some(master) = &self.master else {
            return Ok(info.clone());
        };
        let mut link = Link::open(&client(info)?, Link::CONNECT).await?;
        let mut ask = cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(&master.name);
        let text = |value: &Value| match value {
            Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
            Value::SimpleString(text) => Some(text.clone()),
            _ => None,
        };
        let addr = match link.query(&ask).await? {
            Value::Array(parts) => match &parts[..] {
                [host, port] => text(host).zip(text(port)),
                _ => None,
            },
            _ => None,
        };
        let found = addr.and_then(|(host, port)| at(&master.info, &format!("{host}:{port}")));
        found.ok_or_else(|| {
            let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
            RedisError::from((kind, "the sentinel does not know the master"))
        })
    }
}

/// Creates a client. TLS needs a rustls provider first.
fn client(info: &ConnectionInfo) -> Result<Client, RedisError> {
    #[cfg(feature = "redis-tls")]
    super::tls::provide_for(info);
    Client::open(info.clone())
}

/// Returns the connection info with another address. Without a host, the host stays the same.
fn at(info: &ConnectionInfo, addr: &str) -> Option<ConnectionInfo> {
    let (new_host, new_port) = addr.rsplit_once(':')?;
    let new_port: u16 = new_port.parse().ok()?;
    let new_host = new_host.trim_start_matches('[').trim_end_matches(']');
    let pick = |host: &str| match new_host {
        "" => host.to_owned(),
        new => new.to_owned(),
    };
    let addr = match info.addr() {
        ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(pick(host), new_port),
        ConnectionAddr::TcpTls {
            host,
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host: pick(host),
            port: new_port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(pick("localhost"), new_port),
    };
    Some(info.clone().set_addr(addr))
}

/// A URL with any number of hosts.
struct UrlParts<'a> {
    scheme: &'a str,
    is_sentinel: bool,
    /// Includes the `@`.
    user: &'a str,
    hosts: &'a str,
    path: &'a str,
    /// The query and the fragment.
    rest: &'a str,
}

impl<'a> UrlParts<'a> {
    /// Returns `None` if the URL has at most one host and is not one of sentinels.
    fn new(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let at = authority.rfind('@').map_or(0, |at| at + 1);
        let (user, hosts) = authority.split_at(at);
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (path, rest) = rest.split_at(end);
        let plain = scheme.strip_suffix("+sentinel");
        (plain.is_some() || hosts.contains(',')).then_some(Self {
            scheme: plain.unwrap_or(scheme),
            is_sentinel: plain.is_some(),
            user,
            hosts,
            path,
            rest,
        })
    }

    fn url(&self, user: &str, host: &str, path: &str) -> String {
        let Self { scheme, rest, .. } = self;
        format!("{scheme}://{user}{host}{path}{rest}")
    }
}

impl fmt::Debug for Server {
    /// Omits passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addrs = self.infos.iter().map(|info| info.addr().to_string());
        let mut debug = f.debug_struct("Server");
        debug.field("addrs", &addrs.collect::<Vec<_>>());
        if let Some(master) = &self.master {
            debug.field("master", &master.name);
        }
        debug.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_one_host_or_several_or_those_of_sentinels() {
        let server = |url| Server::parse(url).unwrap();
        let addrs = |server: &Server| -> Vec<String> {
            let infos = server.infos.iter();
            infos.map(|info| info.addr().to_string()).collect()
        };
        assert_eq!(addrs(&server("redis://a")), ["a:6379"]);
        let two = server("redis://me:secret@a:1,b/2?protocol=resp3");
        assert_eq!(addrs(&two), ["a:1", "b:6379"]);
        for info in &*two.infos {
            let redis = info.redis_settings();
            assert_eq!((redis.username(), redis.db()), (Some("me"), 2));
        }
        let watched = server("redis+sentinel://me:secret@a,b:1/mymaster/3");
        assert_eq!(addrs(&watched), ["a:26379", "b:1"]);
        let master = watched.master.as_ref().unwrap();
        assert_eq!(
            (&*master.name, master.info.redis_settings().db()),
            ("mymaster", 3)
        );
        assert!(watched.infos[0].redis_settings().password().is_none());
        assert!(!format!("{watched:?}{two:?}").contains("secret"));
        for wrong in [
            "http://a",
            "a",
            "",
            "redis+sentinel://a",
            "http://a,b",
            "redis://a,b:x",
        ] {
            assert!(Server::parse(wrong).is_err(), "{wrong}");
        }
        let elsewhere = at(&two.infos[0], "c:7").unwrap();
        assert_eq!(elsewhere.addr().to_string(), "c:7");
        assert_eq!(at(&two.infos[0], ":7").unwrap().addr().to_string(), "a:7");
        assert!(at(&two.infos[0], "c").is_none());
    }
}
