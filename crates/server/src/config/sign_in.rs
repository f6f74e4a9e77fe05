//! Settings of who may sign in and how, and of the mail that this takes.

use std::path::PathBuf;

use grantor_core::model::MethodName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::values::{Allowed, Period, Secret};
use crate::mail::{Security, SmtpSettings};

/// Who may sign in, and how.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignIn {
    /// The methods that are offered, the first one first.
    #[schemars(schema_with = "methods")]
    pub(crate) methods: Vec<MethodName>,
    /// Whether an allowed address that has no account gets one at its first sign-in.
    pub(crate) sign_up: bool,
    /// Sign-in with an admin token.
    pub(crate) admin_token: AdminToken,
    /// Sign-in with a password.
    pub(crate) password: Password,
    /// Sign-in on a page of your own, in any language: `external` among the methods.
    pub(crate) external: Option<External>,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            methods: vec![MethodName::AdminToken, MethodName::Password],
            sign_up: false,
            admin_token: AdminToken::default(),
            password: Password::default(),
            external: None,
        }
    }
}

/// A method has the name that the core gives it.
fn methods(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<_> = MethodName::ALL.iter().map(|method| method.as_str()).collect();
    json_schema!({ "type": "array", "items": { "type": "string", "enum": names } })
}

/// Sign-in with an admin token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AdminToken {
    /// Whether each token is made at random and sent by e-mail, or `token` is it for everybody.
    pub(crate) mode: TokenMode,
    /// The token of the static mode.
    pub(crate) token: Option<Secret>,
    /// A file with the token of the static mode.
    pub(crate) token_file: Option<PathBuf>,
    /// Takes the static mode also where the issuer is not this machine. Everybody who learns the
    /// token can then sign in as any allowed address.
    pub(crate) allow_static_token: bool,
    /// Who may sign in: addresses (`someone@example.com`), domains (`example.com`), or `*` for
    /// everybody. Empty: nobody.
    pub(crate) allowed: Vec<Allowed>,
    /// How long an e-mailed token works.
    pub(crate) lifetime: Period,
    /// How many wrong tokens are taken before a new one has to be asked for.
    #[schemars(range(min = 1, max = 20))]
    pub(crate) tries: u32,
    /// The least time between two mails to one address.
    pub(crate) pause: Period,
    /// Mails to one address in an hour at most.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) per_hour: u32,
}

impl Default for AdminToken {
    fn default() -> Self {
        Self {
            mode: TokenMode::EMailed,
            token: None,
            token_file: None,
            allow_static_token: false,
            allowed: Vec::new(),
            lifetime: Period::of(600),
            tries: 5,
            pause: Period::of(60),
            per_hour: 5,
        }
    }
}

/// Where an admin token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenMode {
    /// Made at random and sent by e-mail.
    EMailed,
    /// The configured one.
    Static,
}

/// Sign-in with a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Password {
    /// Characters of a new password at least.
    #[schemars(range(min = 8, max = 64))]
    pub(crate) minimum_length: usize,
    /// Threads that hash passwords. Each keeps one core busy for about 15 ms per sign-in and uses
    /// 19 MiB of memory while it does.
    #[schemars(range(min = 1, max = 16))]
    pub(crate) threads: usize,
    /// Sign-ins that may wait for a thread; more are asked to come back later.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) queue: usize,
}

impl Default for Password {
    fn default() -> Self {
        Self { minimum_length: 10, threads: 1, queue: 64 }
    }
}

/// Sign-in on a page of your own. `docs/sign-in-methods.md` says what it has to do;
/// `examples/external-sign-in/` does it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct External {
    /// The URL of the page. Browsers are sent there with a `login_challenge`.
    pub(crate) url: String,
    /// What its application shows to the API under `/external/requests/`: 20 random characters at
    /// least.
    pub(crate) secret: Option<Secret>,
    /// A file with the secret.
    pub(crate) secret_file: Option<PathBuf>,
    /// What the link on the sign-in page says, such as `Use your company account`.
    pub(crate) label: Option<String>,
    /// How long a person has on the page.
    #[serde(default = "ten_minutes")]
    pub(crate) lifetime: Period,
}

const fn ten_minutes() -> Period {
    Period::of(600)
}

/// How mail is sent. Without `[mail.smtp]` none is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// The server that takes the mail.
    pub(crate) smtp: Option<Smtp>,
}

/// An SMTP server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Smtp {
    /// Its name or IP address. A certificate has to be for this name.
    pub(crate) host: String,
    /// Its port; by default 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: Option<u16>,
    /// How the connection is protected.
    #[serde(default = "starttls")]
    pub(crate) security: Security,
    /// A PEM file with the root certificate of a server that the system does not trust.
    pub(crate) ca_file: Option<PathBuf>,
    /// The account at the server, if it wants one.
    pub(crate) username: Option<String>,
    /// The password of the account.
    pub(crate) password: Option<Secret>,
    /// A file with the password of the account.
    pub(crate) password_file: Option<PathBuf>,
    /// Who the mail is from: `no-reply@example.com` or `Example <no-reply@example.com>`.
    #[schemars(extend("format" = "mailbox"))]
    pub(crate) from: String,
    /// Where answers go, if not to `from`.
    #[schemars(extend("format" = "mailbox"))]
    pub(crate) reply_to: Option<String>,
    /// How long the whole delivery of one mail may take before it is tried again later.
    #[serde(default = "thirty_seconds")]
    pub(crate) timeout: Period,
}

impl Smtp {
    /// As the transport takes them.
    pub(crate) fn settings(&self) -> SmtpSettings {
        let password = self.password.as_ref().map(|password| password.expose().to_owned());
        SmtpSettings {
            host: self.host.clone(),
            port: self.effective_port(),
            security: self.security,
            ca_file: self.ca_file.clone(),
            credentials: self.username.clone().zip(password),
            from: self.from.clone(),
            reply_to: self.reply_to.clone(),
            timeout: self.timeout.duration(),
        }
    }

    /// The port that is set, or the usual one.
    pub(crate) fn effective_port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        })
    }
}

const fn starttls() -> Security {
    Security::Starttls
}

const fn thirty_seconds() -> Period {
    Period::of(30)
}
