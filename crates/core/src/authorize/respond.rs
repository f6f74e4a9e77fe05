//! How an answer reaches the client: RFC 6749 §4.1.2, OAuth 2.0 Multiple Response Type Encoding
//! Practices §2.1, OAuth 2.0 Form Post Response Mode §2.

use crate::error::{Broken, Refusal};
use crate::model::ResponseType;
use crate::params::Params;

/// Where in the redirect the parameters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query.
    Query,
    /// In the fragment, which is not sent to the client's server.
    Fragment,
    /// In a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// All that this server has.
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// The value of the `response_mode` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The mode of the answer to a request, which may still be refused.
    // OAuth 2.0 Multiple Response Type Encoding Practices §3.0: tokens are never in a query, and go
    // into the fragment unless the request says otherwise.
    pub(super) fn of(params: &Params<'_>) -> Self {
        let front_channel = params
            .get("response_type")
            .and_then(ResponseType::parse)
            .is_some_and(ResponseType::is_front_channel);
        match params.get("response_mode").and_then(Self::parse) {
            Some(Self::Query) | None if front_channel => Self::Fragment,
            Some(mode) => mode,
            None => Self::Query,
        }
    }

    /// The mode with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

pub(super) fn check_mode(response_type: ResponseType, params: &Params<'_>) -> Result<(), Refusal> {
    match params.get("response_mode").map(ResponseMode::parse) {
        Some(None) => Err(Refusal::ResponseModeUnsupported {}),
        Some(Some(ResponseMode::Query)) if response_type.is_front_channel() => {
            Err(Refusal::ResponseModeQuery {})
        }
        Some(Some(_)) | None => Ok(()),
    }
}

/// An answer on its way to a registered redirect URI.
#[derive(Debug)]
pub struct AuthorizationResponse {
    /// Where it goes.
    pub redirect_uri: String,
    /// Whose that is, for the page of a form post.
    pub client_name: String,
    /// How.
    pub mode: ResponseMode,
    /// What it says.
    pub pairs: Vec<(&'static str, String)>,
    /// What was broken, for the log.
    pub broken: Option<Broken>,
}

impl AuthorizationResponse {
    /// The `Location` of a redirect; for `form_post` the action of the form.
    pub fn location(&self) -> String {
        if self.mode == ResponseMode::FormPost {
            return self.redirect_uri.clone();
        }
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(self.pairs.iter().map(|(name, value)| (*name, value)));
        // RFC 6749 §3.1.2: a query of the redirect URI must be retained.
        let separator = match self.mode {
            ResponseMode::Fragment => '#',
            ResponseMode::Query | ResponseMode::FormPost if self.redirect_uri.contains('?') => '&',
            ResponseMode::Query | ResponseMode::FormPost => '?',
        };
        format!("{}{separator}{}", self.redirect_uri, encoded.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(redirect_uri: &str, mode: ResponseMode) -> String {
        let pairs = vec![("code", "a b&c".to_owned())];
        AuthorizationResponse {
            client_name: String::new(),
            redirect_uri: redirect_uri.to_owned(),
            mode,
            pairs,
            broken: None,
        }
        .location()
    }

    #[test]
    fn parameters_join_a_query_that_is_there() {
        assert_eq!(location("https://a/cb", ResponseMode::Query), "https://a/cb?code=a+b%26c");
        assert_eq!(
            location("https://a/cb?x=1", ResponseMode::Query),
            "https://a/cb?x=1&code=a+b%26c"
        );
        assert_eq!(
            location("https://a/cb?x=1", ResponseMode::Fragment),
            "https://a/cb?x=1#code=a+b%26c"
        );
        assert_eq!(location("https://a/cb", ResponseMode::FormPost), "https://a/cb");
    }
}
