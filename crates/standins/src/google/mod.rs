//! A Google to connect accounts of, to be refused by and to be put to the test by.
//!
//! It answers what `accounts.google.com`, `oauth2.googleapis.com`, `openidconnect.googleapis.com`
//! and `www.googleapis.com` answer, all under one origin, and its two sign-in pages work without a
//! script. Sources are Google's public pages "Using OAuth 2.0 to Access Google APIs", "Using OAuth
//! 2.0 for Web Server Applications", "OpenID Connect" and "How to handle granular permissions", and
//! what its token endpoint is known to answer in the issue trackers of the libraries that call it.
//!
//! | path | what it is |
//! |---|---|
//! | `/.well-known/openid-configuration`, `/oauth2/v3/certs` | metadata, and two RS256 keys |
//! | `/o/oauth2/v2/auth` | the authorization endpoint; its errors are pages, not redirects |
//! | `/v3/signin/accountchooser`, `/signin/oauth/consent` | who you are, and what you allow, scope by scope |
//! | `/token`, `/revoke`, `/v1/userinfo` | as at Google |
//! | `/calendar/v3/users/me/calendarList`, `/calendar/v3/freeBusy`, `/drive/v3/about` | APIs to call, whose errors have another shape |
//! | `/connections` | what the accounts have allowed, to take back, and a clock to move, for people |
//!
//! # Control
//!
//! Beside what [`crate::control`] has (its endpoints are named `discovery`, `certs`, `auth`,
//! `accountchooser`, `consent`, `token`, `revoke`, `userinfo`, `calendar` and `drive`):
//!
//! | request | body | what it does |
//! |---|---|---|
//! | `GET /_control/behaviour` | | how it behaves |
//! | `PUT /_control/behaviour` | any of `expires_in`, `issuer_without_scheme`, `largest_tokens`, `declares_iss`, `refresh_token_limit` | behaves so from now on; what is left out is as at the start |
//! | `GET /_control/grants` | | what is allowed: by client and account the scopes and the fingerprints of its live refresh tokens |
//! | `POST /_control/issue` | `{"client_id", "account", "scopes", "refresh_token"?}` | tokens as if the person had allowed the scopes; without a refresh token if that is `false` |
//! | `POST /_control/revoke` | `{"account", "client_id"?}` | the person takes back what was allowed: to the client's project, or to all |
//! | `POST /_control/people` | a person: `sub`, `email`, `name`, `hd`? | an account more, or in place of the one with this `sub` |
//! | `POST /_control/accounts` | `{"account", "must_sign_in"?, "deleted"?}` | refreshing is `invalid_rapt` until the person signs in again; the account is deleted |
//! | `POST /_control/clients` | a client, as in the settings | registers it, or replaces the one with this `id` |
//! | `PATCH /_control/clients/{id}` | any of `secret`, `condition` (`good`, `disabled`, `deleted`), `testing`, `internal_to` | changes it |
//! | `PUT /_control/organisations/{hd}` | `{"blocked_clients"?, "blocked_scopes"?}` | what the administrator forbids |
//! | `POST /_control/access_tokens/end` | `{"account"?}` | access tokens stop working before their time |
//! | `POST /_control/keys` | `{"rotate": "announced"}` or `"abrupt"` | signs with the next key, or with one that nobody has seen |
//! | `POST /_control/reset` | | everything as at the start, but for the keys |
//!
//! An `account` is a `sub` or an e-mail address. ID tokens are dated by the time of day, not by the
//! clock that can be moved: callers could not accept them otherwise.

mod api;
mod app;
mod authorize;
mod back;
mod client_auth;
mod config;
mod control;
mod discovery;
mod grants;
mod id_token;
pub(crate) mod keys;
mod pages;
mod people;
mod refusal;
mod revoke;
mod scopes;
mod signin;
mod state;
mod token;
mod tokens;

pub use app::serve;
pub use config::{Client, Config, Person};
