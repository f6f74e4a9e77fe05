//! Rules of `ClientStore`: who may register, and many clients at once.

use std::sync::Arc;

use grantor_core::id::InitialTokenId;
use grantor_core::model::{Client, InitialToken};
use grantor_core::store::{Imported, Registered, Store};
use grantor_core::time::{Seconds, Timestamp};

use super::fixtures::{NOW, after, client, digest, id, initial_token};
use super::tokens::granted;
use super::{count, race, rules};

rules![
    initial_tokens_are_listed_oldest_first_and_removed,
    as_many_register_as_the_token_has_uses,
    a_token_without_a_limit_registers_any_number,
    a_token_that_does_not_work_registers_nobody,
    an_id_that_is_taken_costs_no_use,
    of_many_that_want_one_id_one_registers,
    all_clients_are_imported_or_none,
    an_import_may_replace,
    of_many_imports_of_one_id_one_is_done,
];

async fn added(store: &Arc<dyn Store>, uses: Option<u32>) -> InitialToken {
    let token = initial_token(uses);
    store.add_initial_token(token.clone()).await.expect("add");
    token
}

async fn register(
    store: &Arc<dyn Store>,
    client_id: &str,
    token: &InitialToken,
    now: Timestamp,
) -> Registered {
    let credential = (token.id, token.digest);
    store.register_client(client(client_id), credential, now).await.expect("register")
}

async fn uses_left(store: &Arc<dyn Store>) -> Option<u32> {
    store.initial_tokens().await.expect("list").first().expect("is there").uses_left
}

async fn ids(store: &Arc<dyn Store>) -> Vec<String> {
    let clients = store.clients().await.expect("list");
    clients.into_iter().map(|client| client.client_id).collect()
}

async fn initial_tokens_are_listed_oldest_first_and_removed(store: Arc<dyn Store>) {
    let (first, endless) = (added(&store, Some(3)).await, added(&store, None).await);
    let oldest = InitialToken { created_at: NOW.minus(Seconds(1)), ..initial_token(Some(0)) };
    store.add_initial_token(oldest.clone()).await.expect("add");
    let listed = store.initial_tokens().await.expect("list");
    let mut same_moment = [first.clone(), endless];
    same_moment.sort_by_key(|token| token.id);
    assert_eq!((&listed[..1], &listed[1..]), (&[oldest][..], &same_moment[..]));
    assert!(store.remove_initial_token(first.id).await.expect("remove"));
    assert!(!store.remove_initial_token(first.id).await.expect("again"));
    assert_eq!(register(&store, "a", &first, NOW).await, Registered::NotAllowed);
    assert_eq!(store.initial_tokens().await.expect("list").len(), 2);
}

async fn as_many_register_as_the_token_has_uses(store: Arc<dyn Store>) {
    let token = added(&store, Some(5)).await;
    let registered = race(&store, |store, place| {
        let token = token.clone();
        async move {
            let client_id = format!("client{place}");
            let outcome = register(&store, &client_id, &token, NOW).await;
            (outcome, store.client(&client_id).await.expect("read").is_some())
        }
    });
    let registered = registered.await;
    assert_eq!(count(&registered, |one| *one == (Registered::Done, true)), 5);
    assert_eq!(count(&registered, |one| *one == (Registered::NotAllowed, false)), 27);
    assert_eq!(uses_left(&store).await, Some(0));
}

async fn a_token_without_a_limit_registers_any_number(store: Arc<dyn Store>) {
    let token = added(&store, None).await;
    for client_id in ["a", "b", "c"] {
        assert_eq!(register(&store, client_id, &token, NOW).await, Registered::Done);
    }
    assert_eq!((ids(&store).await.len(), uses_left(&store).await), (3, None));
}

async fn a_token_that_does_not_work_registers_nobody(store: Arc<dyn Store>) {
    let token = added(&store, Some(1)).await;
    let unknown = InitialToken { id: InitialTokenId(id()), ..token.clone() };
    let wrong = InitialToken { digest: digest(), ..token.clone() };
    for (token, now) in [(&unknown, NOW), (&wrong, NOW), (&token, after(600))] {
        assert_eq!(register(&store, "a", token, now).await, Registered::NotAllowed);
    }
    assert_eq!((ids(&store).await.len(), uses_left(&store).await), (0, Some(1)));
    assert_eq!(register(&store, "a", &token, after(599)).await, Registered::Done);
}

async fn an_id_that_is_taken_costs_no_use(store: Arc<dyn Store>) {
    let (token, there) = (added(&store, Some(1)).await, client("a"));
    store.add_client(there.clone()).await.expect("add");
    assert_eq!(register(&store, "a", &token, NOW).await, Registered::Exists);
    assert_eq!(*store.client("a").await.expect("read").expect("is there"), there);
    assert_eq!(uses_left(&store).await, Some(1));
    let wrong = InitialToken { digest: digest(), ..token };
    let told = register(&store, "a", &wrong, NOW).await;
    assert_eq!(told, Registered::NotAllowed, "who may not register learns no ids");
}

async fn of_many_that_want_one_id_one_registers(store: Arc<dyn Store>) {
    let token = added(&store, Some(3)).await;
    let registered = race(&store, |store, _| {
        let token = token.clone();
        async move { register(&store, "a", &token, NOW).await }
    });
    let registered = registered.await;
    assert_eq!(count(&registered, |one| *one == Registered::Done), 1);
    assert_eq!(count(&registered, |one| *one == Registered::Exists), 31);
    assert_eq!(uses_left(&store).await, Some(2));
}

async fn all_clients_are_imported_or_none(store: Arc<dyn Store>) {
    let import =
        |ids: &[&str]| store.import_clients(ids.iter().map(|id| client(id)).collect(), false);
    assert_eq!(import(&[]).await.expect("import"), Imported::Done);
    assert_eq!(import(&["b", "a"]).await.expect("import"), Imported::Done);
    assert_eq!(import(&["c", "d", "a"]).await.expect("import"), Imported::Exists(2));
    assert_eq!(import(&["c", "d", "c", "a"]).await.expect("import"), Imported::Exists(2));
    assert_eq!(ids(&store).await, ["a", "b"]);
}

async fn an_import_may_replace(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let (changed, new) = (Client { client_name: "B".to_owned(), ..client("a") }, client("b"));
    let list = vec![new.clone(), changed.clone()];
    assert_eq!(store.import_clients(list, true).await.expect("import"), Imported::Done);
    assert_eq!(*store.client("a").await.expect("read").expect("is there"), changed);
    assert_eq!(store.clients().await.expect("list"), [changed, new]);
    assert!(held.access_token(&store, NOW).await.is_some(), "what it holds stays");
    let twice = vec![client("c"), client("a"), client("c")];
    assert_eq!(store.import_clients(twice, true).await.expect("import"), Imported::Exists(2));
    assert_eq!(ids(&store).await, ["a", "b"]);
}

async fn of_many_imports_of_one_id_one_is_done(store: Arc<dyn Store>) {
    let imported = race(&store, |store, place| async move {
        let list = vec![client(&format!("own{place}")), client("a")];
        store.import_clients(list, false).await.expect("import")
    });
    let imported = imported.await;
    assert_eq!(count(&imported, |one| *one == Imported::Done), 1);
    assert_eq!(count(&imported, |one| *one == Imported::Exists(1)), 31);
    assert_eq!(ids(&store).await.len(), 2);
}
