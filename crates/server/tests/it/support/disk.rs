//! A small file system of a test's own, to be filled.

use std::path::{Path, PathBuf};
use std::process::Command;

/// It is there until this is dropped.
pub(crate) struct Small {
    /// Where.
    pub(crate) path: PathBuf,
}

impl Small {
    /// Makes one of `size` (as `3m`), in which everybody may write.
    pub(crate) fn mount(path: &Path, size: &str) -> Self {
        std::fs::create_dir_all(path).expect("a folder");
        let run = |program: &str, arguments: &[&str]| {
            Command::new(program).args(arguments).status().is_ok_and(|status| status.success())
        };
        let shown = path.display().to_string();
        let options = format!("size={size},mode=777");
        let mount = ["mount", "-t", "tmpfs", "-o", &options, "grantor-test", &shown];
        let mounted = run(mount[0], &mount[1..]) || run("sudo", &[&["-n"], &mount[..]].concat());
        assert!(mounted, "this test mounts a small file system and needs root or sudo");
        Self { path: path.to_owned() }
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let ballast = self.path.join("ballast").display().to_string();
        // It ends with "no space left", which is the point.
        let _full = Command::new("dd")
            .args(["if=/dev/zero", &format!("of={ballast}"), "bs=4k", "status=none"])
            .stderr(std::process::Stdio::null())
            .status();
    }

    /// As before.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path.join("ballast")).expect("removed");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let lazily = |program: &str, first: &[&str]| {
            Command::new(program)
                .args(first)
                .arg("-l")
                .arg(&self.path)
                .status()
                .is_ok_and(|s| s.success())
        };
        let _gone = lazily("umount", &[]) || lazily("sudo", &["-n", "umount"]);
    }
}
