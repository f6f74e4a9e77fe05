//! The provider's ID token: OpenID Connect Core 1.0 §3.1.3.7.

use serde_json::{Map, Value};

use super::stop::Stop;
use crate::jose::{Algorithm, JoseError, Peeked, half_hash, parse_object_strict, verify_compact};
use crate::key_sets::KeySets;
use crate::outbound::Outbound;
use crate::time::{Seconds, Timestamp};
use crate::vault::provider::IdTokenRules;

/// How far the provider's clock may be off.
const LEEWAY: Seconds = Seconds::minutes(1);
/// Characters of a `sub`: OpenID Connect Core 1.0 §2.
const LONGEST_SUB: usize = 255;

/// What a good ID token of the provider looks like.
pub struct ExpectedIdToken<'a> {
    /// The nonce that was sent; `None` when the provider puts none into its tokens.
    pub nonce: Option<&'a str>,
    /// Our client id.
    pub client_id: &'a str,
    /// The access token that came with it.
    pub access_token: &'a str,
}

impl ExpectedIdToken<'_> {
    /// The claims of `token`, if all of it holds.
    pub async fn verify(
        &self,
        keys: &KeySets,
        outbound: &dyn Outbound,
        provider: &IdTokenRules,
        token: &str,
        now: Timestamp,
    ) -> Result<Value, Stop> {
        let kid =
            Peeked::into(token).ok().and_then(|own| text(&own.header, "kid").map(String::from));
        let fetched = keys.at(outbound, &provider.jwks_uri, kid.as_deref(), now);
        let set = fetched.await.map_err(|_| Stop::Away)?;
        // OpenID Connect Core 1.0 §3.1.3.7, rule 6: the signature must be one of the issuer's keys.
        let verified = verify_compact(token, &set.keys, &provider.algorithms);
        let verified = verified.map_err(|error| unsigned(&error))?;
        let claims = parse_object_strict(&verified.payload).map_err(|error| unsigned(&error))?;
        self.check(verified.header.alg, &claims, now)?;
        let claims = Value::Object(claims);
        // Rule 2: iss must be the issuer of the provider.
        refuse(!provider.accepts_issuer(&claims), "the ID token has another issuer")?;
        Ok(claims)
    }

    fn check(
        &self,
        algorithm: Algorithm,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Stop> {
        self.check_audience(claims)?;
        // Rule 9: exp must not have passed.
        let exp = moment(claims, "exp");
        refuse(exp.is_none_or(|exp| exp.plus(LEEWAY) <= now), "the ID token has expired")?;
        // Rule 10: one that was made far from now is refused.
        let iat = moment(claims, "iat");
        refuse(iat.is_none_or(|iat| iat > now.plus(LEEWAY)), "the ID token is from the future")?;
        // Rule 11: the nonce must be the one that was sent.
        let nonce = text(claims, "nonce");
        let fits = self.nonce.is_none_or(|own| nonce == Some(own));
        refuse(!fits, "the ID token has another nonce")?;
        self.check_access_token(claims, algorithm)?;
        // OpenID Connect Core 1.0 §2: sub is there, and has at most 255 characters.
        let sub = text(claims, "sub").unwrap_or_default();
        let named = (1..=LONGEST_SUB).contains(&sub.chars().count());
        refuse(!named, "the ID token has no usable sub")
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), Stop> {
        // Rule 3: aud must have our client id, and no audience that is not trusted.
        let single = match claims.get("aud") {
            Some(Value::String(one)) => one == self.client_id,
            Some(Value::Array(all)) => all.len() == 1 && all[0] == self.client_id,
            Some(_) | None => false,
        };
        refuse(!single, "the ID token is for another client")?;
        // Rule 5: azp, when there, must be our client id.
        let other = claims.get("azp").is_some_and(|azp| azp != self.client_id);
        refuse(other, "the ID token was issued to another client")
    }

    fn check_access_token(
        &self,
        claims: &Map<String, Value>,
        algorithm: Algorithm,
    ) -> Result<(), Stop> {
        // OpenID Connect Core 1.0 §3.1.3.8: at_hash, when there, must be that of the access token.
        let other = claims
            .get("at_hash")
            .is_some_and(|hash| *hash != half_hash(algorithm, self.access_token).as_str());
        refuse(other, "the ID token belongs to another access token")
    }
}

fn refuse(wrong: bool, why: &'static str) -> Result<(), Stop> {
    if wrong { Err(Stop::Untrusted(why.to_owned())) } else { Ok(()) }
}

fn unsigned(error: &JoseError) -> Stop {
    Stop::Untrusted(format!("the ID token: {error}"))
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}

/// RFC 7519 §2: a NumericDate may have a fraction.
fn moment(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let value = claims.get(name)?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let whole = |seconds: f64| (seconds.abs() < 1e15).then_some(seconds.floor() as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(whole)).map(Timestamp::from_epoch)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);

    const RULES: ExpectedIdToken<'_> =
        ExpectedIdToken { nonce: Some("n-1"), client_id: "our-client", access_token: "at-1" };

    /// A good token with one claim changed, or taken out.
    fn check(name: &str, value: Value) -> Result<(), Stop> {
        let mut claims = json!({
            "aud": "our-client", "azp": "our-client", "sub": "1234", "nonce": "n-1",
            "exp": NOW.epoch() + 3_600, "iat": NOW.epoch(),
            "at_hash": half_hash(Algorithm::Rs256, "at-1"),
        });
        let members = claims.as_object_mut().expect("an object");
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.to_owned(), value)),
        }
        RULES.check(Algorithm::Rs256, members, NOW)
    }

    #[test]
    fn a_good_token_is_taken() {
        assert_eq!(check("name", json!("Ada")), Ok(()));
        assert_eq!(check("aud", json!(["our-client"])), Ok(()));
    }

    #[test]
    fn what_may_be_missing_may_be_missing_and_nothing_else() {
        for name in ["azp", "at_hash"] {
            assert_eq!(check(name, Value::Null), Ok(()), "{name}");
        }
        for name in ["aud", "sub", "exp", "iat", "nonce"] {
            assert!(check(name, Value::Null).is_err(), "{name}");
        }
    }

    #[test]
    fn every_claim_must_be_right() {
        for (name, bad) in [
            ("aud", json!("other-client")),
            ("aud", json!(["our-client", "other-client"])),
            ("aud", json!([])),
            ("aud", json!({"a": "our-client"})),
            ("azp", json!("other-client")),
            ("azp", json!(["our-client"])),
            ("exp", json!(NOW.epoch() - 60)),
            ("exp", json!("1800003600")),
            ("exp", json!(1e300)),
            ("iat", json!(NOW.epoch() + 61)),
            ("nonce", json!("n-2")),
            ("nonce", json!("")),
            ("at_hash", json!(half_hash(Algorithm::Rs256, "at-2"))),
            ("at_hash", json!(7)),
            ("sub", json!("")),
            ("sub", json!(1234)),
            ("sub", json!("x".repeat(256))),
        ] {
            assert!(matches!(check(name, bad.clone()), Err(Stop::Untrusted(_))), "{name}: {bad}");
        }
    }

    #[test]
    fn a_provider_without_nonces_is_not_asked_for_one() {
        let claims = json!({
            "aud": "our-client", "sub": "1", "exp": NOW.epoch() + 1, "iat": NOW.epoch(),
        });
        let claims = claims.as_object().expect("an object");
        let check = |rules: ExpectedIdToken<'_>| rules.check(Algorithm::Rs256, claims, NOW);
        assert!(check(RULES).is_err());
        assert!(check(ExpectedIdToken { nonce: None, ..RULES }).is_ok());
    }
}
