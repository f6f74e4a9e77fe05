//! `GET /mailbox`: the demo's mails. There is no such page on a server that is not the demo.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use crate::pages::{ErrorKind, ErrorPage, Mailbox, MailboxMail};
use crate::visit::{Form, Visit};

/// The mails, newest first. Only under the names of this machine: a page whose own name leads here
/// (DNS rebinding) must not read tokens.
pub(crate) async fn page(headers: HeaderMap, visit: Visit) -> Response {
    if !is_here(&headers) {
        return visit.page_with(
            StatusCode::MISDIRECTED_REQUEST,
            &ErrorPage::new(ErrorKind::NotFound),
            Form::none(),
        );
    }
    let demo = visit.app.demo.as_ref();
    let received = demo.and_then(|demo| demo.mailbox.as_ref()).map(|mailbox| mailbox.messages());
    let mails = received.unwrap_or_default().into_iter().map(|mail| {
        MailboxMail::new(mail.message.to, mail.message.subject, mail.at, mail.message.text)
    });
    let page = Mailbox { mails: mails.collect(), sign_in_url: "/login".to_owned() };
    visit.page(&page, Form::none())
}

fn is_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}
