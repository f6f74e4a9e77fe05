//! Claims about a person: OpenID Connect Core 1.0 §5.

use serde::Serialize;

use crate::error::Refusal;
use crate::id::UserId;
use crate::model::{Scope, User};
use crate::time::Timestamp;
use crate::tokens::ActiveToken;

/// The UserInfo answer: §5.3.2.
#[derive(Clone, Debug, Serialize)]
pub struct UserInfo<'a> {
    /// Who, as in the ID token.
    pub sub: UserId,
    /// What else may be told.
    #[serde(flatten)]
    pub person: PersonClaims<'a>,
}

/// The claims of the scopes `profile` and `email`: §5.4. What is not known is left out.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct PersonClaims<'a> {
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<&'a str>,
    /// When the account was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    /// Whether it was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

impl<'a> PersonClaims<'a> {
    /// The claims for which `wanted` says yes.
    pub fn select(user: &'a User, wanted: impl Fn(&str) -> bool) -> Self {
        let email = user.email.as_deref();
        Self {
            name: user.name.as_deref().filter(|_| wanted("name")),
            preferred_username: user.username.as_deref().filter(|_| wanted("preferred_username")),
            updated_at: Some(user.updated_at).filter(|_| wanted("updated_at")),
            email: email.filter(|_| wanted("email")),
            email_verified: email.filter(|_| wanted("email_verified")).map(|_| user.email_verified),
        }
    }
}

/// Whether `scope` stands for `claim`: §5.4.
pub(crate) fn claims_of(scope: &Scope, claim: &str) -> bool {
    match claim {
        "email" | "email_verified" => scope.contains("email"),
        "name" | "preferred_username" | "updated_at" => scope.contains("profile"),
        _ => false,
    }
}

/// What the holder of an access token may know.
pub fn answer(token: &ActiveToken) -> Result<UserInfo<'_>, Refusal> {
    // OpenID Connect Core 1.0 §5.3: the token must come from an OpenID request.
    if !token.scope.contains("openid") {
        return Err(Refusal::ScopeMissing { scope: "openid" });
    }
    let user = token.user.as_ref().ok_or(Refusal::TokenInvalid {})?;
    let asked = &token.claims.userinfo;
    let wanted =
        |claim: &str| claims_of(&token.scope, claim) || asked.iter().any(|own| own == claim);
    Ok(UserInfo { sub: user.id, person: PersonClaims::select(user, wanted) })
}
