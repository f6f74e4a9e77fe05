//! Scripts and their calls.

use std::pin::Pin;

use redis::{Cmd, Value, cmd};

use super::Inner;
use super::column::Column;
use super::fault::Fault;
use super::fields::{Fields, items, unexpected};

/// What stands before every script.
const COMMON: &str = include_str!("lua/common.lua");

/// Libraries, of which a script has those that it calls and those that they call.
pub(super) mod lua {
    /// What a client holds, and revoking a family.
    pub(crate) const HELD: &str = include_str!("lua/held.lua");
    /// Access tokens.
    pub(crate) const ACCESS: &str = include_str!("lua/access.lua");
    /// Tokens that are issued together; calls [`HELD`] and [`ACCESS`].
    pub(crate) const ISSUE: &str = include_str!("lua/issue.lua");
    /// Consents; calls [`HELD`].
    pub(crate) const CONSENT: &str = include_str!("lua/consent.lua");
    /// Refresh tokens in use; calls [`ACCESS`].
    pub(crate) const RENEWAL: &str = include_str!("lua/renewal.lua");
    /// What is taken back; calls [`HELD`].
    pub(crate) const DROPS: &str = include_str!("lua/drops.lua");
    /// Ending sessions.
    pub(crate) const SESSION: &str = include_str!("lua/session.lua");
    /// New clients.
    pub(crate) const CLIENT: &str = include_str!("lua/client.lua");
    /// For scripts of the vault.
    pub(crate) const VAULT: &str = include_str!("lua/vault.lua");
}

/// A script. The server keeps it by its digest; it is sent whole to one that does not know it.
pub(super) struct Script {
    source: String,
    digest: String,
}

impl Script {
    /// The script of these parts, the last of which is the body of a function that gives the
    /// outcome.
    pub(super) fn new(parts: &[&str]) -> Self {
        let (body, libraries) = parts.split_last().unwrap_or((&"", &[]));
        let libraries = libraries.concat();
        let source = format!(
            "{COMMON}{libraries}local function run()\n{body}\nend\n\
             local outcome = run()\nreturn {{number, writes, outcome or false}}\n"
        );
        let digest = redis::Script::new(&source).get_hash().to_owned();
        Self { source, digest }
    }
}

/// Defines scripts, each with the libraries that it needs and its body.
macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = [$($part:expr),+ $(,)?];)+) => {$(
        $(#[$doc])*
        static $name: std::sync::LazyLock<$crate::redis::script::Script> =
            std::sync::LazyLock::new(|| $crate::redis::script::Script::new(&[$($part),+]));
    )+};
}
pub(super) use scripts;

/// Records that are changed together by some method of the port, and so have one hash tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Clients, people, what was granted and issued.
    Oauth,
    /// Half-done sign-ins and mails.
    SignIn,
    /// Connections, API keys, the audit log, webhooks.
    Vault,
    /// Signing keys and secrets of the server.
    Keys,
    /// What others may use once.
    Once,
    /// Rate limits.
    Limits,
}

impl Family {
    /// All there are.
    pub(super) const ALL: [Self; 6] =
        [Self::Oauth, Self::SignIn, Self::Vault, Self::Keys, Self::Once, Self::Limits];

    /// Its name in keys.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Oauth => "oauth",
            Self::SignIn => "signin",
            Self::Vault => "vault",
            Self::Keys => "keys",
            Self::Once => "once",
            Self::Limits => "limits",
        }
    }
}

/// The newest state of a family that this process was told of: the number of the epoch, and how
/// many writes were counted in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    epoch: u64,
    writes: u64,
}

/// A call of a script, being put together: its keys and arguments in the order in which the script
/// takes them.
pub(super) struct Call<'i> {
    inner: &'i Inner,
    script: &'static Script,
    family: Family,
    tag: String,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl<'i> Call<'i> {
    pub(super) fn new(inner: &'i Inner, script: &'static Script, family: Family) -> Self {
        let tag = inner.tag(family);
        let keys = vec![format!("{tag}meta")];
        Self { inner, script, family, tag, keys, args: Vec::new() }
    }

    /// The next key, without what all keys of the family begin with.
    pub(super) fn key(mut self, rest: impl std::fmt::Display) -> Self {
        self.keys.push(format!("{}{rest}", self.tag));
        self
    }

    /// The next argument.
    pub(super) fn arg(mut self, value: &impl Column) -> Self {
        self.args.push(value.write());
        self
    }

    /// The next argument, which is text.
    pub(super) fn text(mut self, value: &str) -> Self {
        self.args.push(value.as_bytes().to_vec());
        self
    }

    /// The next argument, which may be missing, and is never empty when it is there.
    pub(super) fn maybe(mut self, value: Option<&impl Column>) -> Self {
        self.args.push(value.map(Column::write).unwrap_or_default());
        self
    }

    /// The next argument: a record.
    pub(super) fn fields(mut self, fields: Fields) -> Self {
        self.args.push(fields.0.len().to_string().into_bytes());
        for (name, value) in fields.0 {
            self.args.push(name.as_bytes().to_vec());
            self.args.push(value);
        }
        self
    }

    /// The next argument: a hash as it was read.
    pub(super) fn raw(mut self, fields: &[(Vec<u8>, Vec<u8>)]) -> Self {
        self.args.push(fields.len().to_string().into_bytes());
        for (name, value) in fields {
            self.args.push(name.clone());
            self.args.push(value.clone());
        }
        self
    }

    /// Reads: the outcome of a script that writes nothing.
    pub(super) async fn read(self) -> Result<Value, Fault> {
        self.run(false).await
    }

    /// Writes, and waits for replicas where that is demanded.
    pub(super) async fn write(self) -> Result<Value, Fault> {
        self.run(true).await
    }

    /// Boxed, so that what awaits it stays small.
    fn run(self, writes: bool) -> Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send + 'i>> {
        Box::pin(self.run_here(writes))
    }

    async fn run_here(self, writes: bool) -> Result<Value, Fault> {
        let mark = self.inner.mark(self.family);
        let known = self.command("EVALSHA", &self.script.digest, mark);
        let link = &self.inner.link;
        let answer = match link.send(&self.keys[0], known, writes).await {
            Err(fault) if fault.is_unknown_script() => {
                let whole = self.command("EVAL", &self.script.source, mark);
                link.send(&self.keys[0], whole, writes).await?
            }
            other => other?,
        };
        let [epoch, writes, outcome] = items(answer)?;
        let count = |value| match value {
            Value::Int(number) => u64::try_from(number).map_err(|_| unexpected("a wrong count")),
            _ => Err(unexpected("no count")),
        };
        let mark = Mark { epoch: count(epoch)?, writes: count(writes)? };
        self.inner.learn(self.family, mark);
        Ok(outcome)
    }

    fn command(&self, verb: &str, script: &str, mark: Mark) -> Cmd {
        let mut command = cmd(verb);
        command.arg(script).arg(self.keys.len()).arg(&self.keys);
        let strict = u8::from(!self.inner.options.keeps_acknowledged);
        command.arg(strict).arg(mark.epoch).arg(mark.writes);
        for value in &self.args {
            command.arg(value.as_slice());
        }
        command
    }
}
