//! The key-encryption key of a server that was given none: made at first start, 32 random bytes in
//! hex, readable by nobody else.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use grantor_core::jose::seal::KeyEncryptionKey;
use grantor_core::ports::Entropy as _;
use zeroize::Zeroizing;

use crate::clock::SystemEntropy;

/// The key in the file at `path`, or a new one that is kept there. Of two processes that start at
/// once, both use the key of the one that was first.
pub(crate) fn read_or_make(path: &Path) -> anyhow::Result<KeyEncryptionKey> {
    make(path).with_context(|| format!("cannot write the key file {}", path.display()))?;
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read the key file {}", path.display()))?;
    match decode(text.trim()) {
        Some(bytes) => Ok(KeyEncryptionKey::new(&bytes)?),
        None => bail!(
            "the key file {} is damaged: it must hold 64 hexadecimal digits. Put it back from a backup; without it the database cannot be used",
            path.display()
        ),
    }
}

/// Keeps a secret of the demo in a file that nobody else can read.
pub(crate) fn write_private(path: &Path, secret: &str) -> anyhow::Result<()> {
    let written = private().open(path).and_then(|mut file| file.write_all(secret.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Written aside and linked into place, so that the file is never seen half written.
fn make(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut bytes = Zeroizing::new([0; 32]);
    SystemEntropy.fill(&mut *bytes);
    let hex = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = private().open(&aside)?;
    file.write_all(hex.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A new file that nobody else can read, in the place of one that may be there.
pub(crate) fn create_private(path: &Path) -> std::io::Result<fs::File> {
    let file = private().open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn decode(hex: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        let first = read_or_make(&path).expect("made");
        let second = read_or_make(&path).expect("read");
        assert_eq!(first.id(), second.id());
        fs::write(&path, "short").expect("written");
        assert!(read_or_make(&path).is_err());
    }
}
