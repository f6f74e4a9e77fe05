//! Mail from the outbox: claimed, rendered, sent; tried again when the mail server is away.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::model::OutboxMail;
use grantor_core::signin::admin_token::{TokenMail, open_mail};
use grantor_core::store::StoreError;
use grantor_core::time::Seconds;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::mail::{Mailer, Message};
use crate::pages::mail::AdminTokenMail;
use crate::pages::{PagesError, negotiate};
use crate::run::stopped;

/// Mails that are claimed, and sent, at once.
const BATCH: u32 = 10;

/// Delivers until the server stops. Wakes when a mail is queued, and each second for retries and
/// for what another process has queued.
/// A claimed mail is left alone for `claim`, which is longer than sending may take, so that no mail
/// is sent twice, and none waits long when the process that claimed it has died.
pub(crate) async fn deliver(
    app: Arc<App>,
    mailer: Arc<dyn Mailer>,
    claim: Seconds,
    stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = app.mail_queued.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stopped(stop.clone()) => return,
        }
        if let Err(error) = step(&app, &mailer, claim).await {
            tracing::warn!(cause = %error, "the outbox could not be read");
        }
    }
}

async fn step(app: &Arc<App>, mailer: &Arc<dyn Mailer>, claim: Seconds) -> Result<(), StoreError> {
    let store = &app.server.store;
    loop {
        let now = app.server.clock.now();
        let claimed = store.claim_mail(now, now.plus(claim), BATCH).await?;
        let full = claimed.len() == BATCH as usize;
        let mut sending = JoinSet::new();
        for mail in claimed {
            let (app, mailer) = (app.clone(), mailer.clone());
            sending.spawn(async move { handle(&app, mailer.as_ref(), &mail).await });
        }
        while let Some(sent) = sending.join_next().await {
            sent.unwrap_or(Ok(()))?;
        }
        app.metrics.outbox_pending(store.pending_mail().await?);
        if !full {
            return Ok(());
        }
    }
}

async fn handle(app: &App, mailer: &dyn Mailer, mail: &OutboxMail) -> Result<(), StoreError> {
    let store = &app.server.store;
    let now = app.server.clock.now();
    if !mail.deliver || now >= mail.expires_at {
        return store.remove_mail(mail.id).await;
    }
    let Ok(message) = compose(app, mail) else {
        tracing::error!(mail = %mail.id, "a mail could not be written and was dropped");
        return store.remove_mail(mail.id).await;
    };
    match mailer.send(&message).await {
        Ok(()) => store.remove_mail(mail.id).await,
        Err(error) if error.permanent => {
            tracing::warn!(mail = %mail.id, cause = %error, "a mail was refused and dropped");
            store.remove_mail(mail.id).await
        }
        Err(error) => {
            let pause = back_off(mail.attempts);
            tracing::warn!(mail = %mail.id, cause = %error, again_in = pause.0, "a mail waits");
            store.retry_mail(mail.id, now.plus(pause)).await
        }
    }
}

/// 2, 4, 8 … seconds, at most a minute: a token lives ten.
fn back_off(attempts: u32) -> Seconds {
    Seconds(2u32.saturating_pow(attempts.clamp(1, 6)).min(60))
}

#[derive(Debug, thiserror::Error)]
enum Unwritable {
    #[error(transparent)]
    Sealed(#[from] grantor_core::error::Broken),
    #[error(transparent)]
    Page(#[from] PagesError),
}

fn compose(app: &App, mail: &OutboxMail) -> Result<Message, Unwritable> {
    let TokenMail { to, token, application, address, language, requested_at, lifetime } =
        open_mail(&app.server, mail)?;
    let written = AdminTokenMail {
        application,
        token,
        minutes: u64::from(lifetime.0.div_ceil(60)),
        requested_at: requested_at.epoch(),
        from_address: address,
        issuer: app.server.policy.issuer.clone(),
    };
    let written = written.render(&app.pages, negotiate(Some(&language), None))?;
    Ok(Message { to, subject: written.subject, text: written.text, html: written.html })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_a_minute() {
        assert_eq!([0, 1, 2, 3, 6, 50].map(|n| back_off(n).0), [2, 2, 4, 8, 60, 60]);
    }
}
