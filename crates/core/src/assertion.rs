//! What makes an assertion good once its signature is: RFC 7521 §5.2, RFC 7523 §3.
//!
//! The same rules hold for an assertion that authenticates a client and for one that is a grant.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::jose::{JoseError, JwkSet, Peeked, parse_object_strict};
use crate::key_sets::KeySets;
use crate::outbound::Outbound;
use crate::secret::Digest;
use crate::store::{Once, OnceStore, StoreError};
use crate::time::{Seconds, Timestamp};

/// How far the clocks of others may be off.
const LEEWAY: Seconds = Seconds(30);

/// How far ahead an assertion may expire. It is made for one request, but there are libraries that
/// let it live an hour and cannot be told otherwise.
const LIFETIME: Seconds = Seconds::hours(1);

/// Characters of a `jti` at most.
const LONGEST_ID: usize = 200;

/// What is wrong with an assertion; reads on after "The assertion". Whether a client or an account
/// exists never follows from it.
pub(crate) type Flaw = &'static str;

/// It cannot be read, or its signature does not hold; one text for both, and for keys that are away.
pub(crate) const NOT_SIGNED: Flaw =
    "does not verify: sign it with a registered key and name that key as kid";

/// What every assertion says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Who made it.
    pub(crate) issuer: String,
    /// Whom it is about.
    pub(crate) subject: String,
    /// Its one name.
    pub(crate) id: String,
    /// Until when it could be shown again, the leeway included.
    pub(crate) until: Timestamp,
}

/// What an assertion must fit.
pub(crate) struct Expected<'a> {
    /// This server.
    pub(crate) audience: &'a str,
    /// The media type that it may have beside `JWT`.
    pub(crate) typ: &'static str,
}

