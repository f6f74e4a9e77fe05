//! `/mailbox`: the mails of the demo.

use crate::support::client;
use crate::support::demo::Demo;

#[tokio::test]
async fn it_is_only_there_under_the_names_of_this_machine() {
    let demo = Demo::start();
    let url = format!("{}/mailbox", demo.issuer);
    let own = client().get(&url).send().await.expect("an answer");
    assert_eq!(own.status(), 200);
    // A page whose own name was made to lead here: DNS rebinding.
    for host in ["evil.example", "localhost.evil.example:5050", "127.0.0.1.evil.example"] {
        let answer = client().get(&url).header("host", host).send().await.expect("an answer");
        assert_eq!(answer.status(), 421, "{host}");
    }
}
