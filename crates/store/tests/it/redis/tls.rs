//! Redis over TLS.

use std::fs;

use grantor_core::store::{Store as _, StoreError};
use grantor_store::contract::servers::{RedisServer, free_port};
use grantor_store::redis::{Options, Redis};
use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::open_with;

#[tokio::test]
async fn the_server_must_show_a_certificate_of_an_authority_that_is_known() {
    // As the server does first of all.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::TempDir::new().expect("a folder");
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let [certificate, key] = ["server.crt", "server.key"].map(|name| folder.path().join(name));
    fs::write(&certificate, cert.pem()).expect("write");
    fs::write(&key, signing_key.serialize_pem()).expect("write");
    let (port, certificate) = (free_port().to_string(), certificate.display().to_string());
    let _server = RedisServer::start(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key.display().to_string(),
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ]);
    let known = Options { authorities: Some(cert.pem().into_bytes()), ..Options::default() };
    let store = open_with(&format!("rediss://localhost:{port}"), &known).await;
    store.ping().await.expect("answers");
    for (host, options) in [("localhost", &Options::default()), ("127.0.0.1", &known)] {
        let refused = Redis::open(&format!("rediss://{host}:{port}"), options).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{host} was believed");
    }
}
