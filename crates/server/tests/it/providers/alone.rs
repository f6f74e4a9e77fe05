//! Integrations that act for themselves, without a person: RFC 6749 §4.4.

use serde_json::{Value, json};

use super::description::{Place, led, names_with};
use super::story::{lives, text};
use super::world::{CLIENT, SECRET, World, client_of, place};

/// A provider that has it: name, stand-in, variables, what is granted, how long a token lives.
type Own = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    Option<u32>,
);

const TENANT: &[(&str, &str)] = &[("tenant", "7b29111d-0000-4000-8000-00000000000b")];
const PLAIN: &[(&str, &str)] =
    &[("authorize_url", "{base}/plain/authorize"), ("token_url", "{base}/plain/token")];

const OWN: [Own; 11] = [
    ("discord", "discord", &[], "identify", Some(604_800)),
    ("facebook", "facebook", &[], "", Some(5_184_000)),
    ("linear", "linear", &[], "read", Some(2_591_999)),
    ("linkedin", "linkedin", &[], "", Some(1_800)),
    ("microsoft", "microsoft", TENANT, ".default", Some(3_599)),
    ("oauth2", "plain", PLAIN, "", Some(3_600)),
    ("oidc", "xero", &[("issuer", "{base}/xero/identity.xero.com")], "", Some(1_800)),
    ("salesforce", "salesforce", &[("login", "acme.my.salesforce.com")], "", Some(3_600)),
    ("spotify", "spotify", &[], "", Some(3_600)),
    ("xero", "xero", &[], "", Some(1_800)),
    ("zendesk", "zendesk", &[("subdomain", "acme")], "read", Some(172_800)),
];

#[test]
fn every_description_that_can_act_for_itself_is_told_of() {
    let own: Vec<&str> = OWN.iter().map(|own| own.0).collect();
    assert_eq!(names_with("client_credentials"), own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_gets_tokens_for_itself() {
    let others = |base: &str| {
        let own = OWN.map(|(name, stand_in, variables, ..)| {
            let mut settings = client_of(CLIENT, SECRET, variables, base);
            settings.insert("grant".into(), "client_credentials".into());
            (name.to_owned(), led(name, &place(stand_in, base, "")), settings)
        });
        own.to_vec()
    };
    let world = World::start(&[], &others).await;
    for own in OWN {
        serves(&world, own).await;
    }
}

/// The first token is made when it is asked for, kept, and replaced; a wrong secret pauses.
async fn serves(world: &World, (name, stand_in, _, scope, life): Own) {
    let place = world.place(stand_in);
    let before = calls(&place).await;
    let body = json!({"integration": name});
    let first = world.post("/oauth/token", &body).await;
    assert_eq!(first.status, 200, "{name}: {first:?}");
    let first = first.json();
    assert_eq!(first["account"], json!({"sub": CLIENT}), "{name}");
    assert_eq!(first["scope"], scope, "{name}");
    lives(&first, life);
    let again = world.post("/oauth/token", &body).await.json();
    assert_eq!(text(&again, "access_token"), text(&first, "access_token"), "{name}");
    let new = world.post("/oauth/refresh", &body).await.json();
    assert_eq!(new["refreshed"], true, "{name}: {new}");
    assert_ne!(text(&new, "access_token"), text(&first, "access_token"), "{name}");
    assert_eq!(calls(&place).await, before + 2, "{name}");

    let path = format!("clients/{CLIENT}");
    place.control("PATCH", &path, &json!({"secret": "a-secret-of-others"})).await;
    let kept = world.post("/oauth/refresh", &body).await;
    assert_eq!(kept.status, 200, "{name}: {kept:?}");
    let kept = kept.json();
    assert_eq!(text(&kept, "access_token"), text(&new, "access_token"), "{name}");
    assert_eq!(kept["warning"]["reason"], "client_broken", "{name}: {kept}");
    place.control("PATCH", &path, &json!({"secret": SECRET})).await;
}

/// How often tokens were asked for by the client itself.
async fn calls(place: &Place) -> u64 {
    let counts = place.control("GET", "counts", &Value::Null).await;
    counts["grant_types"]["client_credentials"]["calls"].as_u64().unwrap_or(0)
}
