//! No space left on the device: nothing is acknowledged that is not kept, and it heals by itself.

use std::process::Command;

use tokio::time::{Duration, sleep};

use crate::support::{Request, Server};

/// A small file system of its own for the data folder. `None` where mounting is not allowed.
struct Small {
    path: std::path::PathBuf,
}

impl Small {
    fn mount(path: &std::path::Path) -> Self {
        std::fs::create_dir_all(path).expect("a folder");
        let run = |program: &str, arguments: &[&str]| {
            Command::new(program).args(arguments).status().is_ok_and(|status| status.success())
        };
        let shown = path.display().to_string();
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=3m", "grantor-test", &shown])
            || run(
                "sudo",
                &["-n", "mount", "-t", "tmpfs", "-o", "size=3m,mode=777", "grantor-test", &shown],
            );
        assert!(mounted, "this test mounts a small file system and needs root or sudo");
        Self { path: path.to_owned() }
    }

    fn fill(&self) {
        let ballast = self.path.join("ballast").display().to_string();
        // It ends with "no space left", which is the point.
        let _full = Command::new("dd")
            .args(["if=/dev/zero", &format!("of={ballast}"), "bs=4k", "status=none"])
            .stderr(std::process::Stdio::null())
            .status();
    }

    fn free(&self) {
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

#[tokio::test]
async fn a_full_disk_is_said_and_gets_over_with() {
    let mut server = Server::setup().in_a_file().prepare();
    let small = Small::mount(&server.data());
    server.start_again().await;
    let app = server.app("notes");
    let browser = server.browser();
    let tokens = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    small.fill();

    // Until the space in files that are already there is used up, requests go on.
    let mut kept = Vec::new();
    let mut refused = 0;
    for _ in 0..3000 {
        let page = server.refresh(&app, &tokens.refresh).await;
        match page.status {
            200 => kept.push(page.json()["access_token"].as_str().expect("a token").to_owned()),
            status => {
                assert_eq!(status, 503, "{page:?}");
                assert_eq!(page.json()["error"], "temporarily_unavailable");
                assert!(page.header("retry-after").is_some());
                refused += 1;
            }
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk was not full after {} writes", kept.len());
    // Reading still works, and a page says what is the matter.
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
    let page = server.browser().open(&Request::of(&app).url(&server)).await;
    assert!(page.status == 503 || page.location().is_some(), "{page:?}");

    small.free();
    sleep(Duration::from_millis(1500)).await;
    let page = server.refresh(&app, &tokens.refresh).await;
    assert_eq!(page.status, 200, "it heals by itself: {page:?}");
    for access in &kept {
        assert_eq!(server.bearer("/protected", access).await.status, 200, "acknowledged and lost");
    }
    server.kill();
    server.start_again().await;
    for access in &kept {
        assert_eq!(server.bearer("/protected", access).await.status, 200, "acknowledged and lost");
    }
    server.assert_whole();
    server.kill();
    server.assert_no_secret_leaked();
    drop(small);
}
