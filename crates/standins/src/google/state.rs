//! What the stand-in remembers, in memory: accounts, applications, what was allowed, codes, tokens.
//! Nothing here reads a clock: `now` is passed in, in seconds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::config::{Client, Config, Person};
use super::tokens::Tokens;

/// How long somebody may look at the pages before it is too late, in seconds.
pub(super) const REQUEST_LIFETIME: i64 = 3600;
/// How long a code is good for, in seconds.
pub(super) const CODE_LIFETIME: i64 = 600;

/// Everything, under one lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clients: BTreeMap<String, Application>,
    /// By `sub`.
    pub(super) people: BTreeMap<String, Account>,
    /// By domain.
    pub(super) organisations: BTreeMap<String, Organisation>,
    /// What was allowed, by project and `sub`.
    pub(super) grants: BTreeMap<(String, String), BTreeSet<String>>,
    /// Who is signed in in a browser, by its cookie: `sub`s, in the order of the sign-ins.
    pub(super) browsers: HashMap<String, Vec<String>>,
    /// Requests that wait for somebody at a page.
    pub(super) requests: HashMap<String, Pending>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) tokens: Tokens,
    pub(super) behaviour: Behaviour,
}

/// A client, and what became of it.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) client: Client,
    pub(super) condition: Condition,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Condition {
    #[default]
    Good,
    Disabled,
    Deleted,
}

/// Somebody, and what became of the account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) person: Person,
    pub(super) deleted: bool,
    /// The organisation wants the person to sign in again before anything is refreshed.
    pub(super) must_sign_in: bool,
}

/// What an organisation's administrator decided.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Organisation {
    /// Applications that nobody of it may use.
    pub(super) blocked_clients: BTreeSet<String>,
    /// Scopes that nobody of it may allow, under their long names.
    pub(super) blocked_scopes: BTreeSet<String>,
}

/// How the provider behaves from now on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Behaviour {
    /// The `expires_in` of new access tokens, and how long they live.
    pub(super) expires_in: u32,
    /// `iss` in ID tokens is the host alone, as it is for some of Google's.
    pub(super) issuer_without_scheme: bool,
    /// Codes, access and refresh tokens of the greatest length that Google announces.
    pub(super) largest_tokens: bool,
    /// Says in the metadata that callbacks carry `iss`, which they do either way.
    pub(super) declares_iss: bool,
    /// Live refresh tokens for one account and client; the oldest are dropped silently.
    pub(super) refresh_token_limit: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            expires_in: 3599,
            issuer_without_scheme: false,
            largest_tokens: false,
            declares_iss: false,
            refresh_token_limit: 100,
        }
    }
}

/// An authorization request that was found good.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    /// Under their long names.
    pub(super) scopes: BTreeSet<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) offline: bool,
    pub(super) include_granted: bool,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<String>,
    pub(super) hd: Option<String>,
    pub(super) account: Option<String>,
    pub(super) expires_at: i64,
}

/// RFC 7636 §4.3.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) text: String,
    pub(super) plain: bool,
}

/// What the application wants to be shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prompt {
    pub(super) none: bool,
    pub(super) consent: bool,
    pub(super) select_account: bool,
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) sub: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    /// Offline access was asked for, and consent was shown.
    pub(super) with_refresh_token: bool,
    pub(super) expires_at: i64,
}

impl State {
    pub(super) fn new(config: &Config) -> Self {
        let application = |client: &Client| {
            let application =
                Application { client: client.clone(), condition: Condition::default() };
            (client.id.clone(), application)
        };
        let account = |person: &Person| (person.sub.clone(), Account::new(person.clone()));
        Self {
            clients: config.clients.iter().map(application).collect(),
            people: config.people.iter().map(account).collect(),
            organisations: BTreeMap::new(),
            grants: BTreeMap::new(),
            browsers: HashMap::new(),
            requests: HashMap::new(),
            codes: HashMap::new(),
            tokens: Tokens::default(),
            behaviour: Behaviour::default(),
        }
    }

    /// Somebody whose account exists, by `sub` or e-mail address.
    pub(super) fn account(&self, who: &str) -> Option<&Account> {
        let is = |own: &&Account| own.person.sub == who || own.person.email == who;
        self.people.values().filter(|own| !own.deleted).find(is)
    }

    /// What somebody has allowed a client's project.
    pub(super) fn granted(&self, client: &Client, sub: &str) -> BTreeSet<String> {
        let key = (client.project.clone(), sub.to_owned());
        self.grants.get(&key).cloned().unwrap_or_default()
    }

    /// Takes back what somebody allowed a project: the grant and every token that came of it, for
    /// all clients of the project. Google, "Revoking a token".
    pub(super) fn revoke(&mut self, project: &str, sub: &str) {
        self.grants.remove(&(project.to_owned(), sub.to_owned()));
        let clients = self.clients.values().filter(|own| own.client.project == project);
        for own in clients {
            self.tokens.revoke(&own.client.id, sub);
        }
        let of_project = |client_id: &str| {
            self.clients.get(client_id).is_some_and(|own| own.client.project == project)
        };
        self.codes.retain(|_, code| code.sub != sub || !of_project(&code.client_id));
    }

    /// Whether the administrator of somebody's organisation forbids this.
    pub(super) fn is_blocked(&self, sub: &str, client_id: &str, scopes: &BTreeSet<String>) -> bool {
        let hd = self.people.get(sub).and_then(|own| own.person.hd.as_deref());
        let Some(organisation) = hd.and_then(|hd| self.organisations.get(hd)) else {
            return false;
        };
        organisation.blocked_clients.contains(client_id)
            || !organisation.blocked_scopes.is_disjoint(scopes)
    }

    /// Forgets what is over.
    pub(super) fn sweep(&mut self, now: i64) {
        self.requests.retain(|_, request| now < request.expires_at);
        self.codes.retain(|_, code| now < code.expires_at);
    }
}

impl Account {
    pub(super) fn new(person: Person) -> Self {
        Self { person, deleted: false, must_sign_in: false }
    }
}
