//! The prompt parameter: OpenID Connect Core 1.0 §3.1.2.1.

use crate::error::Refusal;
use crate::params::Params;

/// Which pages must, or must not, be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// No page at all; an error instead.
    pub none: bool,
    /// The sign-in page, even for somebody who is signed in.
    pub login: bool,
    /// The consent page, even for what was allowed before.
    pub consent: bool,
    /// The choice of an account.
    pub select_account: bool,
}

pub(super) fn parse(params: &Params<'_>) -> Result<Prompt, Refusal> {
    let mut prompt = Prompt::default();
    for value in params.get("prompt").unwrap_or_default().split(' ').filter(|v| !v.is_empty()) {
        match value {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => {
                let want = "use none, login, consent or select_account";
                return Err(Refusal::BadParameter { name: "prompt", want });
            }
        }
    }
    // OpenID Connect Core 1.0 §3.1.2.1: none with any other value is an error.
    if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
        return Err(Refusal::PromptNone {});
    }
    Ok(prompt)
}
