//! What is asked for, and how it is written in JSON.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::error::Refusal;
use crate::id::ConnectionId;
use crate::model::Scope;
use crate::time::Seconds;
use crate::vault::subject;

/// Bytes of a name (an account, a provider), at most; a subject of 200 characters has no more.
const LONGEST: usize = 800;
/// The longest time that a token can be wanted to live.
const MOST_TTL: u32 = 86_400;

/// What is asked for. Each member that is there narrows; with none, the caller must reach exactly
/// one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// This connection.
    pub connection: Option<ConnectionId>,
    /// One of this integration, or of an integration with this provider.
    pub provider: Option<String>,
    /// One of this integration.
    pub integration: Option<String>,
    /// One for this subject.
    pub subject: Option<String>,
    /// One of the account with this id or address at the provider.
    pub account: Option<String>,
    /// With these scopes at least.
    pub scope: Option<Scope>,
    /// Valid for so long at least.
    pub min_ttl: Seconds,
    /// Another one than is stored.
    pub force: Option<Force>,
}

/// That a stored token is not good enough, however long it is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Whichever it is.
    Any,
    /// If it is this one, by its SHA-256, which the provider's API has refused.
    Rejected([u8; 32]),
}

impl std::fmt::Debug for Force {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Any => "Any",
            Self::Rejected(_) => "Rejected",
        })
    }
}

impl Force {
    /// Whether it is about `token`.
    pub fn is_about(&self, token: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Rejected(hash) => {
                hash.as_slice().ct_eq(digest(&SHA256, token.as_bytes()).as_ref()).into()
            }
        }
    }
}

impl Asked {
    /// Reads `POST /oauth/token`.
    pub fn token(members: &Map<String, Value>) -> Result<Self, Refusal> {
        Self::read(members, false)
    }

    /// Reads `POST /oauth/refresh`.
    pub fn refresh(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut asked = Self::read(members, true)?;
        asked.force = Some(asked.force.unwrap_or(Force::Any));
        Ok(asked)
    }

    /// Members that are not known are refused, whatever their value: a selector that was misspelt
    /// would select more. So would one without a value, when the id of a person got lost.
    fn read(members: &Map<String, Value>, refresh: bool) -> Result<Self, Refusal> {
        let mut asked = Self::default();
        for (name, value) in members {
            match name.as_str() {
                "connection_id" => {
                    let want = "send the connection_id of a connection: con_ and a UUID";
                    let id = text("connection_id", value, want)?;
                    let id = ConnectionId::read(&id);
                    asked.connection = Some(id.map_err(|_| bad("connection_id", want))?);
                }
                "provider" => asked.provider = Some(text("provider", value, NAME)?),
                "integration" => asked.integration = Some(text("integration", value, NAME)?),
                "subject" => {
                    let own = text("subject", value, subject::WANTED)?;
                    subject::check(&own)?;
                    asked.subject = Some(own);
                }
                "account" => asked.account = Some(text("account", value, NAME)?),
                "scopes" => asked.scope = scopes(value)?,
                "min_ttl" => asked.min_ttl = min_ttl(value)?,
                "rejected_token_sha256" if refresh => asked.force = Some(rejected(value)?),
                _ => return Err(Refusal::MemberUnknown { name: shown(name) }),
            }
        }
        Ok(asked)
    }
}

const NAME: &str = "send a text of 1 to 800 bytes";

fn bad(name: &'static str, want: &'static str) -> Refusal {
    Refusal::BadParameter { name, want }
}

