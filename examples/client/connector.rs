//! Connections over http and https.

use std::error::Error;
use std::path::PathBuf;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

pub(crate) fn connector(
    ca: Option<&PathBuf>,
) -> Result<HttpsConnector<HttpConnector>, Box<dyn Error>> {
    let crypto = ring::default_provider();
    let builder = match ca {
        None => HttpsConnectorBuilder::new().with_provider_and_webpki_roots(crypto)?,
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
            let config = ClientConfig::builder_with_provider(crypto.into())
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(config)
        }
    };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    Ok(builder
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(http))
}
