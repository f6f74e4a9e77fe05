//! Claims asked for one by one: OpenID Connect Core 1.0 §5.5.

use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::model::{ClaimsRequest, Scope};
use crate::params::Params;

/// The claims parameter, read.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Names of claims that this server knows.
    pub(super) requested: ClaimsRequest,
    /// The subject that the ID token must be about.
    pub(super) subject: Option<String>,
    /// `acr` values of which one is essential.
    pub(super) essential_acr: Vec<String>,
}

/// The claims that can be asked for, and the scope that stands for each (§5.4).
const KNOWN: [(&str, &str); 5] = [
    ("name", "profile"),
    ("preferred_username", "profile"),
    ("updated_at", "profile"),
    ("email", "email"),
    ("email_verified", "email"),
];

pub(super) fn parse(params: &Params<'_>) -> Result<Claims, Refusal> {
    let Some(text) = params.get("claims") else {
        return Ok(Claims::default());
    };
    let bad = || Refusal::BadParameter {
        name: "claims",
        want: "a JSON object with the members userinfo and id_token",
    };
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|_| bad())?;
    let member = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members.clone()),
        Some(_) => Err(bad()),
    };
    let (userinfo, id_token) = (member("userinfo")?, member("id_token")?);
    Ok(Claims {
        requested: ClaimsRequest { userinfo: known(&userinfo), id_token: known(&id_token) },
        subject: id_token.get("sub").and_then(|sub| Some(sub.get("value")?.as_str()?.to_owned())),
        essential_acr: essential_values(id_token.get("acr")),
    })
}

/// The scope that covers everything in `claims`, for the consent page.
pub(super) fn implied_scope(claims: &ClaimsRequest) -> Option<Scope> {
    let asked = |name: &str| claims.userinfo.iter().chain(&claims.id_token).any(|own| own == name);
    let names: Vec<_> = KNOWN.iter().filter(|(name, _)| asked(name)).map(|(_, s)| *s).collect();
    Scope::parse(&names.join(" ")).ok().filter(|scope| !scope.is_empty())
}

fn known(members: &Map<String, Value>) -> Vec<String> {
    let names = KNOWN.iter().map(|(name, _)| *name);
    names.filter(|name| members.contains_key(*name)).map(ToOwned::to_owned).collect()
}

/// OpenID Connect Core 1.0 §5.5.1.1: an essential `acr` with `value` or `values`.
fn essential_values(acr: Option<&Value>) -> Vec<String> {
    let Some(acr) = acr.filter(|acr| acr.get("essential") == Some(&Value::Bool(true))) else {
        return Vec::new();
    };
    let listed = acr.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
    let all = acr.get("value").into_iter().chain(&listed);
    all.filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Result<Claims, Refusal> {
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("claims", json).finish();
        parse(&Params::parse(body.as_bytes()).expect("encoded"))
    }

    #[test]
    fn known_claims_are_kept_and_unknown_ones_ignored() {
        let read = claims(r#"{"userinfo":{"email":null,"shoe_size":null},"id_token":{"name":{"essential":true}}}"#)
            .expect("valid");
        assert_eq!(read.requested.userinfo, ["email"]);
        assert_eq!(read.requested.id_token, ["name"]);
        let implied = implied_scope(&read.requested).expect("two scopes");
        assert_eq!(implied.as_str(), "profile email");
    }

    #[test]
    fn subject_and_essential_acr_are_read() {
        let read = claims(
            r#"{"id_token":{"sub":{"value":"s"},"acr":{"essential":true,"values":["password"]}}}"#,
        )
        .expect("valid");
        assert_eq!(read.subject.as_deref(), Some("s"));
        assert_eq!(read.essential_acr, ["password"]);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[]", "{", r#"{"userinfo":1}"#, "\"x\""] {
            assert!(claims(text).is_err(), "{text}");
        }
    }
}
