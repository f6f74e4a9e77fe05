//! Webhooks from the outbox: claimed, signed, sent; tried again for a day when an endpoint is away.
//!
//! Each endpoint has a lane of its own, which sends one message after the other: they arrive in
//! their order as long as they are taken, and an endpoint that is slow holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::model::Notice;
use grantor_core::outbound::{CallError, Response};
use grantor_core::store::StoreError;
use grantor_core::time::Seconds;
use grantor_core::vault::{Webhook, notices};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::run::stopped;
use crate::telemetry::WebhookOutcome;

/// How long an endpoint may take.
const DEADLINE: Seconds = Seconds(15);

/// A claimed notice is left alone for longer than sending may take, so that none is sent twice at
/// once, and none waits long when the process that claimed it has died.
const CLAIM: Seconds = Seconds(25);

/// How long what is being sent may go on when the server stops.
const GRACE: Duration = Duration::from_secs(3);

/// Delivers until the server stops. Wakes when a notice is queued, and each second for retries and
/// for what another process has queued.
pub(crate) async fn deliver(app: Arc<App>, stop: watch::Receiver<bool>) {
    let (wake, _) = watch::channel(());
    let mut lanes = JoinSet::new();
    for endpoint in app.server.policy.vault.webhooks.clone() {
        lanes.spawn(lane(app.clone(), endpoint, wake.subscribe(), stop.clone()));
    }
    while !lanes.is_empty() {
        tokio::select! {
            () = app.notices_queued.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stopped(stop.clone()) => break,
        }
        match app.server.store.pending_notices().await {
            Ok(pending) => {
                app.metrics.webhooks_pending(pending);
                if pending > 0 {
                    wake.send_replace(());
                }
            }
            Err(error) => tracing::warn!(cause = %error, "the webhooks could not be counted"),
        }
    }
    while lanes.join_next().await.is_some() {}
}

async fn lane(
    app: Arc<App>,
    endpoint: Webhook,
    mut wake: watch::Receiver<()>,
    stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            woken = wake.changed() => if woken.is_err() { return },
            () = stopped(stop.clone()) => return,
        }
        let late = async {
            stopped(stop.clone()).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            emptied = empty(&app, &endpoint, &stop) => if let Err(error) = emptied {
                tracing::warn!(cause = %error, "the webhooks could not be read");
            },
            () = late => return,
        }
    }
}

/// Sends what is due for one endpoint.
async fn empty(
    app: &App,
    endpoint: &Webhook,
    stop: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let store = &app.server.store;
    while !*stop.borrow() {
        let now = app.server.clock.now();
        let claimed = store.claim_notices(&endpoint.name, now, now.plus(CLAIM), 1).await?;
        let Some(notice) = claimed.into_iter().next() else {
            return Ok(());
        };
        handle(app, endpoint, &notice).await?;
    }
    Ok(())
}

async fn handle(app: &App, endpoint: &Webhook, notice: &Notice) -> Result<(), StoreError> {
    let server = &app.server;
    // One that was never tried, because nothing ran here for a day, is not too old for one attempt.
    if notice.attempts > 1 && server.clock.now() >= notice.expires_at {
        return give_up(app, endpoint, notice, "it was not taken within a day").await;
    }
    let request = notices::request(endpoint, notice, server.clock.now());
    let answer = server.outbound.call(request, DEADLINE).await;
    let now = server.clock.now();
    let (name, event, id) = (&endpoint.name, &notice.event, notice.id);
    match judge(answer) {
        Verdict::Delivered => {
            app.metrics.webhook(WebhookOutcome::Delivered);
            server.store.remove_notice(id).await
        }
        Verdict::Again { why, after } => {
            let pause = back_off(notice.attempts, jitter(app)).max(after);
            if now.plus(pause) < notice.expires_at {
                tracing::warn!(endpoint = %name, %event, %id, cause = %why, again_in = pause.0,
                    "a webhook waits");
                app.metrics.webhook(WebhookOutcome::Failed);
                return server.store.retry_notice(id, now.plus(pause)).await;
            }
            give_up(app, endpoint, notice, &why).await
        }
        Verdict::GivenUp { why } => give_up(app, endpoint, notice, &why).await,
    }
}

async fn give_up(
    app: &App,
    endpoint: &Webhook,
    notice: &Notice,
    why: &str,
) -> Result<(), StoreError> {
    let (name, event, id) = (&endpoint.name, &notice.event, notice.id);
    tracing::error!(endpoint = %name, %event, %id, attempts = notice.attempts, cause = %why,
        "a webhook was given up");
    app.metrics.webhook(WebhookOutcome::GivenUp);
    app.server.store.remove_notice(id).await
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Delivered,
    /// Not now; `after` is what the endpoint wants to be left alone for.
    Again {
        why: String,
        after: Seconds,
    },
    GivenUp {
        why: String,
    },
}

/// As the Standard Webhooks specification has it: 2xx is delivered, 410 is an endpoint that wants no
/// more, and a redirect is a failure like every other answer.
fn judge(answer: Result<Response, CallError>) -> Verdict {
    const LONGEST: Seconds = Seconds::hours(1);
    match answer {
        Ok(answer) if (200..300).contains(&answer.status) => Verdict::Delivered,
        Ok(answer) if answer.status == 410 => {
            Verdict::GivenUp { why: "it answered 410: it is gone".to_owned() }
        }
        Ok(answer) => Verdict::Again {
            why: format!("it answered {}", answer.status),
            after: answer.retry_after.unwrap_or_default().min(LONGEST),
        },
        Err(error) => Verdict::Again { why: error.to_string(), after: Seconds(0) },
    }
}

/// 2, 4, 8 … seconds, at most an hour, of which up to a half is taken off: endpoints that were away
/// are not asked by everybody in the same second.
fn back_off(attempts: u32, jitter: u32) -> Seconds {
    let whole = 2_u32.saturating_pow(attempts.clamp(1, 12)).min(3_600);
    Seconds(whole - jitter % (whole / 2 + 1))
}

fn jitter(app: &App) -> u32 {
    let mut bytes = [0; 4];
    app.server.entropy.fill(&mut bytes);
    u32::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<Seconds>) -> Verdict {
        let body = Vec::new().into();
        judge(Ok(Response { status, content_type: None, retry_after, body }))
    }

    #[test]
    fn the_pause_grows_to_an_hour_and_is_shortened_by_half_at_most() {
        assert_eq!(
            [0, 1, 2, 3, 11, 12, 50].map(|n| back_off(n, 0).0),
            [2, 2, 4, 8, 2048, 3600, 3600]
        );
        for jitter in [0, 1, 7, 1799, 1800, 1801, u32::MAX] {
            assert!((1..=2).contains(&back_off(1, jitter).0), "{jitter}");
            assert!((1800..=3600).contains(&back_off(40, jitter).0), "{jitter}");
        }
    }

    #[test]
    fn only_2xx_is_delivered_and_only_410_is_given_up() {
        for status in [200, 201, 204, 299] {
            assert_eq!(answered(status, None), Verdict::Delivered);
        }
        for status in [199, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503] {
            assert!(matches!(answered(status, None), Verdict::Again { .. }), "{status}");
        }
        assert!(matches!(answered(410, None), Verdict::GivenUp { .. }));
    }

    #[test]
    fn an_endpoint_may_ask_for_a_pause_of_an_hour_at_most() {
        for (asked, after) in [(7, 7), (86_400, 3_600)] {
            let verdict = answered(503, Some(Seconds(asked)));
            let why = "it answered 503".to_owned();
            assert_eq!(verdict, Verdict::Again { why, after: Seconds(after) });
        }
    }
}
