//! `grantor demo --walk`: the whole flow, step by step, as requests and answers.

mod http;
mod page;
mod show;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::ports::Entropy as _;
use serde_json::Value;

use super::demo::{Running, SAMPLE_ID};
use crate::clock::SystemEntropy;
use http::{Answer, Client};
use page::{field, token_of};
use show::Show;

/// Plays browser and client in turn. The first step that does not answer as it must ends the walk.
pub(super) async fn run(running: &Running) -> anyhow::Result<()> {
    let mut walk = Walk::new(running)?;
    let code = walk.browser().await?;
    walk.client(&code).await?;
    walk.show.end();
    Ok(())
}

struct Walk<'a> {
    running: &'a Running,
    http: Client,
    show: Show,
    verifier: String,
    state: String,
    nonce: String,
    /// Somebody new each time: one address gets a token a minute at most.
    email: String,
}

impl<'a> Walk<'a> {
    fn new(running: &'a Running) -> anyhow::Result<Self> {
        Ok(Self {
            running,
            http: Client::new(&running.issuer)?,
            show: Show::default(),
            verifier: random(),
            state: random(),
            nonce: random(),
            email: format!(
                "ada-{}@example.com",
                &random()[..6].replace(['_', '-'], "x").to_lowercase()
            ),
        })
    }

    /// What the browser does, from the client's link to the redirect with the code.
    async fn browser(&mut self) -> anyhow::Result<String> {
        self.show
            .title("The client sends the browser to Grantor: RFC 6749 §4.1.1 with PKCE (RFC 7636)");
        let answer = self.get(&self.authorize_path()).await?;
        let sign_in = self.location(&answer)?;

        self.show.title("Nobody is signed in, so Grantor asks for an e-mail address");
        let page = self.get(&sign_in).await?;
        let form = [
            ("csrf", field(&page.body, "csrf")?),
            ("request", field(&page.body, "request")?),
            ("method", "admin_token".to_owned()),
            ("email", self.email.clone()),
        ];
        let answer = self.post("/login", &form).await?;
        let token_page = self.location(&answer)?;

        self.show.title("A random admin token is e-mailed; in the demo it lands in the mailbox");
        let token = self.mailed_token().await?;

        self.show.title("The person types the token");
        let page = self.get(&token_page).await?;
        let form = [
            ("csrf", field(&page.body, "csrf")?),
            ("request", field(&page.body, "request")?),
            ("method", "admin_token".to_owned()),
            ("attempt", field(&page.body, "attempt")?),
            ("token", token),
        ];
        let answer = self.post("/login", &form).await?;
        let next = self.location(&answer)?;
        let answer = self.get(&next).await?;
        self.consent(answer).await
    }

    /// The consent page, unless the person has consented before.
    async fn consent(&mut self, answer: Answer) -> anyhow::Result<String> {
        let mut location = self.location(&answer)?;
        if location.contains("/consent") {
            self.show.title("The consent page names the client, what it gets and for whom");
            let page = self.get(&location).await?;
            let form = [
                ("csrf", field(&page.body, "csrf")?),
                ("request", field(&page.body, "request")?),
                ("decision", "allow".to_owned()),
            ];
            let answer = self.post("/consent", &form).await?;
            location = self.location(&answer)?;
        }
        self.show.title("Back at the client, with a code: RFC 6749 §4.1.2 and RFC 9207");
        let url = url::Url::parse(&location)?;
        let pair = |name: &str| {
            url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
        };
        self.show.redirect(&location);
        ensure!(pair("state").as_deref() == Some(&self.state), "the state is not the one sent");
        ensure!(pair("iss").as_deref() == Some(&self.running.issuer), "the issuer is another one");
        pair("code").context("there is no code in the redirect")
    }

    /// What the client does with the code.
    async fn client(&mut self, code: &str) -> anyhow::Result<()> {
        self.show.title("The client exchanges the code: RFC 6749 §4.1.3");
        let redirect_uri = self.redirect_uri();
        let exchange = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", self.verifier.clone()),
        ];
        let tokens = self.token(&exchange, 200).await?;
        let access = text(&tokens, "access_token")?;
        let refresh = text(&tokens, "refresh_token")?;
        let id_token = text(&tokens, "id_token")?;
        self.show.claims(&id_token);

