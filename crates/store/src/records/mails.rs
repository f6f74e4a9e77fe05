//! Mails on their way: the rows of `outbox_mail`.

use grantor_core::id::MailId;
use grantor_core::model::OutboxMail;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a mail, those of the table that is named: `""`, or `"x."`.
macro_rules! mail_columns {
    ($of:literal) => {
        crate::columns::listed!($of: id, sealed, deliver, attempts, due_at, expires_at)
    };
}
pub(crate) use mail_columns;

/// What is bound for [`mail_columns`].
pub(crate) fn row(mail: &OutboxMail) -> [Value<'_>; 6] {
    values![mail.id.0, &mail.sealed, mail.deliver, mail.attempts, mail.due_at, mail.expires_at,]
}

/// Reads [`mail_columns`].
pub(crate) fn mail(columns: &mut Columns<'_>) -> Result<OutboxMail, Unreadable> {
    Ok(OutboxMail {
        id: MailId(columns.id()?),
        sealed: columns.value()?,
        deliver: columns.value()?,
        attempts: columns.value()?,
        due_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
