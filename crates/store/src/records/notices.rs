//! Webhooks on their way: the rows of `webhook_notice`.

use grantor_core::id::NoticeId;
use grantor_core::model::Notice;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a webhook, those of the table that is named: `""`, or `"x."`.
macro_rules! notice_columns {
    ($of:literal) => {
        crate::columns::listed!($of: id, endpoint, event, body, attempts, due_at, expires_at)
    };
}
pub(crate) use notice_columns;

/// What is bound for [`notice_columns`].
pub(crate) fn row(notice: &Notice) -> [Value<'_>; 7] {
    values![
        notice.id.0,
        &notice.endpoint,
        &notice.event,
        &notice.body,
        notice.attempts,
        notice.due_at,
        notice.expires_at,
    ]
}

/// Reads [`notice_columns`].
pub(crate) fn notice(columns: &mut Columns<'_>) -> Result<Notice, Unreadable> {
    Ok(Notice {
        id: NoticeId(columns.id()?),
        endpoint: columns.value()?,
        event: columns.value()?,
        body: columns.value()?,
        attempts: columns.value()?,
        due_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
