//! TLS, passwords, and several hosts.

use std::net::TcpListener;

use grantor_core::store::{Store as _, StoreError};
use grantor_store::contract::servers::PostgresServer;
use grantor_store::postgres::{Options, Postgres};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// An authority, and a server's certificate and key in PEM.
struct Authority {
    folder: TempDir,
    server: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let own = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&own, &authority).expect("a certificate");
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("write");
        Self { folder, server: format!("{}{}", certificate.pem(), own.serialize_pem()) }
    }

    fn file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }
}

async fn opened(url: &str) -> Result<Postgres, StoreError> {
    Postgres::open(url, &super::options()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_checked_as_far_as_the_url_says() {
    let (authority, other) = (Authority::new(), Authority::new());
    let port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let settings = [
        "listen_addresses = '127.0.0.1'",
        &format!("port = {port}"),
        "ssl = on",
        "ssl_cert_file = 'server.pem'",
        "ssl_key_file = 'server.pem'",
    ];
    let _server = PostgresServer::start("scram-sha-256", &settings, Some(&authority.server));
    let (own, foreign) = (authority.file(), other.file());
    let at = |host: &str, rest: &str| {
        format!("postgres://grantor:secret@{host}:{port}/postgres?connect_timeout=20&{rest}")
    };
    for url in [
        at("localhost", &format!("sslmode=verify-full&sslrootcert={own}&channel_binding=require")),
        at("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={own}")),
        at("127.0.0.1", "sslmode=require"),
        at("127.0.0.1", ""),
    ] {
        let store = opened(&url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        store.ping().await.expect("answers");
        let plain = super::shell(&at("127.0.0.1", "sslmode=disable")).await;
        let protected = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a
                         ON a.pid = s.pid WHERE a.application_name = 'grantor'";
        let protected = plain.query_one(protected, &[]).await.expect("query");
        assert_eq!(protected.get::<_, Option<bool>>(0), Some(true), "{url}");
    }
    for (url, part) in [
        (at("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={own}")), "not valid for name"),
        (at("localhost", &format!("sslmode=verify-full&sslrootcert={foreign}")), "certificate"),
        (at("localhost", &format!("sslmode=verify-ca&sslrootcert={foreign}")), "certificate"),
        (at("localhost", &format!("sslmode=require&sslrootcert={foreign}")), "certificate"),
        (at("localhost", "sslmode=verify-full"), "certificate"),
        (
            at("localhost", "sslmode=require").replace("secret", "guess"),
            "does not let this user in",
        ),
    ] {
        let Err(error) = opened(&url).await else {
            panic!("{url} was opened");
        };
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unavailable(_)), "{text}");
        assert!(text.contains(part) && !text.contains("secret"), "{url}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_not_good_enough_where_it_is_required() {
    let server = PostgresServer::shared();
    let proxy = grantor_store::contract::servers::Proxy::to(server.socket()).await;
    let schema = server.fresh_schema().await;
    let at = |mode: &str| {
        format!("postgres://grantor@{}/postgres?sslmode={mode}&{schema}", proxy.address())
    };
    for mode in ["require", "verify-ca", "verify-full"] {
        let Err(error) = opened(&at(mode)).await else {
            panic!("{mode} was opened");
        };
        assert!(error.to_string().contains("TLS"), "{error}");
    }
    for mode in ["disable", "prefer"] {
        opened(&at(mode)).await.expect(mode).ping().await.expect("answers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let reads = PostgresServer::start("trust", &["default_transaction_read_only = on"], None);
    let writes = PostgresServer::shared();
    let schema = writes.fresh_schema().await;
    let hosts = format!("%2Fnowhere,{},{}", reads.host(), writes.host());
    let url = format!("postgres://grantor@{hosts}/postgres?{schema}");
    let options = Options { connections: 2, ..super::options() };
    let store = Postgres::open(&format!("{url}&target_session_attrs=read-write"), &options).await;
    store.expect("opens").ping().await.expect("writes");
    let Err(error) = Postgres::open(&url, &options).await else {
        panic!("the first one that answers takes no writes");
    };
    assert!(error.to_string().contains("takes no writes"), "{error}");
}
