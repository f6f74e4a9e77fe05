//! The key-encryption keys: from the settings, or a file in the data folder.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use grantor_core::jose::seal::{DerivationRoot, KeyEncryptionKey, KeyRing};
use grantor_core::key_encryption::{self, StartError};
use grantor_core::store::Store;

use crate::clock::SystemEntropy;
use crate::config::Config;
use crate::key_file;

/// The file of a key-encryption key that was not configured.
const KEY_FILE: &str = "key-encryption.key";

/// Makes the key of an empty folder, before the database: so a process that starts at the same time
/// never sees a database without a key. One that really has none is refused: a new key would not
/// open what the lost one has sealed.
pub(super) fn prepare(config: &Config, database: &Path) -> anyhow::Result<()> {
    let was_there = database.exists();
    let path = default_file(config);
    if config.key_encryption_key().is_some() {
        return Ok(());
    }
    ensure!(
        path.exists() || !was_there,
        "the data folder {} has a database but no {KEY_FILE}: put the file back from a backup, or set keys.key_encryption_key_file",
        config.data.display()
    );
    key_file::read_or_make(&path).map(drop)
}

/// The keys, every one that the store needs among them, and the root of keyed digests.
pub(super) async fn start(
    config: &Config,
    store: &dyn Store,
) -> anyhow::Result<(KeyRing, DerivationRoot)> {
    let ring = ring(config)?;
    match key_encryption::start(store, &ring, &SystemEntropy).await {
        Ok(root) => Ok((ring, root)),
        Err(error) => match hint(config, &error) {
            Some(hint) => bail!("{error}. {hint}"),
            None => Err(error.into()),
        },
    }
}

fn ring(config: &Config) -> anyhow::Result<KeyRing> {
    let current = match config.key_encryption_key() {
        Some(bytes) => KeyEncryptionKey::new(&bytes)?,
        None => key_file::read_or_make(&default_file(config))?,
    };
    let mut retired = Vec::new();
    for bytes in config.retired_key_encryption_keys() {
        retired.push(KeyEncryptionKey::new(&bytes)?);
    }
    Ok(KeyRing::new(current, retired))
}

/// The most likely slip: a key was set, and the one in the data folder forgotten.
fn hint(config: &Config, error: &StartError) -> Option<String> {
    let StartError::Missing { uses, .. } = error else {
        return None;
    };
    let path = default_file(config);
    let own = path.exists().then(|| key_file::read_or_make(&path).ok()).flatten()?;
    uses.iter().any(|missing| missing.key.0 == *own.id_bytes()).then(|| {
        format!("It is in {0}: keys.retired_key_encryption_key_files = [\"{0}\"]", path.display())
    })
}

fn default_file(config: &Config) -> PathBuf {
    config.data.join(KEY_FILE)
}
