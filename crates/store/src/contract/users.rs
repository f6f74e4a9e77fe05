//! Rules of `UserStore`.

use std::sync::Arc;

use grantor_core::id::UserId;
use grantor_core::model::UserStatus;
use grantor_core::store::{Added, Redeemed, Store};

use super::fixtures::{NOW, after, answer, code, id, session, user};
use super::tokens::granted;
use super::{count, race, rules};

rules![
    an_account_is_found_by_id_name_and_address,
    names_and_addresses_are_given_once,
    an_external_subject_is_tied_once,
    of_many_accounts_one_gets_a_subject,
    of_two_that_sign_up_with_one_address_one_does,
    a_new_password_ends_every_session,
    an_address_is_marked_as_proved,
    a_disabled_account_holds_nothing,
];

async fn an_account_is_found_by_id_name_and_address(store: Arc<dyn Store>) {
    let (first, mut second) = (user("ann"), user("bob"));
    (second.username, second.name, second.password) = (None, None, None);
    second.external_subject = None;
    second.created_at = after(1);
    for one in [&second, &first] {
        assert_eq!(store.add_user(one.clone()).await.expect("add"), Added::Done);
        assert_eq!(store.user(one.id).await.expect("read").as_ref(), Some(one));
    }
    let by_name = store.user_by_username("Ann").await.expect("read");
    assert_eq!(by_name.as_ref(), Some(&first));
    let by_email = store.user_by_email("BOB@example.com").await.expect("read");
    assert_eq!(by_email.as_ref(), Some(&second));
    let by_subject = store.user_by_external_subject("crm|ann").await.expect("read");
    assert_eq!(by_subject.as_ref(), Some(&first));
    assert_eq!(store.user_by_external_subject("CRM|ann").await.expect("read"), None);
    assert_eq!(store.users().await.expect("list"), [first, second]);
    assert_eq!(store.user(UserId(id())).await.expect("read"), None);
    assert_eq!(store.user_by_username("bob").await.expect("read"), None);
}

async fn names_and_addresses_are_given_once(store: Arc<dyn Store>) {
    let first = user("ann");
    store.add_user(first.clone()).await.expect("add");
    let (mut same_id, mut same_name, mut same_email) = (user("b"), user("c"), user("d"));
    let mut same_subject = user("e");
    same_subject.external_subject.clone_from(&first.external_subject);
    same_id.id = first.id;
    same_name.username.clone_from(&first.username);
    same_email.email.clone_from(&first.email);
    for taken in [same_id, same_name, same_email, same_subject] {
        assert_eq!(store.add_user(taken).await.expect("add"), Added::Exists);
    }
    assert_eq!(store.users().await.expect("list"), [first]);
    for name in ["e", "f"] {
        let mut nameless = user(name);
        (nameless.username, nameless.email, nameless.external_subject) = (None, None, None);
        assert_eq!(store.add_user(nameless).await.expect("add"), Added::Done);
    }
}

async fn of_two_that_sign_up_with_one_address_one_does(store: Arc<dyn Store>) {
    let added = race(&store, |store, place| async move {
        let mut one = user(&format!("user{place}"));
        one.email = Some("same@example.com".to_owned());
        store.add_user(one).await
    });
    let added = added.await;
    assert_eq!(count(&added, |one| matches!(one, Ok(Added::Done))), 1);
    assert_eq!(count(&added, |one| matches!(one, Ok(Added::Exists))), 31);
}

