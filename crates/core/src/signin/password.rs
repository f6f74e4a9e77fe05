//! Signing in with a name or an address and a password.

use async_trait::async_trait;

use super::{Field, FieldKind, FormMethod, SignedIn};
use crate::error::Failure;
use crate::model::{Authentication, MethodName, UserStatus};
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// The longest password that is hashed, in bytes.
pub const LONGEST: usize = 1_024;

/// A name and a password.
pub struct Password;

#[async_trait]
impl FormMethod for Password {
    fn fields(&self) -> &'static [Field] {
        &[
            Field { name: "username", kind: FieldKind::Name },
            Field { name: "password", kind: FieldKind::Password },
        ]
    }

    async fn sign_in(
        &self,
        server: &AuthorizationServer,
        typed: &Params<'_>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, Failure> {
        let username = typed.get("username").unwrap_or_default();
        sign_in(server, username, typed.get("password").unwrap_or_default(), now).await
    }
}

/// The person with this name and password. An unknown name takes as long as a wrong password.
pub async fn sign_in(
    server: &AuthorizationServer,
    username: &str,
    password: &str,
    now: Timestamp,
) -> Result<Option<SignedIn>, Failure> {
    if password.len() > LONGEST {
        return Ok(None);
    }
    let name = username.trim().to_lowercase();
    let user = match server.store.user_by_username(&name).await? {
        None if name.contains('@') => server.store.user_by_email(&name).await?,
        other => other,
    };
    let phc = user.as_ref().and_then(|user| user.password.as_deref());
    let right = server.passwords.verify(password, phc).await?;
    let user = user.filter(|user| right && user.status == UserStatus::Active);
    Ok(user.map(|user| SignedIn {
        user,
        authentication: Authentication {
            auth_time: now,
            method: MethodName::Password,
            acr: None,
            amr: vec!["pwd".to_owned()], // RFC 8176 §2
        },
    }))
}
