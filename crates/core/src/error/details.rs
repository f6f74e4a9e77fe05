//! What an error answer of the vault tells besides code and text, so that a program can go on by
//! itself.

use std::fmt;

use serde::Serialize;

use crate::id::ConnectionId;
use crate::model::{Account, Scope};
use crate::time::{Seconds, Timestamp};

/// Members of an error answer. What is not there is left out.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Where a person repairs it: a connect session that was made for this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_url: Option<String>,
    /// The scopes that were asked for and are not granted.
    #[serde(skip_serializing_if = "Scope::is_empty", serialize_with = "names")]
    pub missing_scopes: Scope,
    /// The connections that fit, when one has to be chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Choice>,
    /// The class of reason, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The provider's finer code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_subtype: Option<String>,
    /// Since when it is so.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "moment")]
    pub since: Option<Timestamp>,
    /// When to ask again; also in the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Seconds>,
}

/// One of several connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What to ask for.
    #[serde(serialize_with = "shown")]
    pub connection_id: ConnectionId,
    /// Through which integration.
    pub integration: String,
    /// For whom.
    pub subject: String,
    /// Whose.
    pub account: Account,
}

impl fmt::Debug for Details {
    /// Without the link, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Details({:?}, {:?})", self.reason, self.error_subtype)
    }
}

#[expect(clippy::ref_option, reason = "the form that serde wants")]
fn moment<S: serde::Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&at.unwrap_or_default().rfc3339())
}

fn names<S: serde::Serializer>(scope: &Scope, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(scope.iter())
}

fn shown<S: serde::Serializer>(id: &ConnectionId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&id.shown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_left_out_and_the_link_is_not_shown() {
        assert_eq!(serde_json::to_string(&Details::default()).expect("writes"), "{}");
        let details = Details {
            connect_url: Some("https://a.example/connect/grt_cl_x".to_owned()),
            missing_scopes: Scope::parse("a b").expect("a scope"),
            reason: Some("grant_dead"),
            since: Some(Timestamp::from_epoch(1_800_000_000)),
            retry_after: Some(Seconds(30)),
            ..Details::default()
        };
        let text = serde_json::to_string(&details).expect("writes");
        let link = "\"connect_url\":\"https://a.example/connect/grt_cl_x\"";
        let rest = "\"missing_scopes\":[\"a\",\"b\"],\"reason\":\"grant_dead\",\
                    \"since\":\"2027-01-15T08:00:00Z\",\"retry_after\":30";
        assert_eq!(text, format!("{{{link},{rest}}}"));
        assert!(!format!("{details:?}").contains("grt_cl_"));
    }
}
