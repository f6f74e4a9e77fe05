//! `grantor demo` without a browser.

use std::process::Command;

use crate::support::cli::run;
use crate::support::demo::{Demo, free_ports};
use crate::support::server::GRANTOR;

#[test]
fn walking_through_prints_each_step_and_no_secret() {
    let data = tempfile::tempdir().expect("a folder");
    let port = free_ports();
    let walk = || {
        let mut command = Command::new(GRANTOR);
        command.args(["demo", "--walk", "--port", &port.to_string(), "--data"]).arg(data.path());
        run(&mut command, "")
    };
    let ran = walk();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for step in ["/authorize", "/login", "/consent", "/callback", "/token", "/protected", "200"] {
        assert!(ran.out.contains(step), "{step} is not shown:\n{}", ran.out);
    }
    assert!(ran.out.contains("This is protected data"), "{}", ran.out);
    let whole = |word: &str| word.contains("grt_") && word.len() > 60;
    let shown = ran
        .out
        .split(|c: char| c.is_whitespace() || "=&\"'<>;,".contains(c))
        .find(|word| whole(word));
    assert_eq!(shown, None, "secrets are shortened");
    let again = walk();
    assert_eq!(again.code, Some(0), "again on the same data: {again:?}");
}

#[test]
fn the_panel_says_what_there_is_and_a_second_start_goes_on() {
    let port = free_ports();
    let first = Demo::start_in(tempfile::tempdir().expect("a folder"), port);
    let panel = first.panel.clone();
    for text in [&first.issuer, &first.sample, &first.password, "demo_user", "/mailbox"] {
        assert!(panel.contains(text), "{text} is missing:\n{panel}");
    }
    assert!(panel.lines().count() < 20, "short:\n{panel}");
    let second = Demo::start_in(first.stop(), port);
    assert_eq!(second.panel, panel, "the same account, the same password");
    drop(second.stop());
}
