//! Crates for Rust, which bring no HTTP client: they are given a closure.

mod oauth2;
mod openidconnect;

use ::oauth2::{HttpRequest, HttpResponse};

use crate::support::{Page, Server, client};

/// Sends what a crate wants sent, and notes the secrets in the answer.
async fn send(server: &Server, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = client().execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.text().await?;
    server.seen.add_all_in(&body);
    let mut response = HttpResponse::new(body.into_bytes());
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

/// The code of an answer that is for this request.
fn code(page: &Page, server: &Server, state: &str) -> String {
    let answer = page.answer();
    assert_eq!((&answer["state"], &answer["iss"]), (&state.to_owned(), &server.issuer));
    answer["code"].clone()
}