impl Expected<'_> {
    /// The claims in `payload`, if all that can be checked without a store is right.
    pub(crate) fn check(
        &self,
        typ: Option<&str>,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Claims, Flaw> {
        self.check_type(typ)?;
        let claims = parse_object_strict(payload).map_err(|_| "has claims that are not JSON")?;
        // RFC 7523 §3: iss and sub must be there.
        let issuer = text(&claims, "iss").ok_or("has no claim iss")?;
        let subject = text(&claims, "sub").ok_or("has no claim sub")?;
        self.check_audience(claims.get("aud"))?;
        let until = self.check_times(&claims, now)?;
        // RFC 7523 §3: jti may be there; a server that wants assertions used once needs it.
        let id =
            text(&claims, "jti").ok_or("has no claim jti: give each assertion one of its own")?;
        if id.chars().count() > LONGEST_ID {
            return Err("has a jti of more than 200 characters");
        }
        Ok(Claims {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            id: id.to_owned(),
            until,
        })
    }

    /// A token that was made for something else (an access token, a logout token) says so.
    fn check_type(&self, typ: Option<&str>) -> Result<(), Flaw> {
        // RFC 8725 §3.11: explicit types keep one kind of JWT from being taken for another.
        let Some(typ) = typ else {
            return Ok(());
        };
        let short = typ.strip_prefix("application/").unwrap_or(typ);
        let fits = ["jwt", self.typ].iter().any(|own| short.eq_ignore_ascii_case(own));
        if fits { Ok(()) } else { Err("has a typ of another kind of token") }
    }

    /// An assertion for several servers could be passed on from one of them to another. The URL of
    /// an endpoint would do for that too: a server that wants to pose as this one publishes it as
    /// its own.
    fn check_audience(&self, audience: Option<&Value>) -> Result<(), Flaw> {
        // RFC 7523 §3: aud must name this server; here by nothing but its issuer.
        let only = match audience {
            Some(Value::Array(all)) if all.len() == 1 => all.first(),
            other => other,
        };
        match only {
            Some(Value::String(aud)) if aud == self.audience => Ok(()),
            _ => Err("has another audience: aud must be the issuer of this server, alone"),
        }
    }

    fn check_times(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Flaw> {
        // RFC 7523 §3: exp must be there and not have passed.
        let expires_at = moment(claims, "exp")?.ok_or("has no claim exp")?;
        let until = expires_at.plus(LEEWAY);
        if until <= now {
            return Err("has expired");
        }
        // RFC 7523 §3: an exp unreasonably far ahead may be refused.
        if expires_at > now.plus(LIFETIME).plus(LEEWAY) {
            return Err("expires too far ahead");
        }
        // RFC 7523 §3: nbf, when there, must have come.
        if moment(claims, "nbf")?.is_some_and(|begins| begins > now.plus(LEEWAY)) {
            return Err("is not valid yet: look at the clock");
        }
        if moment(claims, "iat")?.is_some_and(|made| made > now.plus(LEEWAY)) {
            return Err("was made in the future: look at the clock");
        }
        Ok(until)
    }
}

impl Claims {
    /// Spends the assertion, once every other rule holds.
    pub(crate) async fn spend(
        &self,
        store: &(impl OnceStore + ?Sized),
        kind: Once,
        now: Timestamp,
    ) -> Result<Result<(), Flaw>, StoreError> {
        let domain = match kind {
            Once::ClientAssertion => "client assertion",
            Once::GrantAssertion => "grant assertion",
        };
        let digest = Digest::of(domain, &[self.issuer.as_bytes(), self.id.as_bytes()]);
        // RFC 7523 §3: a jti that was used before is a replay.
        let first = store.first_use(kind, &digest, self.until, now).await?;
        Ok(first.then_some(()).ok_or("was used before: make a new one with its own jti"))
    }
}

/// Where the keys of whoever signed an assertion are.
pub(crate) enum KeySource<'a> {
    /// Here.
    Set(&'a Value),
    /// At an address.
    Uri(&'a str),
}

impl KeySource<'_> {
    /// The keys, with the one that `token` names if there is such a key; none when they are away.
    pub(crate) async fn keys_for(
        &self,
        token: &str,
        sets: &KeySets,
        outbound: &dyn Outbound,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, Flaw> {
        match self {
            Self::Set(set) => Ok(JwkSet::parse(set).unwrap_or_default().into()),
            Self::Uri(uri) => {
                let peeked = Peeked::into(token).ok();
                let kid = peeked.as_ref().and_then(|peeked| text(&peeked.header, "kid"));
                let set = sets.at(outbound, uri, kid, now).await;
                set.map_err(|_| "cannot be verified: the keys at jwks_uri do not arrive")
            }
        }
    }
}

/// The claim that names whoever says to have made `token`, before anything is verified.
pub(crate) fn claimed_issuer(token: &str) -> Result<String, Flaw> {
    let peeked = Peeked::into(token).map_err(|error| match error {
        JoseError::Critical => "has critical header members, and none is supported",
        _ => "is not a signed JWT in compact form",
    })?;
    text(&peeked.claims, "iss").map(ToOwned::to_owned).ok_or("has no claim iss")
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// RFC 7519 §2: a NumericDate may have a fraction.
fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Flaw> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let whole = |seconds: f64| (seconds.abs() < 1e15).then_some(seconds.floor() as i64);
    let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole));
    seconds
        .map(|seconds| Some(Timestamp::from_epoch(seconds)))
        .ok_or("has a time that is no number")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);
    const EXPECTED: Expected<'_> =
        Expected { audience: "https://login.example", typ: "client-authentication+jwt" };

    /// A good assertion with one claim changed, or taken out.
    fn check(name: &str, value: Value) -> Result<Claims, Flaw> {
        let mut claims = json!({
            "iss": "app", "sub": "app", "aud": "https://login.example",
            "exp": NOW.epoch() + 300, "iat": NOW.epoch(), "jti": "1",
        });
        let members = claims.as_object_mut().expect("an object");
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.to_owned(), value)),
        }
        EXPECTED.check(Some("JWT"), claims.to_string().as_bytes(), NOW)
    }

    #[test]
    fn a_good_assertion_is_good_until_it_expires() {
        let claims = check("nbf", json!(NOW.epoch())).expect("good");
        assert_eq!((claims.issuer.as_str(), claims.id.as_str()), ("app", "1"));
        assert_eq!(claims.until, NOW.plus(Seconds(330)));
    }

    #[test]
    fn every_claim_is_needed() {
        for name in ["iss", "sub", "aud", "exp", "jti"] {
            let flaw = check(name, Value::Null).expect_err(name);
            assert!(flaw.contains(name), "{flaw}");
            assert!(check(name, json!("")).is_err(), "{name}");
            assert!(check(name, json!(["x"])).is_err(), "{name}");
        }
        assert!(check("iat", Value::Null).is_ok());
        assert!(check("jti", json!("ä".repeat(200))).is_ok());
        assert!(check("jti", json!("ä".repeat(201))).is_err());
    }

    #[test]
    fn the_audience_is_the_issuer_and_nothing_else() {
        let own = EXPECTED.audience;
        assert!(check("aud", json!([own])).is_ok());
        for other in [
            json!("https://login.example/"),
            json!("https://login.example/token"),
            json!("https://other.example"),
            json!([own, "https://other.example"]),
            json!([own, own]),
            json!([[own]]),
            json!([]),
            json!({"a": own}),
            json!(7),
        ] {
            assert!(check("aud", other.clone()).is_err(), "{other}");
        }
    }

    #[test]
    fn times_have_half_a_minute_of_leeway() {
        let at = |name, ahead: i64| check(name, json!(NOW.epoch() + ahead));
        assert!(at("exp", -29).is_ok());
        assert_eq!(at("exp", -30), Err("has expired"));
        assert!(at("exp", 3630).is_ok());
        assert_eq!(at("exp", 3631), Err("expires too far ahead"));
        for name in ["nbf", "iat"] {
            assert!(at(name, 30).is_ok());
            assert!(at(name, 31).is_err());
        }
        assert!(check("exp", json!(1_800_000_300.75)).is_ok());
        for odd in [json!("1800000300"), json!(1e300), json!(true), json!(-1e300), json!([1])] {
            assert!(check("exp", odd.clone()).is_err(), "{odd}");
            assert!(check("nbf", odd.clone()).is_err(), "{odd}");
        }
    }

    #[test]
    fn tokens_of_another_kind_are_refused() {
        let with = |typ| EXPECTED.check(typ, br#"{"iss":"a"}"#, NOW).expect_err("no sub");
        let other = "has a typ of another kind of token";
        for typ in ["JWT", "jwt", "application/jwt", "client-authentication+jwt"] {
            assert_ne!(with(Some(typ)), other, "{typ}");
        }
        for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "authorization-grant+jwt", ""] {
            assert_eq!(with(Some(typ)), other, "{typ}");
        }
        assert_ne!(with(None), other);
    }

    #[test]
    fn the_issuer_is_read_before_anything_is_verified() {
        assert_eq!(claimed_issuer("e30.eyJpc3MiOiJhcHAifQ.AA"), Ok("app".to_owned()));
        for token in ["", "a.b.c", "e30.e30.", "e30.eyJpc3MiOjd9.AA", "eyJjcml0IjpbXX0.e30.AA"] {
            assert!(claimed_issuer(token).is_err(), "{token}");
        }
    }
}
