//! The demo's mailbox: the mails that would have been sent.

use serde::Serialize;

use super::{Page, text, text::HOSTILE, time::SAMPLE_NOW};

/// Every mail, newest first. In demo only.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mailbox {
    /// In the order shown: newest first.
    pub(crate) mails: Vec<MailboxMail>,
    /// The way back to sign-in.
    pub(crate) sign_in_url: String,
}

/// One mail.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MailboxMail {
    to: String,
    subject: String,
    sent_at: i64,
    body: String,
    token: Option<String>,
}

impl MailboxMail {
    /// `sent_at` in epoch seconds, `body` the text part. A token in it is shown apart.
    pub(crate) fn new(
        to: impl Into<String>,
        subject: impl Into<String>,
        sent_at: i64,
        body: impl Into<String>,
    ) -> Self {
        let body = body.into();
        let token = text::token_in(&body).map(str::to_owned);
        Self { to: to.into(), subject: subject.into(), sent_at, body, token }
    }
}

impl Page for Mailbox {
    const TEMPLATE: &'static str = "mailbox.html";

    fn samples() -> Vec<Self> {
        let mail = |body: &str, ago| {
            MailboxMail::new("demo_user@example.com", "Your admin token", SAMPLE_NOW - ago, body)
        };
        let sign_in_url = "/login".to_owned();
        let token = "Your admin token for Acme Notes:\n\n    KX4M-7RPT\n\nIt lives 10 minutes.\n";
        let full = Self {
            mails: vec![mail(token, 12), mail("A mail without a token.\n", 86_000)],
            sign_in_url: sign_in_url.clone(),
        };
        let hostile = Self {
            mails: vec![MailboxMail::new(HOSTILE, HOSTILE, SAMPLE_NOW, HOSTILE)],
            sign_in_url: sign_in_url.clone(),
        };
        vec![full, Self { mails: Vec::new(), sign_in_url }, hostile]
    }
}
