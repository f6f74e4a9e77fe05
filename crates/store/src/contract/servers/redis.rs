//! Throwaway Redis servers: Debian's packages `redis-server` and `redis-tools`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::kept::{Kept, free_port, until};

/// A server with a folder of its own, which stays when the server is killed and started again.
pub struct RedisServer {
    kept: Option<Kept>,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl RedisServer {
    /// Starts a server that keeps an append-only file. `settings` come after its own, for example
    /// `["--appendfsync", "always"]`.
    pub fn start(settings: &[&str]) -> Self {
        let folder = new_folder();
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { kept: None, folder, port: free_port(), settings };
        server.start_again();
        server
    }

    /// Starts a replica, and waits until it has everything.
    pub fn replica_of(primary: &Self) -> Self {
        let replica = Self::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
        replica.until_in_step_with(primary);
        replica
    }

    /// Starts the server again, on what its folder has.
    pub fn start_again(&mut self) {
        let folder = self.folder.display().to_string();
        let mut program: Vec<String> = ["redis-server", "--bind", "127.0.0.1", "--port"]
            .into_iter()
            .map(str::to_owned)
            .collect();
        program.extend([self.port.to_string(), "--dir".to_owned(), folder.clone()]);
        let own = ["--save", "", "--appendonly", "yes", "--unixsocket", "redis.sock"];
        program.extend(own.map(str::to_owned));
        program.extend(self.settings.iter().cloned());
        self.kept = Some(Kept::start(&folder, &program));
        until("Redis starts", || {
            ["PONG", "NOAUTH"].iter().any(|is| self.cli(&["ping"]).contains(is))
        });
    }

    /// Waits until this replica of `primary` has everything that it has, and both know.
    pub fn until_in_step_with(&self, primary: &Self) {
        let in_step = || {
            let info = self.cli(&["info", "replication"]);
            let known = primary.cli(&["info", "replication"]);
            info.contains("master_link_status:up")
                && info.contains("master_sync_in_progress:0")
                && written(&info) == written(&known)
                && known.contains("state=online")
                && !known.contains("min_slaves_good_slaves:0")
        };
        until("the replica is in step", in_step);
    }

    /// Kills the server as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    /// What an operator would say with `redis-cli`, and the answer.
    pub fn cli(&self, command: &[&str]) -> String {
        cli(self.port, command)
    }

    /// The port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the server's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address by TCP.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The address by the unix socket.
    pub fn socket(&self) -> String {
        format!("unix://{}", self.folder.join("redis.sock").display())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kept = None;
        // Gone already, unless the server was killed. One that stays does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A Sentinel that watches a service named `grantor`, and decides alone.
pub struct RedisSentinel {
    _kept: Kept,
    port: u16,
}

impl RedisSentinel {
    /// Starts it beside the primary at a port. `settings` are lines of its file.
    pub fn start(primary: u16, settings: &[&str]) -> Self {
        let (folder, port) = (new_folder(), free_port());
        let own = format!(
            "bind 127.0.0.1\nport {port}\nsentinel monitor grantor 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds grantor 500\nsentinel failover-timeout grantor 5000\n"
        );
        let file = folder.join("sentinel.conf");
        std::fs::write(&file, own + &settings.join("\n")).expect("its settings are written");
        let program = ["redis-server", &file.display().to_string(), "--sentinel"];
        let program: Vec<_> = program.into_iter().map(str::to_owned).collect();
        let kept = Kept::start(&folder.display().to_string(), &program);
        until("Sentinel starts", || {
            ["PONG", "NOAUTH"].iter().any(|is| cli(port, &["ping"]).contains(is))
        });
        Self { _kept: kept, port }
    }

    /// Waits until it knows so many replicas of the primary.
    pub fn until_it_knows(&self, replicas: u32) {
        let known = format!("slaves={replicas},");
        until("Sentinel knows the replicas", || {
            cli(self.port, &["info", "sentinel"]).contains(&known)
        });
    }

    /// The address of the service.
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/grantor", self.port)
    }
}

/// A cluster of three servers without replicas.
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    scheme: &'static str,
    ports: Vec<u16>,
}

impl RedisCluster {
    /// Starts it, and waits until every node knows that the cluster works. `settings` are those of
    /// each node.
    pub fn start(settings: &[&str]) -> Self {
        Self::start_as("redis+cluster", settings)
    }

