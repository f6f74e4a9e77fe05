//! A client of the providers that are played: signs in by `as=`, speaks to the token endpoint.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, AUTHORIZATION, LOCATION};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use standins::{catalogue, rotating};
use tokio::net::TcpListener;

pub(crate) const ID: &str = "standin-client";
pub(crate) const SECRET: &str = "standin-secret";
pub(crate) const BACK: &str = "http://localhost:4000/back";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One provider, and somebody who calls it.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) base: String,
    pub(crate) http: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// What the redirect tells the client.
    pub(crate) fn callback(&self) -> BTreeMap<String, String> {
        let to = self.location.as_deref().unwrap_or_else(|| panic!("no redirect: {self:?}"));
        assert!(to.starts_with(BACK), "{to}");
        let (_, query) = to.split_once('?').expect("a query");
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        let body = self.json();
        body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
    }

    /// That it is a refusal with this status and this `error`.
    pub(crate) fn refused(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.text("error").as_str()),
            (status, error),
            "{self:?}"
        );
    }
}

impl Caller {
    pub(crate) async fn rotating(config: rotating::Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(rotating::serve(config, vec![listener], std::future::pending()));
        Self { base, http: client_of_http() }
    }

    /// A provider of the catalogue.
    pub(crate) async fn at(provider: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}/{provider}", listener.local_addr().expect("an address"));
        let client = catalogue::Client::default();
        tokio::spawn(catalogue::serve(client, vec![listener], std::future::pending()));
        Self { base, http: client_of_http() }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Got {
        let answer = request.send().await.expect("an answer");
        let header = |name| {
            let value = answer.headers().get(name)?.to_str().expect("plain text");
            Some(value.to_owned())
        };
        Got {
            status: answer.status(),
            location: header(LOCATION),
            content_type: header(reqwest::header::CONTENT_TYPE).unwrap_or_default(),
            body: answer.text().await.expect("a body"),
        }
    }

    /// A request to be changed before it is sent.
    pub(crate) fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method.parse().expect("a method"), format!("{}{path}", self.base))
    }

    /// Signs in as Ada, who allows everything; `client_id`, `redirect_uri`, `response_type` and
    /// `state` are there by themselves.
    pub(crate) async fn authorize(&self, path: &str, more: &[(&str, &str)]) -> Got {
        let mut query = vec![("client_id", ID), ("redirect_uri", BACK), ("state", "s-1")];
        query.extend([("response_type", "code"), ("as", "ada")]);
        for pair in more {
            query.retain(|(name, _)| *name != pair.0);
            query.push(*pair);
        }
        query.retain(|(_, value)| !value.is_empty());
        self.send(self.ask("GET", path).query(&query)).await
    }

    /// The code of a sign-in that works.
    pub(crate) async fn code(&self, path: &str, more: &[(&str, &str)]) -> String {
        let got = self.authorize(path, more).await;
        let mut callback = got.callback();
        assert_eq!(callback["state"], "s-1");
        callback.remove("code").unwrap_or_else(|| panic!("no code: {callback:?}"))
    }

    /// A form with client id and secret in it.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Got {
        let mut form = vec![("client_id", ID), ("client_secret", SECRET)];
        for pair in fields {
            form.retain(|(name, _)| *name != pair.0);
            form.push(*pair);
        }
        self.send(self.ask("POST", path).header(ACCEPT, "application/json").form(&form)).await
    }

    /// A form with client id and secret in the header.
    pub(crate) async fn basic(&self, path: &str, fields: &[(&str, &str)]) -> Got {
        self.send(self.ask("POST", path).basic_auth(ID, Some(SECRET)).form(fields)).await
    }

    /// JSON with client id and secret in the header.
    pub(crate) async fn basic_json(&self, path: &str, body: &Value) -> Got {
        self.send(self.ask("POST", path).basic_auth(ID, Some(SECRET)).json(body)).await
    }

    /// JSON with client id and secret in it.
    pub(crate) async fn post_json(&self, path: &str, mut body: Value) -> Got {
        body["client_id"] = json!(ID);
        body["client_secret"] = json!(SECRET);
        self.send(self.ask("POST", path).json(&body)).await
    }

    /// Asks with an access token.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Got {
        self.send(self.ask("GET", path).header(AUTHORIZATION, format!("Bearer {token}"))).await
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let got = self.send(self.ask("POST", &format!("/_control/{path}")).json(&body)).await;
        assert_eq!(got.status, StatusCode::OK, "{got:?}");
        got.json()
    }

    /// Gives the client another id or secret.
    pub(crate) async fn change_client(&self, to: Value) {
        let request = self.ask("PATCH", &format!("/_control/clients/{ID}")).json(&to);
        assert_eq!(self.send(request).await.status, StatusCode::OK);
    }

    /// A flow through these endpoints.
    pub(crate) fn flow<'f>(
        &'f self,
        how: How,
        authorize: &'f str,
        asked: &'f [(&'f str, &'f str)],
        token: &'f str,
    ) -> Flow<'f> {
        Flow { caller: self, how, authorize, asked, token }
    }

    /// Lets so many seconds pass.
    pub(crate) async fn pass(&self, seconds: u32) {
        self.control("clock", json!({ "advance": seconds })).await;
    }
}

/// How a provider wants its token requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Basic,
    Post,
    Json,
    BasicJson,
}

/// The two requests for tokens at one provider.
#[derive(Clone, Copy)]
pub(crate) struct Flow<'f> {
    caller: &'f Caller,
    how: How,
    authorize: &'f str,
    asked: &'f [(&'f str, &'f str)],
    token: &'f str,
}

impl Flow<'_> {
    /// Signs in and exchanges the code.
    pub(crate) async fn first(&self) -> Got {
        self.first_with(&[]).await
    }

    /// The same with further parameters in the token request.
    pub(crate) async fn first_with(&self, more: &[(&str, &str)]) -> Got {
        let code = self.caller.code(self.authorize, self.asked).await;
        let mut fields = vec![("code", code.as_str()), ("redirect_uri", BACK)];
        fields.push(("grant_type", "authorization_code"));
        if self.asked.iter().any(|(name, _)| *name == "code_challenge") {
            fields.push(("code_verifier", VERIFIER));
        }
        fields.extend(more);
        self.ask(&fields).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Got {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// A token request in the way of this provider.
    pub(crate) async fn ask(&self, fields: &[(&str, &str)]) -> Got {
        let json = || Value::from_iter(fields.iter().map(|(name, value)| (*name, *value)));
        match self.how {
            How::Basic => self.caller.basic(self.token, fields).await,
            How::Post => self.caller.post(self.token, fields).await,
            How::Json => self.caller.post_json(self.token, json()).await,
            How::BasicJson => self.caller.basic_json(self.token, &json()).await,
        }
    }

    /// A refresh with the other way of client authentication, or with a wrong secret.
    pub(crate) async fn with_how(self, how: How) -> Got {
        Flow { how, ..self }.refresh("whatever").await
    }

    pub(crate) async fn with_wrong_secret(&self) -> Got {
        self.caller.change_client(json!({ "secret": "another" })).await;
        let got = self.refresh("whatever").await;
        self.caller.change_client(json!({ "secret": SECRET })).await;
        got
    }
}

fn client_of_http() -> Client {
    let plain = Client::builder().no_proxy().tls_certs_only([]);
    plain.redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}
