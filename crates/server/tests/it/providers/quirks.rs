//! Providers that nobody has described: an operator's file for each quirk, on top of `oauth2`.

use serde_json::{Value, json};
use standins::rotating::{Again, Client, Config};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::description::Place;
use super::story::{lives, text};
use super::world::{CLIENT, SECRET, World, client_of};
use crate::support::connect::RETURN_URL;

/// A quirk: its name, how the stand-in has it, what the operator writes for it, and how long tokens
/// then live.
type Quirk = (&'static str, fn(Config) -> Config, &'static str, u32);

const QUIRKS: [Quirk; 7] = [
    ("none", |plain| plain, "", 3_600),
    ("nested", |plain| Config { nested: true, ..plain }, NESTED, 3_600),
    (
        "form",
        |plain| Config { form_encoded: true, ..plain },
        "[response]\nformat = \"form\"\n",
        3_600,
    ),
    (
        "errors",
        |plain| Config { errors_are_200: true, basic_only: true, ..plain },
        "[token]\nauth = \"basic\"\n",
        3_600,
    ),
    (
        "silent",
        |plain| Config { no_expires_in: true, ends_access: true, ..plain },
        "[response]\nexpires_default = \"20m\"\n",
        1_200,
    ),
    (
        "forgiving",
        |plain| Config { grace: 60, again: Again::NewTokens, ..plain },
        "[token]\nauth = \"post\"\n",
        3_600,
    ),
    (
        "all",
        |plain| Config {
            nested: true,
            errors_are_200: true,
            no_expires_in: true,
            basic_only: true,
            ..plain
        },
        NESTED,
        1_200,
    ),
];

const NESTED: &str = "[response]\nroot = [\"/data\"]\nexpires_default = \"20m\"\n\
    errors.code = [\"/data/error\"]\nerrors.description = [\"/data/error_description\"]\n";

/// The account is known by the userinfo endpoint, and grants are given back.
const REST: &str = "[identity]\nfrom = \"call\"\nurl = \"{base}/userinfo\"\nsub = [\"/sub\"]\n\
    email = [\"/email\"]\n[revoke]\nurl = \"{base}/revoke\"\nparameter = \"token\"\n";

/// A stand-in with a quirk.
struct Odd {
    place: Place,
    _stop: oneshot::Sender<()>,
}

impl Odd {
    async fn start(quirk: fn(Config) -> Config) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let client =
            Client { id: CLIENT.to_owned(), secret: SECRET.to_owned(), redirect_uris: Vec::new() };
        let config = quirk(Config { client, ..Config::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            standins::rotating::serve(config, vec![listener], stopped).await.expect("it serves");
        });
        Self { place: Place::ByHost(base), _stop: stop }
    }

    fn description(&self, own: &str) -> String {
        let base = self.place.base();
        let mut tree: toml::Table =
            format!("{own}{}", REST.replace("{base}", base)).parse().expect("TOML");
        for (block, path) in [("authorize", "authorize"), ("token", "token")] {
            let entry = tree.entry(block).or_insert_with(|| toml::Table::new().into());
            let entry = entry.as_table_mut().expect("a table");
            entry.insert("url".into(), format!("{base}/{path}").into());
        }
        tree.insert("extends".into(), "oauth2".into());
        tree.insert("variables".into(), false.into());
        toml::to_string(&tree).expect("TOML")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_quirk_can_be_described() {
    let mut odd = Vec::new();
    for (_, quirk, ..) in QUIRKS {
        odd.push(Odd::start(quirk).await);
    }
    let others = |base: &str| {
        let files = QUIRKS.iter().zip(&odd).map(|((name, _, text, _), own)| {
            let mut settings = client_of(CLIENT, SECRET, &[], base);
            settings.insert("scopes".into(), vec!["read"].into());
            ((*name).to_owned(), own.description(text), settings)
        });
        files.collect()
    };
    let world = World::start(&[], &others).await;
    for (quirk, own) in QUIRKS.into_iter().zip(&odd) {
        tell(&world, quirk, &own.place).await;
    }
}

async fn tell(world: &World, (name, _, _, life): Quirk, place: &Place) {
    let session =
        |subject| json!({"integration": name, "subject": subject, "return_url": RETURN_URL});
    let ada = world.connect(place, &session("ada"), "ada").await;
    assert_eq!(ada["account"]["email"], "ada@example.com", "{name}");
    assert_eq!((&ada["scope"], &ada["refreshable"]), (&json!("read"), &json!(true)), "{name}");
    let id = text(&ada, "connection_id");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let page = world.post("/oauth/refresh", &json!({"connection_id": id})).await;
        assert_eq!(page.status, 200, "{name}: {page:?}");
        let told = page.json();
        assert_eq!((&told["refreshed"], &told["warning"]), (&json!(true), &Value::Null), "{name}");
        lives(&told, Some(life));
        seen.push(text(&told, "access_token"));
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{name}");

    let grace = world.connect(place, &session("grace"), "grace").await;
    place.control("POST", "revoke", &json!({"account": "grace"})).await;
    let body = json!({"connection_id": grace["connection_id"]});
    let page = world.post("/oauth/refresh", &body).await;
    assert_eq!((page.status, &page.json()["reason"]), (409, &json!("grant_dead")), "{name}");

    let page = world.api("DELETE", &format!("/connections/{id}")).await;
    let wanted = json!({"status": "disconnected", "provider": "revoked"});
    assert_eq!((page.status, page.json()), (200, wanted), "{name}");
    let left = place.control("GET", "grants", &Value::Null).await;
    assert!(!left.to_string().contains("read"), "{name}: {left}");

    let path = format!("clients/{CLIENT}");
    place.control("PATCH", &path, &json!({"secret": "a-secret-of-others"})).await;
    let page = world.walk(place, &session("late"), "ada").await;
    assert_eq!(page.status, 502, "{name}: {page:?}");
    place.control("PATCH", &path, &json!({"secret": SECRET})).await;
}
