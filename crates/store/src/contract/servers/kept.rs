//! Programs of Debian's packages, in a temporary folder of their own. They end, and their folders
//! go, with the test's process, however that ends.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to start or stop, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the program and reads its own standard input to the end; kills the program then and removes
/// the folder, the first argument, unless it was told to keep it. Signals to all of the terminal do
/// not end it before that.
const KEEPER: &str = "trap '' HUP INT TERM; folder=$1; shift; \"$@\" </dev/null & program=$!; \
                      order=$(cat); kill -9 $program 2>/dev/null; wait $program 2>/dev/null; \
                      [ \"$order\" = keep ] || rm -rf \"$folder\"";

/// A program that ends with this process: its keeper reads a pipe of which we have the other end.
pub struct Kept(Child);

impl Kept {
    /// Starts a program that has a folder of its own.
    pub fn start(folder: &str, program: &[String]) -> Self {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper", folder]).args(program);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(keeper.spawn().expect("sh starts"))
    }

    /// Kills the program; its folder stays.
    pub fn kill(mut self) {
        let mut keeper = self.0.stdin.take().expect("is piped");
        keeper.write_all(b"keep").expect("the keeper reads");
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends by itself now; nothing can be done where it does not.
        let _ = self.0.wait();
    }
}

/// A port that nobody listens at, and that is given to nobody else: neither to another test of this
/// process, nor by the system to somebody who connects.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of so many ports in a row, all of them as [`free_port`].
pub fn free_ports(count: u16) -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let given = GIVEN.fetch_add(count.into(), Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(101).wrapping_add(given) % 18_000;
        let first = 10_000 + u16::try_from(place).expect("is less than 18,000");
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (first..first + count).all(is_free) {
            return first;
        }
    }
}

/// Waits until `is` says so.
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is() {
        assert!(since.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
