//! Certificates for `rediss://`.

use std::fmt;

use deadpool_redis::redis::{ClientTlsConfig, TlsCertificates};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Certificates for `rediss://`, as the contents of PEM files. Without any, the authorities of the system are trusted and
/// Redis is shown none.
///
/// Certificates are checked when a publisher is built, and used as they were then: a renewed one needs a restart.
///
/// ```
/// use publisher::{PublishError, Publisher, Tls};
///
/// fn connect(authority: Vec<u8>) -> Result<Publisher, PublishError> {
///     Publisher::builder("rediss://redis:6380").tls(Tls::new().authority(authority)).build()
/// }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Tls {
    authority: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// The authorities of the system, no certificate of one's own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts these authorities, and none of the system's.
    pub fn authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authority = Some(pem.into());
        self
    }

    /// Shows Redis this certificate (with its chain), whose private key is this.
    pub fn identity(mut self, certificate_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((certificate_pem.into(), key_pem.into()));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.authority.is_none() && self.identity.is_none()
    }

    /// As the driver wants them.
    ///
    /// # Errors
    /// What is wrong, without repeating any of it: there is a private key among it.
    pub(crate) fn certificates(&self) -> Result<TlsCertificates, String> {
        // The driver takes what the process has chosen; it panics where nothing has. What is chosen already stays.
        let _ = aws_lc_rs::default_provider().install_default();
        if let Some(pem) = &self.authority {
            check_certificates(pem).map_err(|wrong| format!("the authority: {wrong}"))?;
        }
        if let Some((certificate, key)) = &self.identity {
            check_certificates(certificate).map_err(|wrong| format!("the client's certificate: {wrong}"))?;
            PrivateKeyDer::from_pem_slice(key).map_err(|_| "the client's key is no private key in PEM")?;
        }
        Ok(TlsCertificates {
            client_tls: self
                .identity
                .clone()
                .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key }),
            root_cert: self.authority.clone(),
        })
    }
}

fn check_certificates(pem: &[u8]) -> Result<(), &'static str> {
    let mut certificates = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificate.map_err(|_| "malformed PEM")?;
        certificates += 1;
    }
    if certificates == 0 { Err("no certificate in PEM") } else { Ok(()) }
}

impl fmt::Debug for Tls {
    /// Says what there is, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authority", &self.authority.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}
