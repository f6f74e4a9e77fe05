//! A person's visit to a page: who is signed in, which browser, which language; and the answers
//! that pages give.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::authorize::AuthorizationRequest;
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::RequestId as PendingId;
use grantor_core::jose::seal::HmacKey;
use grantor_core::params::Params;
use grantor_core::secret::Digest;
use grantor_core::signin::session;
use grantor_core::store::SessionView;

use crate::app::App;
use crate::authenticate::throttled;
use crate::cookies::{browser_digest, new_browser};
use crate::extract::Caller;
use crate::pages::{Frame, Language, Page, PagesError, negotiate};
use crate::respond::{broken_answer, log_broken, refusal_status, retry_after};
use crate::trouble;

/// Who visits.
pub(crate) struct Visit {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    /// The live session of the browser.
    pub(crate) session: Option<SessionView>,
    /// The browser: a digest of its cookie.
    pub(crate) browser: Digest,
    /// The User-Agent header.
    pub(crate) user_agent: String,
    /// What the application wished, once it is known, else what the browser says.
    pub(crate) language: Language,
    accept_language: Option<String>,
    known: bool,
    new_browser: Option<HeaderValue>,
    cookies: Vec<HeaderValue>,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let caller = Caller::from_request_parts(parts, app).await;
        let caller = caller.map_err(axum::response::IntoResponse::into_response)?;
        let mut visit = Self::anonymous(app, caller, &parts.headers);
        if !parts.method.is_safe() {
            visit.stay_unknown();
        }
        match visit.look_up(&parts.headers).await {
            Ok(()) => Ok(visit),
            Err(failure) => Err(visit.fail(failure)),
        }
    }
}

impl Visit {
    fn anonymous(app: &Arc<App>, caller: Caller, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let accept_language = text(header::ACCEPT_LANGUAGE).map(ToOwned::to_owned);
        let mut set_browser = None;
        let browser = if let Some(value) = app.cookies.browser(headers) {
            browser_digest(value)
        } else {
            let value = new_browser(app.server.entropy.as_ref());
            set_browser = Some(app.cookies.set_browser(&value));
            browser_digest(&value)
        };
        Self {
            app: app.clone(),
            caller,
            session: None,
            browser,
            user_agent: text(header::USER_AGENT).unwrap_or_default().to_owned(),
            language: negotiate(None, accept_language.as_deref()),
            accept_language,
            known: set_browser.is_none(),
            new_browser: set_browser,
            cookies: Vec::new(),
        }
    }

    async fn look_up(&mut self, headers: &HeaderMap) -> Result<(), Failure> {
        self.app.limits.page(self.caller.source).map_err(throttled)?;
        if let Some(cookie) = self.app.cookies.session(headers) {
            self.session = session::current(&self.app.server, cookie, self.caller.now).await?;
        }
        Ok(())
    }

    /// Whether the browser came with a cookie of its own.
    pub(crate) fn known_browser(&self) -> Option<&Digest> {
        Some(&self.browser).filter(|_| self.known)
    }

    /// Leaves the browser's cookie to the next page. A cross-site POST comes without the cookies
    /// that the browser has, and must not replace them.
    pub(crate) fn stay_unknown(&mut self) {
        self.new_browser = None;
    }

    /// Speaks the language that the application wished.
    pub(crate) fn speak(&mut self, request: &AuthorizationRequest) {
        self.language = negotiate(request.ui_locales.as_deref(), self.accept_language.as_deref());
    }

    /// Sets a cookie with the answer.
    pub(crate) fn set_cookie(&mut self, cookie: HeaderValue) {
        self.cookies.push(cookie);
    }

    /// The `csrf` field of a form about `subject`: tied to the browser, to who is signed in if the
    /// form acts for that person, and to what it is about, so that one tab's form is no other's.
    pub(crate) fn csrf(&self, subject: &str, acts_for_person: bool) -> String {
        self.csrf_over(subject, acts_for_person, |key, parts| {
            URL_SAFE_NO_PAD.encode(key.tag(parts))
        })
    }

    /// Refuses a form that this server did not give to this browser.
    // RFC 9700 §4.7: cross-site request forgery
    pub(crate) fn check_csrf(
        &self,
        params: &Params<'_>,
        subject: &str,
        acts_for_person: bool,
    ) -> Result<(), Refusal> {
        let given = params.get("csrf").unwrap_or_default();
        let tag = URL_SAFE_NO_PAD.decode(given).unwrap_or_default();
        let ours = self.csrf_over(subject, acts_for_person, |key, parts| key.verify(parts, &tag));
        if ours { Ok(()) } else { Err(Refusal::CsrfMismatch {}) }
    }

    fn csrf_over<T>(
        &self,
        subject: &str,
        acts_for_person: bool,
        with: impl FnOnce(&HmacKey, &[&[u8]]) -> T,
    ) -> T {
        let session = self.session.as_ref().filter(|_| acts_for_person);
        let session = session.map_or(&[][..], |view| view.session.id.0.as_bytes());
        with(&self.app.server.secrets.csrf, &[self.browser.as_bytes(), session, subject.as_bytes()])
    }

    /// A page with the status of success.
    pub(crate) fn page<P: Page>(&self, page: &P, form: Form<'_>) -> Response {
        self.page_with(StatusCode::OK, page, form)
    }

