//! Sealed files: each session is one file under AES-256-GCM, its name bound to its content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

use crate::config::StartError;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const FORMAT: u8 = 1;
const SUFFIX: &str = "sealed";

/// The data folder: a key file made at first start and the sealed files it protects.
pub(crate) struct Vault {
    key: RandomizedNonceKey,
    folder: PathBuf,
}

impl Vault {
    /// Opens the folder, making it and the key file (mode 0600) where they are missing.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, StartError> {
        let folder = data_dir.join("sessions");
        make_private_folder(&folder).map_err(|reason| failed(&folder, reason))?;
        let path = data_dir.join("seal.key");
        let bytes = read_or_make_key(&path).map_err(|reason| failed(&path, reason))?;
        match RandomizedNonceKey::new(&AES_256_GCM, &bytes) {
            Ok(key) => Ok(Self { key, folder }),
            Err(_) => Err(StartError::SealKey { path }),
        }
    }

    /// Writes a file whole or not at all; `name` must be safe as a file name.
    pub(crate) fn put(&self, name: &str, plain: &[u8]) -> io::Result<()> {
        let sealed = self.seal(name, plain).ok_or(io::Error::other("sealing failed"))?;
        let temporary = self.folder.join(format!("{name}.new"));
        let mut file = private_file(&temporary, OpenOptions::new().create(true).truncate(true))?;
        file.write_all(&sealed)?;
        file.sync_data()?;
        fs::rename(temporary, self.path(name))
    }

    /// Removes a file; one that is not there is as good as removed.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Every file that opens under the key, as name and content; the others are removed.
    pub(crate) fn load(&self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let whole = path.extension().is_some_and(|extension| extension == SUFFIX);
            match whole
                .then(|| fs::read(&path))
                .transpose()?
                .and_then(|b| self.open_sealed(name, &b))
            {
                Some(plain) => found.push((name.to_owned(), plain)),
                None => {
                    tracing::warn!(file = %path.display(), "removing a session that does not open");
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(found)
    }

    fn seal(&self, name: &str, plain: &[u8]) -> Option<Vec<u8>> {
        let mut body = plain.to_vec();
        let nonce = self.key.seal_in_place_append_tag(bound_to(name), &mut body).ok()?;
        let mut sealed = vec![FORMAT];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Some(sealed)
    }

    fn open_sealed(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (head, body) = sealed.split_at_checked(1 + NONCE_LEN)?;
        let (format, nonce) = head.split_first()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, bound_to(name), &mut body).ok()?;
        (*format == FORMAT).then(|| plain.to_vec())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{SUFFIX}"))
    }
}

// A file renamed to another session's name must not open there.
fn bound_to(name: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("fieldnotes session {FORMAT} {name}").into_bytes())
}

fn read_or_make_key(path: &Path) -> io::Result<Vec<u8>> {
    let mut key = Vec::new();
    match private_file(path, OpenOptions::new().create_new(true)) {
        Ok(mut file) => {
            key.resize(KEY_LEN, 0);
            aws_lc_rs::rand::fill(&mut key).map_err(|_| io::Error::other("no randomness"))?;
            file.write_all(&key)?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            File::open(path)?.read_to_end(&mut key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

fn private_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn failed(path: &Path, reason: io::Error) -> StartError {
    StartError::Data { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_are_sealed_private_and_bound_to_their_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(dir.path()).expect("opens");
        vault.put("one", b"a refresh token").expect("writes");
        let file = vault.path("one");
        let raw = fs::read(&file).expect("reads");
        assert!(!raw.windows(7).any(|window| window == b"refresh"));
        for path in [&file, &dir.path().join("seal.key")] {
            let mode = fs::metadata(path).expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let again = Vault::open(dir.path()).expect("opens again");
        assert_eq!(again.load().expect("loads"), [("one".to_owned(), b"a refresh token".to_vec())]);
        fs::rename(file, vault.path("two")).expect("renames");
        assert!(again.load().expect("loads").is_empty());
    }

    #[test]
    fn a_damaged_key_file_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("seal.key"), b"short").expect("writes");
        let error = Vault::open(dir.path()).err().expect("is refused");
        assert!(error.to_string().contains("seal.key"), "{error}");
    }
}
