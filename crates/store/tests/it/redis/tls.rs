//! Redis over TLS: one server, one that Sentinel names, and a cluster.

use std::fs;

use grantor_core::store::{Store as _, StoreError};
use grantor_store::contract::servers::{RedisCluster, RedisSentinel, RedisServer, free_port};
use grantor_store::redis::{Options, Redis};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use super::open_with;

/// A certificate for names, in files.
struct Certificate {
    folder: TempDir,
}

impl Certificate {
    fn of(names: &[&str]) -> Self {
        // As the server does first of all.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = TempDir::new().expect("a folder");
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).expect("a certificate");
        fs::write(folder.path().join("own.crt"), cert.pem()).expect("write");
        fs::write(folder.path().join("own.key"), signing_key.serialize_pem()).expect("write");
        Self { folder }
    }

    /// Settings with which a server shows it.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        vec![
            ("tls-cert-file", file("own.crt")),
            ("tls-key-file", file("own.key")),
            ("tls-ca-cert-file", file("own.crt")),
            ("tls-auth-clients", "no".to_owned()),
            ("tls-replication", "yes".to_owned()),
        ]
    }

    /// The same for a program.
    fn arguments(&self) -> Vec<String> {
        let own = self.settings().into_iter();
        own.flat_map(|(name, value)| [format!("--{name}"), value]).collect()
    }

    fn trusted(&self) -> Options {
        let authorities = Some(self.folder.path().join("own.crt"));
        Options { authorities, ..Options::default() }
    }
}

fn borrowed(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

/// A server that speaks TLS at the port, and without TLS at its own.
fn start(certificate: &Certificate, port: u16) -> RedisServer {
    let arguments = [certificate.arguments(), vec!["--tls-port".to_owned(), port.to_string()]];
    RedisServer::start(&borrowed(&arguments.concat()))
}

async fn answers(url: &str, options: &Options) {
    open_with(url, options).await.ping().await.expect("answers");
}

async fn is_not_believed(url: &str, options: &Options) {
    let refused = Redis::open(url, options).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{url} was believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_must_show_a_certificate_of_an_authority_that_is_known() {
    let (certificate, port) = (Certificate::of(&["localhost"]), free_port());
    let _server = start(&certificate, port);
    let known = certificate.trusted();
    answers(&format!("rediss://localhost:{port}"), &known).await;
    is_not_believed(&format!("rediss://localhost:{port}"), &Options::default()).await;
    is_not_believed(&format!("rediss://127.0.0.1:{port}"), &known).await;
    let missing = Options { authorities: Some("/no/such.pem".into()), ..Options::default() };
    let told = Redis::open(&format!("rediss://localhost:{port}"), &missing).await;
    assert!(matches!(&told, Err(StoreError::Unavailable(text)) if text.contains("/no/such.pem")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinel_and_the_server_that_it_names_must_show_one_too() {
    let (certificate, port) = (Certificate::of(&["127.0.0.1"]), free_port());
    let _server = start(&certificate, port);
    let encrypted = free_port();
    let mut lines = vec![format!("tls-port {encrypted}")];
    lines.extend(certificate.settings().iter().map(|(name, value)| format!("{name} {value}")));
    let _sentinel = RedisSentinel::start(port, &borrowed(&lines));
    let url = format!("rediss+sentinel://127.0.0.1:{encrypted}/grantor");
    answers(&url, &certificate.trusted()).await;
    is_not_believed(&url, &Options::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_of_a_cluster_must_show_one_too() {
    let certificate = Certificate::of(&["127.0.0.1"]);
    let cluster = RedisCluster::start_encrypted(&borrowed(&certificate.arguments()));
    answers(&cluster.url(), &certificate.trusted()).await;
    is_not_believed(&cluster.url(), &Options::default()).await;
}
