//! `GET /mailbox`: the demo's mails. There is no such page on a server that is not the demo.

use axum::response::Response;

use crate::pages::{Mailbox, MailboxMail};
use crate::visit::{Form, Visit};

/// The mails, newest first.
pub(crate) async fn page(visit: Visit) -> Response {
    let demo = visit.app.demo.as_ref();
    let received = demo.and_then(|demo| demo.mailbox.as_ref()).map(|mailbox| mailbox.messages());
    let mails = received.unwrap_or_default().into_iter().map(|mail| {
        MailboxMail::new(mail.message.to, mail.message.subject, mail.at, mail.message.text)
    });
    let page = Mailbox { mails: mails.collect(), sign_in_url: "/login".to_owned() };
    visit.page(&page, Form::none())
}