    /// A page.
    pub(crate) fn page_with<P: Page>(
        &self,
        status: StatusCode,
        page: &P,
        form: Form<'_>,
    ) -> Response {
        let frame = Frame {
            language: self.language,
            csrf: form.subject.map(|subject| self.csrf(subject, form.acts_for_person)),
            request_id: self.caller.request_id.to_string(),
            now: self.caller.now.epoch(),
            demo: self.app.demo.is_some(),
        };
        match self.app.pages.render(page, &frame) {
            Ok(html) => self.html(status, html, &form),
            Err(error) => self.unrenderable(&error),
        }
    }

    /// A redirect that a browser follows with GET: RFC 9110 §15.4.4, RFC 9700 §4.12.
    pub(crate) fn see_other(&self, location: &str) -> Response {
        let Ok(location) = HeaderValue::from_str(location) else {
            return self.fail(Refusal::RedirectUriMismatch {});
        };
        let headers = [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        ];
        self.with_cookies((StatusCode::SEE_OTHER, headers).into_response())
    }

    /// The page of a dead end.
    pub(crate) fn fail(&self, failure: impl Into<Failure>) -> Response {
        let failure = failure.into();
        let status = match &failure {
            Failure::Refused(refusal) => match refusal_status(refusal) {
                // RFC 9110 §15.5.2: 401 asks for credentials, which no page does by a header.
                StatusCode::UNAUTHORIZED => StatusCode::BAD_REQUEST,
                status => status,
            },
            Failure::Broken(broken) => {
                log_broken(broken, self.caller.request_id);
                broken_answer(broken).0
            }
        };
        self.fail_with(status, failure)
    }

    /// The page of a dead end with a status of its own.
    pub(crate) fn fail_with(&self, status: StatusCode, failure: impl Into<Failure>) -> Response {
        let failure = failure.into();
        let mut response = self.page_with(status, &trouble::page(&failure), Form::none());
        let retry = retry_after(&failure);
        response.headers_mut().extend(retry.map(|value| (header::RETRY_AFTER, value)));
        response
    }

    fn html(&self, status: StatusCode, html: String, form: &Form<'_>) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (header::CONTENT_SECURITY_POLICY, self.content_security_policy(form)),
        ];
        self.with_cookies((status, headers, html).into_response())
    }

    /// No inline script or style, no frames, and forms that lead nowhere but here and to the
    /// validated redirect origin: browsers check `form-action` along redirects too.
    fn content_security_policy(&self, form: &Form<'_>) -> HeaderValue {
        let mut images = String::new();
        let logo = self.app.pages.brand().logo_url.as_deref();
        for origin in [logo, form.image].into_iter().flatten().filter_map(origin) {
            let _ = write!(images, " {origin}");
        }
        // Any form may need a sign-in first, which may be on the operator's own page.
        let external = self.app.server.policy.sign_in.external.as_ref().map(|own| own.url.as_str());
        let mut target = String::new();
        for origin in [form.target, external].into_iter().flatten().filter_map(origin) {
            let _ = write!(target, " {origin}");
        }
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'{images}; form-action 'self'{target}; base-uri 'none'; frame-ancestors 'none'"
        );
        HeaderValue::from_str(&policy).unwrap_or_else(|_| {
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")
        })
    }

    fn with_cookies(&self, mut response: Response) -> Response {
        if self.app.cookies.secure() {
            // RFC 6797 §7.1: a browser that was here once does not come back by plain http.
            let year = HeaderValue::from_static("max-age=31536000");
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        for cookie in self.new_browser.iter().chain(&self.cookies) {
            response.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        response
    }

    fn unrenderable(&self, error: &PagesError) -> Response {
        tracing::error!(request_id = %self.caller.request_id, cause = %error, "a page could not be rendered");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// What the forms of a page are about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Form<'a> {
    subject: Option<&'a str>,
    acts_for_person: bool,
    target: Option<&'a str>,
    image: Option<&'a str>,
}

impl<'a> Form<'a> {
    /// A page without a form of ours.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// A form about `subject` for whoever uses this browser.
    pub(crate) fn anybody(subject: &'a str) -> Self {
        Self { subject: Some(subject), ..Self::default() }
    }

    /// A form about `subject` that acts for the person who is signed in.
    pub(crate) fn person(subject: &'a str) -> Self {
        Self { subject: Some(subject), acts_for_person: true, ..Self::default() }
    }

    /// The answer to the form may lead to the origin of `uri`.
    #[must_use]
    pub(crate) const fn leads_to(mut self, uri: Option<&'a str>) -> Self {
        self.target = uri;
        self
    }

    /// The page shows an image from the origin of `uri`.
    #[must_use]
    pub(crate) const fn shows(mut self, uri: Option<&'a str>) -> Self {
        self.image = uri;
        self
    }
}

/// The `request` parameter of a page, read; `None` when there is none.
pub(crate) fn pending_id(params: &Params<'_>) -> Result<Option<PendingId>, Refusal> {
    let parsed = params.get("request").map(str::parse).transpose();
    parsed.map_err(|_| Refusal::RequestGone {})
}

/// The source expression for the origin of `uri` in a content security policy; for a private-use
/// scheme the scheme.
fn origin(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    let origin = url.origin();
    Some(if origin.is_tuple() {
        origin.ascii_serialization()
    } else {
        format!("{}:", url.scheme())
    })
}
