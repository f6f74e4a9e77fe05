//! No space left on the device: nothing is acknowledged that is not kept, and it heals by itself.

use tokio::time::{Duration, sleep};

use crate::support::disk::Small;
use crate::support::{Request, Server};

#[tokio::test]
async fn a_full_disk_is_said_and_gets_over_with() {
    let mut server = Server::setup().in_a_file().prepare();
    let small = Small::mount(&server.data(), "3m");
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
