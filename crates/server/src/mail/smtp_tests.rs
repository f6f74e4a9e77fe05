//! Mail to a small SMTP server of our own, kind and unkind.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::{MailError, Mailer as _, Message, Security, Smtp, SmtpSettings};

type Heard = Arc<Mutex<Vec<String>>>;

/// What the server says to RCPT, and all it heard.
async fn server(rcpt: &'static str, tls: Option<tokio_rustls::TlsAcceptor>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &tls {
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        talk(stream, rcpt, &log).await;
                    }
                }
                None => talk(stream, rcpt, &log).await,
            }
        }
    });
    (port, heard)
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, rcpt: &str, heard: &Heard) {
    let mut stream = BufReader::new(stream);
    let mut answer = "220 test".to_owned();
    let mut data = false;
    loop {
        if !data && stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        heard.lock().expect("not poisoned").push(line.clone());
        answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." if data => {
                data = false;
                "250 taken".to_owned()
            }
            _ if data => continue,
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN".to_owned(),
            "AUTH" => "535 wrong password".to_owned(),
            "RCPT" => rcpt.to_owned(),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.expect("written");
                data = true;
                continue;
            }
            _ => "250 fine".to_owned(),
        };
    }
}

fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        ca_file: None,
        credentials: None,
        from: "Grüße, \"Grantor\" <no-reply@example.com>".into(),
        reply_to: Some("help@example.com".into()),
        timeout: Duration::from_secs(3),
    }
}

fn message(to: &str, subject: &str) -> Message {
    Message {
        to: to.into(),
        subject: subject.into(),
        text: "Your token: ABCD-EFGH\n.\nbye".into(),
        html: "<p>Your token: <b>ABCD-EFGH</b></p>".into(),
    }
}

async fn send(settings: SmtpSettings, message: &Message) -> Result<(), MailError> {
    Smtp::new(settings).expect("valid settings").send(message).await
}

fn headers(heard: &Heard) -> Vec<String> {
    let heard = heard.lock().expect("not poisoned");
    let data = heard.iter().skip_while(|line| *line != "DATA").skip(1);
    data.take_while(|line| !line.is_empty()).cloned().collect()
}

#[tokio::test]
async fn a_mail_arrives_in_both_forms_and_says_that_it_is_automatic() {
    let (port, heard) = server("250 fine", None).await;
    send(settings(port), &message("a@example.com", "Ihr Token für „App“")).await.expect("taken");
    let headers = headers(&heard).join("\n");
    for expected in [
        "From: ",
        "To: a@example.com",
        "Reply-To: help@example.com",
        "Auto-Submitted: auto-generated",
        "Subject: ",
        "Date: ",
        "@example.com>",
        "multipart/alternative",
    ] {
        assert!(headers.contains(expected), "{expected} in {headers}");
    }
    let all = heard.lock().expect("not poisoned").join("\n");
    assert!(all.contains("MAIL FROM:<no-reply@example.com>") && all.contains("text/html"));
    assert!(all.contains("ABCD-EFGH\n..\nbye"), "dots are doubled: {all}");
}

#[tokio::test]
async fn hostile_texts_make_no_header() {
    let (port, heard) = server("250 fine", None).await;
    let hostile = "Hello\r\nBcc: victim@example.com\r\n\r\n<script>\n.\nRCPT TO:<x@example.com>";
    send(settings(port), &message("a@example.com", hostile)).await.expect("taken");
    let headers = headers(&heard);
    assert!(!headers.iter().any(|line| line.to_lowercase().starts_with("bcc")), "{headers:?}");
    assert!(headers.iter().any(|line| line.starts_with("Content-Type: multipart")), "{headers:?}");
    let heard = heard.lock().expect("not poisoned").clone();
    assert_eq!(heard.iter().filter(|line| line.starts_with("RCPT")).count(), 1);

    for to in ["a@example.com\r\nBcc: x@example.com", "a@example.com, x@example.com", "A <a@b.c>"] {
        let error = send(settings(port), &message(to, "x")).await.expect_err("not an address");
        assert!(error.permanent && !error.text.contains("example.com"), "{error:?}");
    }
    let from = "Grantor\r\nBcc: x@example.com <a@example.com>".to_owned();
    assert!(Smtp::new(SmtpSettings { from, ..settings(port) }).is_err());
}

#[tokio::test]
async fn refusals_are_for_good_or_for_now() {
    for (rcpt, permanent) in [("550 nobody here", true), ("451 later", false)] {
        let (port, _) = server(rcpt, None).await;
        let error = send(settings(port), &message("a@example.com", "x")).await;
        let error = error.expect_err("refused");
        assert_eq!(error.permanent, permanent, "{error:?}");
        assert!(error.text.contains(&rcpt[..3]), "{error:?}");
    }
    let (port, _) = server("250 fine", None).await;
    let credentials = Some(("user".to_owned(), "hunter2".to_owned()));
    let settings = SmtpSettings { credentials, ..settings(port) };
    let error = send(settings, &message("a@example.com", "x")).await.expect_err("535");
    assert!(!error.permanent && !error.text.contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_dead_or_silent_server_does_not_hold_anybody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let timeout = Duration::from_millis(300);
    let silent = SmtpSettings { timeout, ..settings(port) };
    let started = Instant::now();
    let error = send(silent.clone(), &message("a@example.com", "x")).await.expect_err("silence");
    assert!(!error.permanent && started.elapsed() < Duration::from_secs(2), "{error:?}");
    drop(listener);
    let error = send(silent, &message("a@example.com", "x")).await.expect_err("nobody listens");
    assert!(!error.permanent, "{error:?}");
}

#[tokio::test]
async fn without_tls_nothing_is_said_to_a_server_that_must_have_it() {
    let (port, heard) = server("250 fine", None).await;
    let settings = SmtpSettings { security: Security::Starttls, ..settings(port) };
    assert!(send(settings, &message("a@example.com", "x")).await.is_err());
    assert!(!heard.lock().expect("not poisoned").iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn tls_with_a_root_of_our_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, made.cert.pem()).expect("written");
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(
        made.signing_key.serialize_pem().as_bytes(),
    );
    let provider = rustls::crypto::aws_lc_rs::default_provider().into();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.expect("a key"));
    let acceptor = Arc::new(config.expect("a certificate")).into();
    let (port, heard) = server("250 fine", Some(acceptor)).await;
    let stranger = SmtpSettings { security: Security::Tls, ..settings(port) };
    assert!(send(stranger.clone(), &message("a@example.com", "x")).await.is_err());
    let known = SmtpSettings { ca_file: Some(ca_file), ..stranger };
    send(known, &message("a@example.com", "x")).await.expect("trusted");
    assert!(headers(&heard).iter().any(|line| line == "To: a@example.com"));
}
