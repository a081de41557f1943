//! A hub on a Redis that requires TLS. The certificates are generated for the test.
//!
//! redis-server has to be installed; `.ci/run` does that and runs these.

#[path = "../../support/ports.rs"]
mod ports;

#[path = "../../redis/rig/mod.rs"]
mod rig;

#[path = "../../redis/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the hub on Redis")]
mod world;

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tower_sse::Hub;
use tower_sse::hub::RedisTls;

use crate::ports::free_port;
use crate::rig::server::{Aof, Server};
use crate::world::{Client, KEY, Log, Node, may_be_stored};

/// A root, and what it has signed for the server and for a node.
struct Authority {
    root: String,
    server: (String, String),
    node: (String, String),
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate for its own issuer if both have one name.
        params.distinguished_name.push(DnType::CommonName, "root");
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let signed = || {
            let key = KeyPair::generate().unwrap();
            let names = ["localhost", "127.0.0.1"].map(str::to_owned);
            let params = CertificateParams::new(names).unwrap();
            let certificate = params.signed_by(&key, &root).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        let (server, node) = (signed(), signed());
        Self {
            root: root.pem(),
            server,
            node,
        }
    }

    /// A server that speaks TLS on another port, and the URL of that.
    async fn server(&self, folder: &Path, clients: &str) -> (Server, String) {
        let port = free_port().to_string();
        let file = |name: &str, content: &str| {
            let path = folder.join(name);
            fs::write(&path, content).unwrap();
            path.to_string_lossy().into_owned()
        };
        let (certificate, key) = &self.server;
        let arguments = [
            ("--tls-port", port.clone()),
            ("--tls-cert-file", file("server.pem", certificate)),
            ("--tls-key-file", file("server.key", key)),
            ("--tls-ca-cert-file", file("ca.pem", &self.root)),
            ("--tls-auth-clients", clients.to_owned()),
        ];
        let arguments = arguments.iter().flat_map(|(name, value)| [*name, value]);
        let arguments: Vec<&str> = arguments.collect();
        let server = Server::with(Aof::Written, &arguments).await;
        (server, format!("rediss://localhost:{port}"))
    }
}

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("tower-sse-tls-{}-{}", std::process::id(), free_port());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_hub_connects_with_tls_and_again_after_a_restart() {
    let (authority, folder) = (Authority::new(), Folder::new());
    for protocol in ["resp2", "resp3"] {
        let (mut server, url) = authority.server(&folder.0, "no").await;
        let tls = RedisTls::new().root_certificates(authority.root.clone());
        let url = format!("{url}?protocol={protocol}");
        let node = Node::with(&url, |hub| hub.ring_events(20).tls(&tls).unwrap()).await;
        let (mut log, mut client) = (Log::default(), Client::all());
        client.begin(&node).await;
        let event = log.publish_all(&node.hub, 10, 2).await;
        client.until(event).await;
        client.leave();
        // On the port without TLS, and more than the ring has.
        log.add(&server, 100, 2).await;
        client.connect(&node).await;
        let event = log.publish_all(&node.hub, 10, 2).await;
        client.follow(&node, event).await;
        server.kill();
        node.until_connected(false).await;
        server.restart().await;
        let event = log.publish_again(&node.hub, 0).await;
        client.follow(&node, event).await;
        log.check_gaps(&client, 0);
    }
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_server_that_nobody_vouches_for_is_refused() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let (_server, url) = authority.server(&folder.0, "no").await;
    let others = Authority::new();
    // Signed by another authority, by none of the system's, or for another name.
    let wrong = RedisTls::new().root_certificates(others.root);
    let right = RedisTls::new().root_certificates(authority.root.clone());
    let other_name = url.replace("localhost", "127.0.0.2");
    for (url, tls) in [(&url, wrong), (&url, RedisTls::new()), (&other_name, right)] {
        let node = Node::with(url, |hub| hub.tls(&tls).unwrap()).await;
        let (_, result) = Log::default().try_publish(&node.hub, 0).await;
        assert!(!may_be_stored(&result.unwrap_err()));
        assert!(!node.hub.status().connected);
    }
}

#[tokio::test]
#[ignore = "needs redis-server; .ci/run installs it and runs this"]
async fn a_server_asks_for_a_certificate() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let (_server, url) = authority.server(&folder.0, "yes").await;
    let without = RedisTls::new().root_certificates(authority.root.clone());
    let (certificate, key) = authority.node.clone();
    let with = without.clone().client_certificate(certificate, key);
    for (tls, is_allowed) in [(without, false), (with, true)] {
        let node = Node::with(&url, |hub| hub.tls(&tls).unwrap()).await;
        let (_, result) = Log::default().try_publish(&node.hub, 0).await;
        assert_eq!(result.is_ok(), is_allowed, "{result:?}");
    }
}

#[test]
fn certificates_need_a_url_with_tls_and_have_to_be_some() {
    let authority = Authority::new();
    let tls = || RedisTls::new().root_certificates(authority.root.clone());
    let hub = |url: &str| Hub::redis(url, KEY).unwrap();
    assert!(hub("rediss://localhost").tls(&tls()).is_ok());
    assert!(hub("rediss://a,b").tls(&tls()).is_ok());
    assert!(hub("rediss+sentinel://a/feed").tls(&tls()).is_ok());
    let error = hub("redis://localhost").tls(&tls()).unwrap_err();
    assert_eq!(error.to_string(), "the TLS settings are invalid");
    let garbage = tls().client_certificate(authority.root.clone(), "no key");
    assert!(hub("rediss://localhost").tls(&garbage).is_err());
}