    /// The same, with clients and nodes that speak TLS; `settings` name the certificate.
    pub fn start_encrypted(settings: &[&str]) -> Self {
        Self::start_as("rediss+cluster", &[settings, &["--tls-cluster", "yes"]].concat())
    }

    fn start_as(scheme: &'static str, settings: &[&str]) -> Self {
        let mut cluster = Self { nodes: Vec::new(), scheme, ports: Vec::new() };
        let encrypted = scheme.starts_with("rediss");
        for _ in 0..3 {
            let port = free_port();
            let own = port.to_string();
            let tls = [&["--tls-port", &own], settings].concat();
            let node = node(if encrypted { &tls } else { settings });
            cluster.ports.push(if encrypted { port } else { node.port });
            cluster.nodes.push(node);
        }
        cluster.join(if encrypted { &["--tls", "--insecure"] } else { &[] });
        cluster.until_it_works();
        cluster
    }

    /// Starts a replica of the node that has a key, and waits until it has everything.
    pub fn add_replica(&mut self, key: &str) -> RedisServer {
        let others = format!("127.0.0.1:{}", self.ports[0]);
        let primary = self.node_of(key);
        let replica = node(&[]);
        let mut add = Command::new("redis-cli");
        add.args(["--cluster", "add-node", &format!("127.0.0.1:{}", replica.port), &others]);
        add.args(["--cluster-slave", "--cluster-master-id", &primary.cli(&["cluster", "myid"])]);
        let added = add.output().expect("redis-cli starts");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stdout));
        replica.until_in_step_with(primary);
        self.until_it_works();
        replica
    }

    /// Moves every slot of the node that has a key to another one.
    pub fn move_all_from(&mut self, key: &str) {
        let node = self.node_of(key);
        let (port, from) = (node.port, node.cli(&["cluster", "myid"]));
        let other = self.nodes.iter().find(|node| node.port != port).expect("there are three");
        let to = other.cli(&["cluster", "myid"]);
        let mut reshard = Command::new("redis-cli");
        reshard.args(["--cluster", "reshard", &format!("127.0.0.1:{port}"), "--cluster-yes"]);
        reshard.args(["--cluster-from", &from, "--cluster-to", &to, "--cluster-slots", "5462"]);
        let moved = reshard.output().expect("redis-cli starts");
        assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stdout));
    }

    /// Makes a cluster of the servers.
    fn join(&self, how: &[&str]) {
        let nodes = self.ports.iter().map(|port| format!("127.0.0.1:{port}"));
        let mut create = Command::new("redis-cli");
        create.args(how).args(["--cluster", "create"]).args(nodes).arg("--cluster-yes");
        let created = create.output().expect("redis-cli starts");
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
    }

    /// Waits until every node knows that the cluster works.
    pub fn until_it_works(&self) {
        for node in &self.nodes {
            let works = || node.cli(&["cluster", "info"]).contains("cluster_state:ok");
            until("the cluster works", works);
        }
    }

    /// The node that has a key.
    pub fn node_of(&mut self, key: &str) -> &mut RedisServer {
        let found =
            self.nodes.iter_mut().find(|node| !node.cli(&["exists", key]).contains("MOVED"));
        found.expect("every slot is somewhere")
    }

    /// The address, with every node.
    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("{}://{}", self.scheme, nodes.join(","))
    }
}

/// A server that can be a node of a cluster.
fn node(settings: &[&str]) -> RedisServer {
    let bus = free_port().to_string();
    let own =
        ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "1000"];
    RedisServer::start(&[&own, settings].concat())
}

/// How much was written so far, in what `info replication` says.
fn written(info: &str) -> Option<&str> {
    info.lines().find_map(|line| line.strip_prefix("master_repl_offset:"))
}

fn cli(port: u16, command: &[&str]) -> String {
    let mut program = Command::new("redis-cli");
    let output = program.args(["-p", &port.to_string()]).args(command).output();
    let output = output.expect("redis-cli starts: Debian's package redis-tools");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn new_folder() -> PathBuf {
    let name = format!("grantor-redis-{}-{}", std::process::id(), free_port());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).expect("a folder of its own");
    folder
}