/// What may be repeated in an answer of a name that somebody made up.
fn shown(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

fn text(name: &'static str, value: &Value, want: &'static str) -> Result<String, Refusal> {
    if value.is_null() || value == "" {
        return Err(bad(name, "it has no value; send one, or leave it out, which selects more"));
    }
    let fits = |own: &&str| !own.is_empty() && own.len() <= LONGEST;
    value.as_str().filter(fits).map(ToOwned::to_owned).ok_or_else(|| bad(name, want))
}

/// An array, as vault.md has it, or one text with spaces, as OAuth has it. It selects nothing, so
/// that an empty one is none.
fn scopes(value: &Value) -> Result<Option<Scope>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let want = "send an array of scopes, or a text with spaces between them";
    let name = |value: &Value| value.as_str().filter(|own| !own.contains(' ')).map(str::to_owned);
    let text = match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(names) => {
            names.iter().map(name).collect::<Option<Vec<_>>>().map(|names| names.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let scope = text.and_then(|text| Scope::parse(&text).ok());
    let scope = scope.ok_or_else(|| bad("scopes", want))?;
    Ok(Some(scope).filter(|own| !own.is_empty()))
}

/// A number; of a form, digits. It selects nothing, so that an empty one is none.
fn min_ttl(value: &Value) -> Result<Seconds, Refusal> {
    let number = match value {
        Value::Null => Some(0),
        Value::String(digits) if digits.is_empty() => Some(0),
        Value::String(digits) => digits.parse().ok(),
        other => other.as_u64(),
    };
    let fits = number.filter(|own| *own <= u64::from(MOST_TTL));
    let seconds = fits.and_then(|own| u32::try_from(own).ok()).map(Seconds);
    seconds.ok_or_else(|| bad("min_ttl", "send a whole number of seconds, at most 86400"))
}

fn rejected(value: &Value) -> Result<Force, Refusal> {
    let want = "send the SHA-256 of the token as 64 hexadecimal digits";
    let refused = || bad("rejected_token_sha256", want);
    let text =
        value.as_str().filter(|own| own.len() == 64 && own.is_ascii()).ok_or_else(refused)?;
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        *byte = u8::from_str_radix(digits, 16).ok().filter(|_| hex).ok_or_else(refused)?;
    }
    Ok(Force::Rejected(hash))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Asked, Refusal> {
        Asked::refresh(value.as_object().expect("an object"))
    }

    #[test]
    fn scopes_may_be_a_list_or_a_text() {
        let scope = Scope::parse("a b").expect("a scope");
        for value in [json!(["a", "b"]), json!("a b"), json!(["a", "b", "a"])] {
            let asked = read(&json!({ "scopes": value })).expect("good");
            assert_eq!(asked.scope, Some(scope.clone()));
        }
        for value in [json!([]), json!(""), json!(null)] {
            assert_eq!(read(&json!({ "scopes": value })).expect("good").scope, None);
        }
        for value in [json!(["a b"]), json!([1]), json!(1), json!({}), json!("a\"")] {
            assert!(read(&json!({ "scopes": value })).is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_misspelt_or_of_another_kind_is_refused() {
        for value in [
            json!({ "conection_id": "x" }),
            json!({ "connection_id": "x" }),
            json!({ "connection_id": 1 }),
            json!({ "subject": "user-42", "subjct": null }),
            json!({ "subject": "user-42", "subjct": "" }),
            json!({ "rejected_token_sha256": null }),
            json!({ "subject": "x".repeat(201) }),
            json!({ "account": "x".repeat(801) }),
            json!({ "subject": ["a"] }),
            json!({ "min_ttl": -1 }),
            json!({ "min_ttl": 86_401 }),
            json!({ "min_ttl": 1.5 }),
            json!({ "min_ttl": "1m" }),
            json!({ "rejected_token_sha256": "abc" }),
            json!({ "rejected_token_sha256": "+1".repeat(32) }),
            json!({ "rejected_token_sha256": "é".repeat(32) }),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
        let hash = json!({ "rejected_token_sha256": "00".repeat(32) });
        let refused = Asked::token(hash.as_object().expect("an object"));
        assert!(refused.is_err(), "there is nothing to reject at /oauth/token");
    }

    #[test]
    fn a_selector_without_a_value_does_not_select_more() {
        for name in ["connection_id", "provider", "integration", "subject", "account"] {
            for value in [json!(null), json!("")] {
                let refused = read(&json!({ name: value })).expect_err("it names nobody");
                assert!(refused.to_string().contains("it has no value"), "{refused}");
            }
        }
        for value in [json!(null), json!("")] {
            let asked = read(&json!({ "scopes": value, "min_ttl": value })).expect("good");
            assert_eq!((asked.scope, asked.min_ttl), (None, Seconds(0)));
        }
    }

    #[test]
    fn a_rejected_token_is_known_by_its_hash() {
        // sha256("abc") from FIPS 180-2 appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let asked = read(&json!({ "rejected_token_sha256": hash })).expect("good");
        let force = asked.force.expect("is there");
        assert!(force.is_about("abc") && !force.is_about("abd"));
        assert_eq!(read(&json!({})).expect("good").force, Some(Force::Any));
        assert!(Force::Any.is_about("abc"));
    }
}
