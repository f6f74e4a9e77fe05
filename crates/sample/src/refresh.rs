//! Keeping tokens fresh: before they run out, once for all parallel requests. RFC 6749 §6.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::problem::Problem;
use crate::sessions::{Record, Session};
use crate::tokens::now;

/// How long a usable token goes on being used after a refresh failed, before the next attempt.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A record whose access token a request may start with.
pub(crate) async fn usable(app: &Arc<App>, session: &Arc<Session>) -> Result<Record, Problem> {
    let record = session.record()?;
    if !record.tokens.due(now()) {
        return Ok(record);
    }
    let alive = !record.tokens.expired(now());
    let pausing = session.failure().is_some_and(|(at, _)| at.elapsed() < PAUSE_AFTER_FAILURE);
    if alive && (pausing || record.tokens.refresh_token.is_none()) {
        return Ok(record);
    }
    match renewed(app, session, &record).await {
        Err(Problem::Ended) => Err(Problem::Ended),
        // A provider that is away for a moment is no reason to turn away a token that still works.
        Err(_) if alive && !record.tokens.expired(now()) => Ok(record),
        result => result,
    }
}

/// A record newer than the one that was seen. However many ask at once, one request is made.
pub(crate) async fn renewed(
    app: &Arc<App>,
    session: &Arc<Session>,
    seen: &Record,
) -> Result<Record, Problem> {
    let (app, session, seen) = (app.clone(), session.clone(), seen.refreshes);
    // On a task of its own: a browser that hangs up must not lose a rotated refresh token.
    let task = tokio::spawn(async move { renew_once(&app, &session, seen).await });
    task.await.unwrap_or(Err(Problem::ProviderAway))
}

async fn renew_once(app: &App, session: &Session, seen: u64) -> Result<Record, Problem> {
    let asked_at = Instant::now();
    let _gate = session.gate.lock().await;
    let record = session.record()?;
    if record.refreshes != seen {
        return Ok(record);
    }
    if let Some((_, problem)) = session.failure().filter(|(at, _)| *at >= asked_at) {
        return Err(problem);
    }
    match app.provider.refresh(&record).await {
        Ok(tokens) => app.sessions.renew(session, tokens).await,
        Err(problem) => {
            session.failed(&problem);
            if matches!(problem, Problem::Ended) {
                app.sessions.end(session).await;
            }
            Err(problem)
        }
    }
}
