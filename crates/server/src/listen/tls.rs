//! TLS from PEM files (RFC 8446, RFC 7301 for the choice of HTTP/2), read again when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::ListenError;

/// A certificate and its key, from files.
pub(crate) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Stamps>,
}

/// When the two files were last changed.
type Stamps = [Option<SystemTime>; 2];

impl Tls {
    /// Reads a PEM certificate chain and its PEM private key.
    pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Self, ListenError> {
        let seen = Mutex::new(stamps(certificate, key));
        let config = RwLock::new(Arc::new(read(certificate, key)?));
        Ok(Self { certificate: certificate.into(), key: key.into(), config, seen })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }

    /// Takes up changed files; while they do not fit together, the old ones stay in use.
    pub(super) fn refresh(&self) {
        let now = stamps(&self.certificate, &self.key);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        match read(&self.certificate, &self.key) {
            Ok(config) => {
                *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                *seen = now;
                tracing::info!("the TLS certificate was read again");
            }
            Err(error) => tracing::warn!(%error, "the changed TLS certificate cannot be used"),
        }
    }
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|file| std::fs::metadata(file).and_then(|m| m.modified()).ok())
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, ListenError> {
    let unusable = |file: &Path, what: &str, why: &dyn std::fmt::Display| {
        ListenError(format!("{}: {what}: {why}", file.display()))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(certificate, "cannot read the certificate", &error))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "cannot read the certificate", &"none is in the file"));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unusable(key, "cannot read the private key", &error))?;
    let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, "cannot set up TLS", &error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(key, "does not fit the certificate", &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let files = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&files.0, made.cert.pem()).expect("written");
        std::fs::write(&files.1, made.signing_key.serialize_pem()).expect("written");
        files
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert, key) = write(folder.path(), "a");
        let (_, other) = write(folder.path(), "b");
        let text = |cert: &Path, key: &Path| match Tls::load(cert, key) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text(&cert, &key), "");
        assert!(text(Path::new("/nowhere.pem"), &key).starts_with("/nowhere.pem: cannot read"));
        assert!(text(&key, &key).contains("a.key: cannot read the certificate"));
        assert!(text(&cert, &cert).contains("a.pem: cannot read the private key"));
        assert!(text(&cert, &other).contains("b.key: does not fit the certificate"));
    }

    #[test]
    fn changed_files_are_taken_up_and_broken_ones_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert, key) = write(folder.path(), "a");
        let tls = Tls::load(&cert, &key).expect("loaded");
        let current = || Arc::as_ptr(&tls.config.read().expect("not poisoned")) as usize;
        let first = current();
        tls.refresh();
        assert_eq!(current(), first, "nothing changed");
        let later = |path: &Path| {
            let file = std::fs::File::options().append(true).open(path).expect("opened");
            let modified = file.metadata().and_then(|own| own.modified()).expect("a time");
            file.set_modified(modified + std::time::Duration::from_secs(5)).expect("set");
        };
        std::fs::write(&cert, "broken").expect("written");
        later(&cert);
        tls.refresh();
        assert_eq!(current(), first, "the old one stays");
        write(folder.path(), "a");
        later(&key);
        tls.refresh();
        assert_ne!(current(), first, "the new one is used");
    }
}
