//! One question before something is ended: it names the thing and says what stops working.

use serde::Serialize;

use super::{HiddenField, Page, text::HOSTILE};

/// A POST form with `csrf` and the fields of its subject. Made by one of its constructors.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Confirm {
    subject: Subject,
    action: &'static str,
    fields: Vec<HiddenField>,
    cancel_url: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Subject {
    EndSession { user_agent: String, address: String },
    EndOtherSessions { count: usize },
    WithdrawConsent { client: String },
    Disconnect { provider: String, account: String },
}

impl Confirm {
    /// Before `POST /account/sessions/end` with `session` = an id.
    pub(crate) fn end_session(
        session: impl Into<String>,
        user_agent: impl Into<String>,
        address: impl Into<String>,
    ) -> Self {
        Self {
            subject: Subject::EndSession { user_agent: user_agent.into(), address: address.into() },
            action: "/account/sessions/end",
            fields: vec![HiddenField::new("session", session)],
            cancel_url: "/account",
        }
    }

    /// Before `POST /account/sessions/end` with `session=others`; `count` sessions will end.
    pub(crate) fn end_other_sessions(count: usize) -> Self {
        Self {
            subject: Subject::EndOtherSessions { count },
            action: "/account/sessions/end",
            fields: vec![HiddenField::new("session", "others")],
            cancel_url: "/account",
        }
    }

    /// Before `POST /account/consents/withdraw` with `client_id`.
    pub(crate) fn withdraw_consent(
        client_id: impl Into<String>,
        client: impl Into<String>,
    ) -> Self {
        Self {
            subject: Subject::WithdrawConsent { client: client.into() },
            action: "/account/consents/withdraw",
            fields: vec![HiddenField::new("client_id", client_id)],
            cancel_url: "/account",
        }
    }

    /// Before `POST /connections/disconnect` with `connection`.
    pub(crate) fn disconnect(
        connection: impl Into<String>,
        provider: impl Into<String>,
        account: impl Into<String>,
    ) -> Self {
        Self {
            subject: Subject::Disconnect { provider: provider.into(), account: account.into() },
            action: "/connections/disconnect",
            fields: vec![HiddenField::new("connection", connection)],
            cancel_url: "/connections",
        }
    }
}

impl Page for Confirm {
    const TEMPLATE: &'static str = "confirm.html";

    fn samples() -> Vec<Self> {
        vec![
            Self::end_session(
                "s2",
                "Mozilla/5.0 (Macintosh) Version/26 Safari/605.1",
                "2001:db8::1",
            ),
            Self::end_other_sessions(1),
            Self::end_other_sessions(3),
            Self::withdraw_consent("sample", "Acme Notes"),
            Self::withdraw_consent(HOSTILE, HOSTILE),
            Self::disconnect("con_1", "Google", "ada@example.com"),
            Self::disconnect(HOSTILE, HOSTILE, HOSTILE),
            Self::end_session(HOSTILE, HOSTILE, HOSTILE),
        ]
    }
}