        self.show.title("Who signed in: OpenID Connect Core §5.3");
        self.bearer("/userinfo", Some(&access), 200).await?;
        self.show.title("The protected API, without and with the token: RFC 6750");
        self.bearer("/protected", None, 401).await?;
        self.bearer("/protected", Some(&access), 200).await?;

        self.show.title("The refresh token gives a new access token: RFC 6749 §6");
        let form = [("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh)];
        let fresh = self.token(&form, 200).await?;
        let access = text(&fresh, "access_token")?;
        self.bearer("/protected", Some(&access), 200).await?;

        self.show.title("A code works once. Used again, it revokes what it gave: RFC 6749 §4.1.2");
        self.token(&exchange, 400).await?;
        self.bearer("/protected", Some(&access), 401).await?;

        self.show.title("Sign out: OpenID Connect RP-Initiated Logout");
        let path = format!("/logout?id_token_hint={id_token}");
        let answer = self.get(&path).await?;
        ensure!(answer.status == 200, "signing out answered {}", answer.status);
        Ok(())
    }

    fn authorize_path(&self) -> String {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.verifier.as_bytes());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", SAMPLE_ID),
            ("redirect_uri", &self.redirect_uri()),
            ("scope", "openid profile email read"),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(digest)),
            ("code_challenge_method", "S256"),
        ]);
        format!("/authorize?{}", query.finish())
    }

    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.running.sample_url)
    }

    async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let answer = self.http.get(path).await?;
        self.show.exchange("GET", path, &[], &answer);
        Ok(answer)
    }

    async fn post(&mut self, path: &str, form: &[(&str, String)]) -> anyhow::Result<Answer> {
        let answer = self.http.post(path, form, None).await?;
        self.show.exchange("POST", path, form, &answer);
        Ok(answer)
    }

    async fn token(&mut self, form: &[(&str, String)], status: u16) -> anyhow::Result<Value> {
        let credentials = (SAMPLE_ID, self.running.sample_secret.as_str());
        let answer = self.http.post("/token", form, Some(credentials)).await?;
        self.show.exchange("POST", "/token", form, &answer);
        ensure!(answer.status == status, "/token answered {}, not {status}", answer.status);
        serde_json::from_str(&answer.body).context("/token did not answer JSON")
    }

    async fn bearer(&mut self, path: &str, token: Option<&str>, status: u16) -> anyhow::Result<()> {
        let answer = self.http.bearer(path, token).await?;
        self.show.bearer(path, token, &answer);
        ensure!(answer.status == status, "{path} answered {}, not {status}", answer.status);
        Ok(())
    }

    /// Where a redirect leads: inside Grantor its path, else the whole URL.
    fn location(&self, answer: &Answer) -> anyhow::Result<String> {
        ensure!(
            answer.status == 303,
            "expected a redirect, not {}: {}",
            answer.status,
            answer.body
        );
        let location = answer.location.clone().context("a redirect without a location")?;
        Ok(location.strip_prefix(&self.running.issuer).unwrap_or(&location).to_owned())
    }

    /// The newest token for us. The mail is sent beside the request, so it may take a moment.
    async fn mailed_token(&mut self) -> anyhow::Result<String> {
        ensure!(self.running.mailbox, "the walk reads the mailbox; run it without SMTP settings");
        for _ in 0..50 {
            let answer = self.http.get("/mailbox").await?;
            if let Some(token) = token_of(&answer.body, &self.email) {
                self.show.mail(&self.email, &token);
                return Ok(token);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        anyhow::bail!("no mail arrived within five seconds")
    }
}

fn random() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn text(tokens: &Value, name: &str) -> anyhow::Result<String> {
    let value = tokens.get(name).and_then(Value::as_str);
    value.map(ToOwned::to_owned).with_context(|| format!("the token answer has no {name}"))
}
