//! A file that is there when all of it is: written aside, and given its name at the end.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::key_file::create_private;

/// A file being written, readable by its owner only. It is gone unless it is finished.
pub(super) struct Aside {
    name: PathBuf,
    aside: PathBuf,
    /// Where to write.
    pub(super) file: std::io::BufWriter<File>,
}

impl Aside {
    /// Begins a file, whose name nothing may have.
    pub(super) fn begin(name: &Path) -> anyhow::Result<Self> {
        ensure!(!name.exists(), "there is a file {} already: choose another name", name.display());
        let mut aside = name.as_os_str().to_owned();
        aside.push(format!(".part-{}", std::process::id()));
        let aside = PathBuf::from(aside);
        let file = create_private(&aside);
        let file = file.with_context(|| format!("cannot write {}", name.display()))?;
        let file = std::io::BufWriter::with_capacity(1 << 18, file);
        Ok(Self { name: name.to_owned(), aside, file })
    }

    /// Makes what was written last, under the name of the file.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let done = self.file.flush().and_then(|()| {
            self.file.get_ref().sync_all()?;
            fs::rename(&self.aside, &self.name)?;
            // The name, too.
            let folder = self.name.parent().filter(|folder| *folder != Path::new(""));
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        });
        done.with_context(|| format!("cannot write {}", self.name.display()))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // After the file has its name, nothing is here any more.
        let _gone = fs::remove_file(&self.aside);
    }
}
