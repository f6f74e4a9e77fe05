//! Throwaway servers are gone with the process that has started them.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use grantor_store::contract::servers::RedisServer;

const KILLED: &str = "GRANTOR_TEST_KILLED_WITH_SERVERS";

#[test]
fn nothing_is_left_of_the_servers_of_a_process_that_was_killed() {
    // The process that is killed is this test again.
    if std::env::var_os(KILLED).is_some() {
        return hold_a_server();
    }
    let mut child = Command::new(std::env::current_exe().expect("is a file"))
        .args(["--exact", "--nocapture"])
        .arg("redis::left_over::nothing_is_left_of_the_servers_of_a_process_that_was_killed")
        .env(KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let printed = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let line = printed.map(|line| line.expect("text")).find(|line| line.contains("server at "));
    let line = line.expect("it has a server");
    let (port, folder) =
        line.rsplit_once("server at ").expect("says where").1.split_once(' ').expect("both");
    let is_there =
        || TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() || Path::new(folder).exists();
    assert!(is_there(), "{line}");
    child.kill().expect("kill -9");
    child.wait().expect("it ends");
    let since = Instant::now();
    while is_there() {
        assert!(since.elapsed() < Duration::from_secs(20), "{line}: something is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn hold_a_server() {
    let server = RedisServer::start(&[]);
    println!("server at {} {}", server.port(), server.folder().display());
    std::thread::sleep(Duration::from_secs(600));
}
