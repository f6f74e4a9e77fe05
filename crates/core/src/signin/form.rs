//! Methods that are one form: what it asks for, and what is made of it.

use async_trait::async_trait;

use super::SignedIn;
use crate::error::Failure;
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// A method that is one form. The sign-in page shows its fields and hands over what was typed.
#[async_trait]
pub trait FormMethod: Send + Sync {
    /// The fields, in the order of the page. The first one names the account: how often that is
    /// tried is limited, wherever the tries come from.
    fn fields(&self) -> &'static [Field];

    /// The person who proved who they are; `None` when something was wrong, of which the page says
    /// no more.
    async fn sign_in(
        &self,
        server: &AuthorizationServer,
        typed: &Params<'_>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, Failure>;
}

/// One field of a form.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the form.
    pub name: &'static str,
    /// What it takes.
    pub kind: FieldKind,
}

/// What a field takes; browsers help with some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// The name of an account.
    Name,
    /// A password that browsers may keep.
    Password,
    /// A secret that they may not.
    Secret,
}
