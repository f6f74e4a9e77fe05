//! Accounts: `user:<id>`, and `users`, a sorted set of their ids by the time of their making;
//! `username:<name>`, `email:<address>` and `subject:<external subject>` have the id of the
//! account.

use async_trait::async_trait;
use grantor_core::id::UserId;
use grantor_core::model::{User, UserStatus};
use grantor_core::store::{Added, StoreError, UserStore};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, record, yes};
use super::script::{Family, lua, scripts};

scripts! {
    READ = ["return hash(key())"];

    BY_NAME = ["
local id = call('GET', key())
return id and hash(tag .. 'user:' .. id)"];

    ADD = ["
local own, id, fields, created_at = key(), arg(), record(), arg()
local taken, names = is_there(own), {}
for i = 1, tonumber(arg()) do
  names[i] = key()
  taken = is_there(names[i]) or taken
end
if taken then return false end
put(own, fields)
for _, name in ipairs(names) do call('SET', name, id) end
call('ZADD', tag .. 'users', created_at, id)
return 1"];

    PASSWORD = [lua::SESSION, "
local own, id, phc, now = key(), arg(), arg(), arg()
local there = is_there(own)
drop_sessions(id)
if there then call('HSET', own, 'password', phc, 'updated_at', now) end
return there and 1"];

    LINK = ["
local own, name, id, subject, now = key(), key(), arg(), arg(), arg()
if not is_there(own) or is_there(name) then return false end
if fields(own, 'external_subject')[1] then return false end
call('HSET', own, 'external_subject', subject, 'updated_at', now)
call('SET', name, id)
return 1"];

    VERIFIED = ["
local own, now = key(), arg()
if fields(own, 'email_verified')[1] ~= '0' then return end
call('HSET', own, 'email_verified', '1', 'updated_at', now)"];

    /// What is held is looked up by client; a removed client has nothing left to revoke.
    STATUS = [lua::HELD, lua::DROPS, lua::SESSION, "
local own, id, status, now = key(), arg(), arg(), arg()
if not is_there(own) then return false end
call('HSET', own, 'status', status, 'updated_at', now)
if status == 'disabled' then
  drop_sessions(id)
  for _, client in ipairs(call('ZRANGE', tag .. 'clients', 0, -1)) do
    take_back(client, id, now)
  end
end
return 1"];
}

#[async_trait]
impl UserStore for Redis {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let read =
            async { record(self.call(&READ, Family::Oauth).key(key(id)).read().await?, user) };
        read.await.map_err(Fault::told)
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.user_by(format!("email:{}", email.to_lowercase())).await
    }

    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StoreError> {
        self.user_by(format!("username:{}", username.to_lowercase())).await
    }

    async fn user_by_external_subject(&self, subject: &str) -> Result<Option<User>, StoreError> {
        self.user_by(format!("subject:{subject}")).await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.all(Family::Oauth, "users", "user:", user).await.map_err(Fault::told)
    }

    async fn add_user(&self, user: User) -> Result<Added, StoreError> {
        self.insert_user(&user).await.map_err(Fault::told)
    }

    async fn set_password(
        &self,
        id: UserId,
        phc: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let call = self.call(&PASSWORD, Family::Oauth).key(key(id)).arg(&id).text(phc).arg(&now);
        call.write().await.map(|set| yes(&set)).map_err(Fault::told)
    }

    async fn link_external_subject(
        &self,
        id: UserId,
        subject: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let call = self.call(&LINK, Family::Oauth).key(key(id));
        let call = call.key(format_args!("subject:{subject}")).arg(&id).text(subject).arg(&now);
        call.write().await.map(|linked| yes(&linked)).map_err(Fault::told)
    }

    async fn mark_email_verified(&self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        let call = self.call(&VERIFIED, Family::Oauth).key(key(id)).arg(&now);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn set_user_status(
        &self,
        id: UserId,
        status: UserStatus,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let call = self.call(&STATUS, Family::Oauth).key(key(id)).arg(&id);
        let call = call.text(status_name(status)).arg(&now);
        call.write().await.map(|set| yes(&set)).map_err(Fault::told)
    }
}

impl Redis {
    async fn user_by(&self, name: String) -> Result<Option<User>, StoreError> {
        let read =
            async { record(self.call(&BY_NAME, Family::Oauth).key(name).read().await?, user) };
        read.await.map_err(Fault::told)
    }

    async fn insert_user(&self, user: &User) -> Result<Added, Fault> {
        let username = user.username.as_ref().map(|name| name.to_lowercase());
        let email = user.email.as_ref().map(|email| email.to_lowercase());
        let fields = Fields::default()
            .with("id", &user.id)
            .maybe("username", username.as_ref())
            .maybe("email", email.as_ref())
            .with("email_verified", &user.email_verified)
            .maybe("name", user.name.as_ref())
            .maybe("external_subject", user.external_subject.as_ref())
            .maybe("password", user.password.as_ref())
            .text("status", status_name(user.status))
            .with("created_at", &user.created_at)
            .with("updated_at", &user.updated_at);
        let names = [
            username.map(|name| format!("username:{name}")),
            email.map(|email| format!("email:{email}")),
            user.external_subject.as_ref().map(|subject| format!("subject:{subject}")),
        ];
        let count = names.iter().flatten().count();
        let mut call = self.call(&ADD, Family::Oauth).key(key(user.id)).arg(&user.id);
        call = call.fields(fields).arg(&user.created_at).text(&count.to_string());
        for name in names.into_iter().flatten() {
            call = call.key(name);
        }
        Ok(if yes(&call.write().await?) { Added::Done } else { Added::Exists })
    }
}

/// Reads an account.
pub(super) fn user(hash: &Hash) -> Result<User, Fault> {
    Ok(User {
        id: hash.get("id")?,
        username: hash.maybe("username")?,
        email: hash.maybe("email")?,
        email_verified: hash.get("email_verified")?,
        name: hash.maybe("name")?,
        external_subject: hash.maybe("external_subject")?,
        password: hash.maybe("password")?,
        status: hash.named("status", |name| match name {
            "active" => Some(UserStatus::Active),
            "disabled" => Some(UserStatus::Disabled),
            _ => None,
        })?,
        created_at: hash.get("created_at")?,
        updated_at: hash.get("updated_at")?,
    })
}

const fn status_name(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Disabled => "disabled",
    }
}

fn key(id: UserId) -> String {
    format!("user:{id}")
}