async fn an_external_subject_is_tied_once(store: Arc<dyn Store>) {
    let (taken, mut free) = (user("ann"), user("bob"));
    free.external_subject = None;
    for one in [&taken, &free] {
        store.add_user(one.clone()).await.expect("add");
    }
    let link = |id, subject, moment| store.link_external_subject(id, subject, after(moment));
    assert!(!link(free.id, "crm|ann", 1).await.expect("link"), "another account has it");
    assert!(!link(taken.id, "crm|new", 1).await.expect("link"), "has one");
    assert!(!link(UserId(id()), "crm|new", 1).await.expect("link"), "nobody");
    assert_eq!(store.user(free.id).await.expect("read").as_ref(), Some(&free));
    assert!(link(free.id, "crm|bob", 2).await.expect("link"));
    assert!(!link(free.id, "crm|bob", 3).await.expect("link"), "once");
    let read = store.user_by_external_subject("crm|bob").await.expect("read").expect("is there");
    assert_eq!((read.id, read.updated_at), (free.id, after(2)));
}

async fn of_many_accounts_one_gets_a_subject(store: Arc<dyn Store>) {
    let linked = race(&store, |store, place| async move {
        let mut one = user(&format!("user{place}"));
        one.external_subject = None;
        store.add_user(one.clone()).await.expect("add");
        store.link_external_subject(one.id, "crm|same", NOW).await.expect("link")
    });
    assert_eq!(count(&linked.await, |linked| *linked), 1);
}

async fn a_new_password_ends_every_session(store: Arc<dyn Store>) {
    let (ann, bob) = (user("ann"), user("bob"));
    let (hers, his) = (session(ann.id), session(bob.id));
    for (user, session) in [(&ann, &hers), (&bob, &his)] {
        store.add_user(user.clone()).await.expect("add");
        store.start_session(session.clone(), None).await.expect("start");
    }
    assert!(store.set_password(ann.id, "$new", after(1)).await.expect("set"));
    assert!(!store.set_password(UserId(id()), "$new", after(1)).await.expect("nobody"));
    let read = store.user(ann.id).await.expect("read").expect("is there");
    assert_eq!((read.password.as_deref(), read.updated_at), (Some("$new"), after(1)));
    assert!(store.session(hers.id, &hers.digest, NOW).await.expect("read").is_none());
    assert!(store.session(his.id, &his.digest, NOW).await.expect("read").is_some());
}

async fn an_address_is_marked_as_proved(store: Arc<dyn Store>) {
    let ann = user("ann");
    store.add_user(ann.clone()).await.expect("add");
    for moment in [after(1), after(2)] {
        store.mark_email_verified(ann.id, moment).await.expect("mark");
        let read = store.user(ann.id).await.expect("read").expect("is there");
        assert_eq!((read.email_verified, read.updated_at), (true, after(1)));
    }
}

async fn a_disabled_account_holds_nothing(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let other = granted(&store, "b", |_| {}).await;
    let (user, open) = (held.user.id, code(held.user.id, "b"));
    let signed_in = session(user);
    store.start_session(signed_in.clone(), None).await.expect("start");
    store.answer_request(answer(open.clone()), None, None, NOW).await.expect("issue");

    let disabled = store.set_user_status(user, UserStatus::Disabled, after(1)).await;
    assert!(disabled.expect("disable"));
    assert!(held.access_token(&store, after(1)).await.is_none());
    assert!(other.access_token(&store, after(1)).await.is_some(), "another person's");
    let ended = store.session(signed_in.id, &signed_in.digest, after(1)).await.expect("read");
    assert!(ended.is_none());
    let redeemed = store.redeem_code(open.id, &open.digest, held.issue_again(), after(1)).await;
    assert_eq!(redeemed.expect("redeem"), Redeemed::Gone);
    let view = store.family(held.family.id).await.expect("read").expect("is kept");
    assert_eq!(view.user.map(|user| user.status), Some(UserStatus::Disabled));
    assert_eq!(view.family.revoked_at, Some(after(1)));

    assert!(store.set_user_status(user, UserStatus::Active, after(2)).await.expect("enable"));
    assert!(held.access_token(&store, after(2)).await.is_none(), "stays revoked");
    let nobody = store.set_user_status(UserId(id()), UserStatus::Disabled, NOW).await;
    assert!(!nobody.expect("nobody"));
}
