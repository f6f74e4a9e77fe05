//! `GET /callback`, in the demo: shows the answer to an authorization request, and the command that
//! redeems the code.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::error::Failure;
use grantor_core::model::Client;
use grantor_core::params::Params;
use grantor_core::secret::{Credential, Kind};

use crate::pages::{Callback, Redeem};
use crate::visit::{Form, Visit};

/// Shows what came.
pub(crate) async fn page(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let shown = match Params::parse(query.as_bytes()) {
        Ok(params) => show(&visit, &params).await,
        Err(refusal) => Err(refusal.into()),
    };
    match shown {
        Ok(page) => visit.page(&page, Form::none()),
        Err(failure) => visit.fail(failure),
    }
}

async fn show(visit: &Visit, params: &Params<'_>) -> Result<Callback, Failure> {
    let text = |name: &str| params.get(name).map(|value| value.chars().take(2_000).collect());
    // Only what this server can have made goes into a command line that somebody will run.
    let code = params.get("code").filter(|code| Credential::parse(Kind::Code, code).is_some());
    let redeem = match code {
        Some(code) => Some(redeem(visit, code).await?),
        None => None,
    };
    Ok(Callback {
        code: text("code"),
        state: text("state"),
        iss: text("iss"),
        error: text("error"),
        error_description: text("error_description"),
        redeem,
    })
}

/// The client is named when no other one is sent here.
async fn redeem(visit: &Visit, code: &str) -> Result<Redeem, Failure> {
    let issuer = visit.app.server.policy.issuer.trim_end_matches('/').to_owned();
    let redirect_uri = format!("{issuer}/callback");
    let clients = visit.app.server.store.clients().await?;
    let mut here = clients.iter().filter(|client| client.redirect_uris.contains(&redirect_uri));
    let client = match (here.next(), here.next()) {
        (Some(only), None) => Some(only),
        (None | Some(_), _) => None,
    };
    let client_id = client.filter(|client| plain(&client.client_id));
    let command = [
        format!("curl -X POST {issuer}/token"),
        "-d grant_type=authorization_code".to_owned(),
        format!(
            "-d client_id={}",
            client_id.map_or("YOUR_CLIENT_ID", |own| own.client_id.as_str())
        ),
    ];
    let secret = "-d client_secret=YOUR_CLIENT_SECRET".to_owned();
    let secret = (!client.is_some_and(Client::is_public)).then_some(secret);
    let rest = [format!("-d redirect_uri={redirect_uri}"), format!("-d code={code}")];
    let lines: Vec<String> = command.into_iter().chain(secret).chain(rest).collect();
    Ok(Redeem { command: lines.join(" \\\n  ") })
}

/// Nothing that a shell or a form would read as anything else.
fn plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
