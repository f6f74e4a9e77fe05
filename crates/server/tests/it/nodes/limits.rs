//! Limits that nodes count together.

use std::time::{Duration, Instant};

use super::Node;
use crate::support::{App, Server};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// Longer than nodes let pass between two settlements, so that each knows what the other counted.
const APART: Duration = Duration::from_millis(300);

async fn nodes() -> Server {
    let setup = super::setup().await.set("limits.machine_client", 10);
    setup.set("limits.failed_client_auth", 10).start().await
}

#[tokio::test]
async fn a_client_gets_from_all_nodes_what_it_may_have() {
    let first = nodes().await;
    let node = Node::start(&first, Vec::new()).await;
    let machine = first.machine("machine", &[]);
    let (mut passed, began) = (0_u64, Instant::now());
    // Whoever refuses refuses for seconds; the other one is asked until it does, too.
    let mut refused = [false; 2];
    while refused != [true; 2] {
        let pages =
            [first.token(&machine, &GRANT).await, node.as_client(&machine, "/token", &GRANT).await];
        for (refused, page) in refused.iter_mut().zip(pages) {
            *refused = page.status == 429;
            if !*refused {
                assert_eq!(page.status, 200, "{page:?}");
                passed += 1;
            }
        }
        tokio::time::sleep(APART).await;
    }
    // One is earned in six seconds, and each may let one pass before it knows what the other did.
    let most = 10 + began.elapsed().as_secs().div_ceil(6) + 2;
    assert!((10..=most).contains(&passed), "{passed} of {most}");
}

#[tokio::test]
async fn who_guesses_secrets_at_one_node_is_not_listened_to_at_another() {
    let first = nodes().await;
    let node = Node::start(&first, Vec::new()).await;
    let machine = first.machine("machine", &[]);
    let wrong = App { secret: Some("grt_cs_wrong".to_owned()), ..machine.clone() };
    for _ in 0..10 {
        assert_eq!(first.token(&wrong, &GRANT).await.status, 401);
    }
    assert_eq!(first.token(&wrong, &GRANT).await.status, 429);
    // Alone, the other node would listen to ten.
    let mut heard = 0;
    while node.as_client(&wrong, "/token", &GRANT).await.status == 401 {
        heard += 1;
        assert!(heard < 4, "the ten at the first node are not known");
        tokio::time::sleep(APART).await;
    }
    assert_eq!(node.as_client(&machine, "/token", &GRANT).await.status, 429);
}
