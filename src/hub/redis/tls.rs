use std::fmt;

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, TlsCertificates,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Certificates for a [TLS connection](crate::hub::HubBuilder::tls) to Redis, in PEM format.
///
/// A hub with a `rediss://` URL trusts the system's root certificates and presents no certificate
/// of its own. `RedisTls` replaces either.
///
/// ```
/// use tower_sse::Hub;
/// use tower_sse::hub::RedisTls;
///
/// # use tower_sse::hub::RedisError;
/// # fn test(ca: Vec<u8>, pem: Vec<u8>, key: Vec<u8>) -> Result<(), RedisError> {
/// let tls = RedisTls::new().root_certificates(ca).client_certificate(pem, key);
/// let hub = Hub::redis("rediss://redis.internal", "feed")?.tls(&tls)?.build()?;
/// # Ok(())
/// # }
/// let tls = RedisTls::new().root_certificates("-----BEGIN CERTIFICATE-----");
/// assert!(Hub::redis("rediss://redis.internal", "feed")?.tls(&tls).is_err());
/// # Ok::<(), RedisError>(())
/// ```
#[derive(Clone)]
pub struct RedisTls {
    certificates: TlsCertificates,
}

impl RedisTls {
    /// Trusts the system's root certificates and presents no certificate.
    ///
    /// ```
    /// # use tower_sse::Hub;
    /// # use tower_sse::hub::RedisTls;
    /// let builder = Hub::redis("rediss://localhost", "feed")?.tls(&RedisTls::new());
    /// assert!(builder.is_ok());
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: None,
        };
        Self { certificates }
    }

    /// Trusts these root certificates instead of the system's. Without a certificate among them,
    /// [`HubBuilder::tls`](crate::hub::HubBuilder::tls) returns an error.
    ///
    /// ```
    /// # use tower_sse::{Hub, hub::RedisTls};
    /// let tls = RedisTls::new().root_certificates("/etc/ssl/internal.pem");
    /// let error = Hub::redis("rediss://localhost", "feed")?.tls(&tls).unwrap_err();
    /// assert_eq!(error.to_string(), "the TLS settings are invalid");
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.root_cert = Some(pem.into());
        self
    }

    /// Presents this certificate, with its chain, to a server that requires one
    /// (`tls-auth-clients`).
    ///
    /// ```
    /// # use tower_sse::{Hub, hub::RedisTls};
    /// let tls = RedisTls::new().client_certificate("not a certificate", "not a key");
    /// assert!(Hub::redis("rediss://localhost", "feed")?.tls(&tls).is_err());
    /// # Ok::<(), tower_sse::hub::RedisError>(())
    /// ```
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificates: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificates.client_tls = Some(ClientTlsConfig {
            client_cert: certificates.into(),
            client_key: key.into(),
        });
        self
    }

    /// Returns the connection info with these certificates.
    pub(super) fn apply(&self, info: &ConnectionInfo) -> Result<ConnectionInfo, RedisError> {
        // redis-rs accepts PEM text without certificates, and every connection would fail.
        let TlsCertificates {
            client_tls,
            root_cert,
        } = &self.certificates;
        let client = client_tls.as_ref().map(|client| &client.client_cert);
        for pem in root_cert.iter().chain(client) {
            if CertificateDer::pem_slice_iter(pem).next().is_none() {
                let what = "there is no certificate in PEM format";
                return Err((ErrorKind::InvalidClientConfig, what).into());
            }
        }
        let client = Client::build_with_tls(info.clone(), self.certificates.clone())?;
        let addr = client.get_connection_info().addr().clone();
        Ok(info.clone().set_addr(addr))
    }
}

impl Default for RedisTls {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RedisTls {
    /// Omits the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTls").finish_non_exhaustive()
    }
}

/// Installs a rustls provider if there is none: rustls panics if several are compiled in and no
/// default is set.
pub(super) fn provide_for(info: &ConnectionInfo) {
    let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
    if is_tls && CryptoProvider::get_default().is_none() {
        // Fails if another thread has installed one in the meantime.
        _ = ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Hub;

    #[test]
    fn text_without_a_certificate_is_refused() {
        let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        for text in ["", "/etc/ssl/internal.pem", key] {
            let roots = RedisTls::new().root_certificates(text);
            let client = RedisTls::new().client_certificate(text, key);
            for tls in [roots, client] {
                let builder = Hub::redis("rediss://localhost", "feed").unwrap();
                let error = builder.tls(&tls).unwrap_err();
                let source = std::error::Error::source(&error).unwrap().to_string();
                assert!(source.contains("there is no certificate"), "{source}");
            }
        }
    }
}
