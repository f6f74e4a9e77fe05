//! What the stand-in is told at its start: where it is reached, who develops, who has an account.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The settings of the stand-in. [`Config::default`] has three people and no client.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where browsers and clients reach it, which is also the issuer; the address of the first
    /// listener where `None`. An origin: `http://localhost:5052`.
    pub base_url: Option<String>,
    /// The applications that were registered in the console. Default none.
    pub clients: Vec<Client>,
    /// Everybody who has an account. Default Ada and Alan, who are of an organisation, and Grace,
    /// who is not.
    pub people: Vec<Person>,
}

impl Default for Config {
    fn default() -> Self {
        let person = |sub: &str, email: &str, name: &str, hd: Option<&str>| Person {
            sub: sub.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            hd: hd.map(ToOwned::to_owned),
        };
        let org = Some("example.com");
        Self {
            base_url: None,
            clients: Vec::new(),
            people: vec![
                person("101815121018526101815", "ada@example.com", "Ada Lovelace", org),
                person("102306121019120607192", "alan@example.com", "Alan Turing", org),
                person("103091219060101199201", "grace@example.org", "Grace Hopper", None),
            ],
        }
    }
}

/// An application, as its developer registered it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// The client secret, which Google gives desktop applications too.
    pub secret: String,
    /// What people read on the consent page.
    #[serde(default = "a_name")]
    pub name: String,
    /// The redirect URIs, compared as they are. A desktop application needs none: any port of this
    /// machine is good for it.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Whether it is a desktop application.
    #[serde(default)]
    pub desktop: bool,
    /// What people allow, they allow to a project, which may have several clients.
    #[serde(default = "a_project")]
    pub project: String,
    /// In testing, not published: refresh tokens live for seven days.
    #[serde(default)]
    pub testing: bool,
    /// Only for people of the organisation with this domain.
    #[serde(default)]
    pub internal_to: Option<String>,
}

impl Client {
    /// A published web application with one redirect URI, open to everybody.
    pub fn new(id: &str, secret: &str, redirect_uri: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            name: a_name(),
            redirect_uris: vec![redirect_uri.to_owned()],
            desktop: false,
            project: a_project(),
            testing: false,
            internal_to: None,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({} {:?}, secret not shown)", self.id, self.redirect_uris)
    }
}

fn a_name() -> String {
    "An application".to_owned()
}

fn a_project() -> String {
    "project".to_owned()
}

/// Somebody with an account.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The account's identifier, which is never used again: Google's have 21 digits.
    pub sub: String,
    /// The e-mail address, which may be given to somebody else one day.
    pub email: String,
    /// The full name.
    pub name: String,
    /// The domain of the organisation, for an account that has one.
    #[serde(default)]
    pub hd: Option<String>,
}
