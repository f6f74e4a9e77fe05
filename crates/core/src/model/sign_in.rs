//! How a person proved who they are, and a sign-in that is half done.

use serde::{Deserialize, Serialize};

use crate::id::{AttemptId, RequestId};
use crate::secret::Digest;
use crate::time::Timestamp;

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// A sign-in method by name: in configuration, on the sign-in page and as `acr`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum MethodName {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl MethodName {
            /// All that this server has.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name, which is also the `acr` value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

methods! {
    /// An admin token, e-mailed or fixed.
    AdminToken = "admin_token";
    /// A name and a password.
    Password = "password";
    /// The operator's own sign-in page.
    External = "external";
}

impl MethodName {
    /// The method with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.as_str() == text)
    }
}

/// A finished authentication: OpenID Connect Core 1.0 §2, claims `auth_time`, `acr` and `amr`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// How.
    pub method: MethodName,
    /// The `acr` claim, where it is another than the name of the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// What was presented; RFC 8176 values.
    pub amr: Vec<String>,
}

impl Authentication {
    /// The `acr` claim.
    pub fn acr(&self) -> &str {
        self.acr.as_deref().unwrap_or_else(|| self.method.as_str())
    }
}

/// An admin token that somebody was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInAttempt {
    /// Names it in the form.
    pub id: AttemptId,
    /// The authorization request that it belongs to; `None` when the page was opened by itself.
    pub request: Option<RequestId>,
    /// The browser that asked: a digest of its cookie.
    pub browser: Digest,
    /// The address that wants to sign in, lower case.
    pub email: String,
    /// A keyed digest of the token; of nothing that anybody knows when the address may not sign in.
    pub token: Digest,
    /// Wrong tokens that are still taken.
    pub tries_left: u32,
    /// When the token was asked for.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}
