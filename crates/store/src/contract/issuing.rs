//! Rules of `TokenStore`: issuing without a code, and revoking.

use std::sync::Arc;

use grantor_core::id::AccessTokenId;
use grantor_core::model::{AccessToken, Exchanged, Family, OnNewToken, Refresh};
use grantor_core::store::{
    Answer, Answered, Issued, JwtView, Renewal, Rotated, Rotation, Spent, Store,
};
use grantor_core::time::Timestamp;

use super::fixtures::{
    NOW, access, after, answer, client, code, consent, digest, family, id, issued, own_access,
    own_family, renewal, resources, user,
};
use super::tokens::{granted, rotation};
use super::{race, rules};

rules![
    a_client_holds_tokens_for_itself,
    issuing_remembers_the_consent,
    new_tokens_end_the_earlier_ones_of_the_same_client_and_person_only,
    a_code_may_end_earlier_tokens,
    tokens_may_come_with_a_code_or_alone,
    of_many_that_replace_each_other_one_family_lives,
    an_access_token_needs_no_family,
    one_more_access_token_ends_with_its_family,
    what_was_exchanged_for_a_token_ends_with_it,
    an_access_token_without_the_family_it_names_is_none,
    a_jwt_is_known_by_what_was_revoked,
    a_sole_access_token_ends_those_before_it,
    a_sole_access_token_stays_one_of_a_kind,
    a_refresh_token_that_is_reused_has_a_sole_access_token_too,
];

async fn works(store: &Arc<dyn Store>, access: &AccessToken, now: Timestamp) -> bool {
    store.access_token(access.id, &access.digest, now).await.expect("read").is_some()
}

fn token(issued: &Issued) -> &AccessToken {
    issued.access.as_ref().expect("is opaque")
}

async fn alive(store: &Arc<dyn Store>, issued: &Issued) -> bool {
    let view = store.family(issued.family.id).await.expect("read").expect("is kept");
    let alive = view.family.revoked_at.is_none();
    assert_eq!(works(store, token(issued), NOW).await, alive, "family and token disagree");
    alive
}

async fn issue(store: &Arc<dyn Store>, family: Family, previous: OnNewToken) -> Issued {
    let issued = Issued { previous, ..issued(family) };
    store.issue_tokens(issued.clone(), None, NOW).await.expect("issue");
    issued
}

async fn a_client_holds_tokens_for_itself(store: Arc<dyn Store>) {
    let mut own = own_family("a");
    own.refresh.iter_mut().for_each(|refresh| refresh.uses_left = Some(5));
    let issued = issue(&store, own, OnNewToken::Keep).await;
    let view = store.family(issued.family.id).await.expect("read").expect("is there");
    assert_eq!((&view.family, view.user, view.consent), (&issued.family, None, None));
    let access = token(&issued);
    let view = store.access_token(access.id, &access.digest, NOW).await.expect("read");
    let view = view.expect("works");
    assert_eq!((&view.token, view.family, view.user), (access, Some(issued.family.clone()), None));

    let Refresh { current, .. } = issued.family.refresh.expect("has one");
    let next = renewal(&issued.family);
    let spent = store.spend_refresh_use(issued.family.id, &current, next, NOW).await;
    assert_eq!(spent.expect("spend"), Spent::Done { left: Some(4) });
}

async fn issuing_remembers_the_consent(store: Arc<dyn Store>) {
    let ann = user("ann");
    store.add_user(ann.clone()).await.expect("add");
    for (names, all) in [("read", "read"), ("openid", "read openid")] {
        let given = consent(ann.id, "a", names);
        let made = issued(family(ann.id, "a"));
        store.issue_tokens(made.clone(), Some(given), NOW).await.expect("issue");
        let view = store.family(made.family.id).await.expect("read").expect("is there");
        assert_eq!(view.consent, Some(consent(ann.id, "a", all)));
        assert_eq!(view.user.as_ref(), Some(&ann));
        assert!(alive(&store, &made).await);
    }
}

async fn new_tokens_end_the_earlier_ones_of_the_same_client_and_person_only(store: Arc<dyn Store>) {
    let (ann, bob) = (user("ann").id, user("bob").id);
    let families = || [family(ann, "a"), family(bob, "a"), family(ann, "b"), own_family("a")];
    let mut kept = Vec::new();
    for one in families() {
        kept.push(issue(&store, one, OnNewToken::Keep).await);
    }
    for (place, one) in families().into_iter().enumerate() {
        let same = issue(&store, one.clone(), OnNewToken::Keep).await;
        assert!(alive(&store, &kept[place]).await && alive(&store, &same).await, "kept");
        let fresh = Family { id: family(ann, "a").id, ..one };
        let new = issue(&store, fresh, OnNewToken::RevokePrevious).await;
        assert!(!alive(&store, &kept[place]).await && !alive(&store, &same).await, "revoked");
        assert!(alive(&store, &new).await);
        for later in &kept[place + 1..] {
            assert!(alive(&store, later).await, "another client's or person's");
        }
        kept[place] = new;
        for earlier in &kept[..place] {
            assert!(alive(&store, earlier).await, "another client's or person's");
        }
    }
}

async fn a_code_may_end_earlier_tokens(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let code = code(held.user.id, "a");
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    assert!(held.access_token(&store, NOW).await.is_some());
    let with = Issued { previous: OnNewToken::RevokePrevious, ..held.issue_again() };
    store.redeem_code(code.id, &code.digest, with.clone(), NOW).await.expect("redeem");
    assert!(held.access_token(&store, NOW).await.is_none());
    assert!(alive(&store, &with).await);
}

async fn tokens_may_come_with_a_code_or_alone(store: Arc<dyn Store>) {
    let ann = user("ann").id;
    let first = issue(&store, family(ann, "a"), OnNewToken::Keep).await;
    let code = code(ann, "a");
    let both = issued(family(ann, "a"));
    let answer = Answer { code: Some(code.clone()), tokens: Some(both.clone()) };
    let answered = store.answer_request(answer, None, None, NOW).await.expect("answer");
    assert_eq!(answered, Answered::Done);
    assert!(store.code(code.id, &code.digest).await.expect("read").is_some());
    assert!(alive(&store, &first).await && alive(&store, &both).await);

    let alone = Issued { previous: OnNewToken::RevokePrevious, ..issued(family(ann, "a")) };
    let answer = Answer { code: None, tokens: Some(alone.clone()) };
    let given = consent(ann, "a", "read");
    store.answer_request(answer, None, Some(given.clone()), NOW).await.expect("answer");
    assert_eq!(store.consent(ann, "a").await.expect("read"), Some(given));
    assert!(!alive(&store, &first).await && !alive(&store, &both).await);
    assert!(alive(&store, &alone).await);
}

async fn of_many_that_replace_each_other_one_family_lives(store: Arc<dyn Store>) {
    let ann = user("ann").id;
    for person in [Some(ann), None] {
        let issued = race(&store, |store, _| async move {
            let family = match person {
                Some(person) => family(person, "a"),
                None => own_family("a"),
            };
            issue(&store, family, OnNewToken::RevokePrevious).await
        });
        let mut living = 0;
        for one in issued.await {
            living += usize::from(alive(&store, &one).await);
        }
        assert_eq!(living, 1);
    }
}

async fn an_access_token_needs_no_family(store: Arc<dyn Store>) {
    let (plain, mut full) = (own_access("a"), own_access("a"));
    full.audience = resources();
    full.exchanged = Some(Exchanged {
        sub: Some("ann".to_owned()),
        from: vec![],
        act: Some(serde_json::json!({"sub": "b"})),
    });
    for made in [&plain, &full] {
        store.issue_access(made.clone()).await.expect("issue");
        let read = store.access_token(made.id, &made.digest, after(299)).await.expect("read");
        let read = read.expect("works");
        assert_eq!((&read.token, read.family, read.user), (made, None, None));
        assert!(!works(&store, made, after(300)).await);
        let wrong = store.access_token(made.id, &digest(), NOW).await.expect("read");
        assert!(wrong.is_none());
    }
    store.revoke_access(plain.id, after(300)).await.expect("revoke");
    store.revoke_access(plain.id, after(300)).await.expect("again");
    assert!(!works(&store, &plain, NOW).await);
    assert!(works(&store, &full, NOW).await, "another one");
}

async fn one_more_access_token_ends_with_its_family(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let exchanged =
        Some(Exchanged { sub: None, from: vec![], act: Some(serde_json::json!({"sub": "b"})) });
    let made = AccessToken { client_id: "b".to_owned(), exchanged, ..access(&held.family) };
    let other = access(&held.family);
    for one in [&made, &other] {
        store.issue_access(one.clone()).await.expect("issue");
    }
    let view = store.access_token(made.id, &made.digest, NOW).await.expect("read").expect("works");
    assert_eq!((&view.token, view.family), (&made, Some(held.family.clone())));
    assert_eq!(view.user, Some(held.user.clone()));
    store.revoke_access(other.id, after(300)).await.expect("revoke");
    assert!(!works(&store, &other, NOW).await);
    assert!(works(&store, &made, NOW).await && held.access_token(&store, NOW).await.is_some());
    store.revoke_family(held.family.id, NOW).await.expect("revoke");
    assert!(!works(&store, &made, NOW).await);
}

async fn what_was_exchanged_for_a_token_ends_with_it(store: Arc<dyn Store>) {
    let (first, mut second) = (own_access("a"), own_access("b"));
    second.exchanged = Some(Exchanged { from: vec![first.id], ..Exchanged::default() });
    let mut third = own_access("c");
    third.exchanged = Some(Exchanged { from: vec![first.id, second.id], ..Exchanged::default() });
    for one in [&first, &second, &third] {
        store.issue_access(one.clone()).await.expect("issue");
    }
    let jwt = AccessTokenId(id());
    let signed = |from: &[AccessTokenId]| {
        let (store, from) = (Arc::clone(&store), from.to_vec());
        async move { store.jwt(jwt, None, &from).await.expect("read").revoked }
    };
    assert!(works(&store, &third, NOW).await && !signed(&[first.id, second.id]).await);
    store.revoke_access(second.id, after(300)).await.expect("revoke");
    assert!(works(&store, &first, NOW).await, "the one before it stays");
    assert!(!works(&store, &third, NOW).await);
    assert!(signed(&[first.id, second.id]).await && !signed(&[first.id]).await);
}

async fn an_access_token_without_the_family_it_names_is_none(store: Arc<dyn Store>) {
    let stray = access(&own_family("a"));
    store.issue_access(stray.clone()).await.expect("issue");
    assert!(!works(&store, &stray, NOW).await);
}

async fn a_jwt_is_known_by_what_was_revoked(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let (one, other) = (AccessTokenId(id()), AccessTokenId(id()));
    let unknown = JwtView { revoked: false, family: None, user: None };
    assert_eq!(store.jwt(one, None, &[]).await.expect("read"), unknown);
    assert_eq!(store.jwt(one, Some(own_family("a").id), &[]).await.expect("read"), unknown);

    store.revoke_access(one, after(300)).await.expect("revoke");
    store.revoke_access(one, after(200)).await.expect("again");
    let revoked = JwtView { revoked: true, ..unknown };
    assert_eq!(store.jwt(one, None, &[]).await.expect("read"), revoked);
    while store.sweep(after(299), 100).await.expect("sweep") > 0 {}
    assert!(store.jwt(one, None, &[]).await.expect("read").revoked, "until the token expires");

    let view = store.jwt(other, Some(held.family.id), &[]).await.expect("read");
    assert!(!view.revoked);
    assert_eq!((view.family, view.user), (Some(held.family.clone()), Some(held.user)));
    store.revoke_family(held.family.id, after(1)).await.expect("revoke");
    let view = store.jwt(other, Some(held.family.id), &[]).await.expect("read");
    assert_eq!(view.family.and_then(|family| family.revoked_at), Some(after(1)));
}

/// A renewal whose access token ends those before it.
fn sole(family: &Family) -> Renewal {
    let renewal = renewal(family);
    Renewal { sole: renewal.access.as_ref().map(|access| access.id), ..renewal }
}

fn renewed(renewal: &Renewal) -> AccessToken {
    renewal.access.clone().expect("is opaque")
}

async fn a_sole_access_token_ends_those_before_it(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let first = Rotation { renewal: sole(&held.family), ..rotation(&held.family) };
    let family = held.family.id;
    let rotated = store.rotate_refresh(family, first.clone(), NOW).await.expect("rotate");
    assert_eq!(rotated, Rotated::Done);
    assert!(held.access_token(&store, NOW).await.is_none(), "the one from before");
    assert!(works(&store, &renewed(&first.renewal), NOW).await);

    let retry = Rotation { renewal: sole(&held.family), ..first.clone() };
    let again = store.rotate_refresh(family, retry.clone(), NOW).await.expect("rotate");
    assert_eq!(again, Rotated::SameAgain);
    assert!(!works(&store, &renewed(&first.renewal), NOW).await);
    assert!(works(&store, &renewed(&retry.renewal), NOW).await);
    let view = store.family(family).await.expect("read").expect("is there");
    assert_eq!(view.family.sole_access, retry.renewal.sole);

    let jwt = AccessTokenId(id());
    let renewal = Renewal { access: None, sole: Some(jwt), ..sole(&held.family) };
    let next = Rotation { presented: first.successor, successor: digest(), renewal, ..first };
    let rotated = store.rotate_refresh(family, next, NOW).await.expect("rotate");
    assert_eq!(rotated, Rotated::Done);
    assert!(!works(&store, &renewed(&retry.renewal), NOW).await, "a JWT ends an opaque one");
    let view = store.jwt(jwt, Some(family), &[]).await.expect("read").family.expect("is there");
    let other = AccessTokenId(id());
    assert!(view.keeps(jwt, &[]) && !view.keeps(other, &[]));
    assert!(view.keeps(other, &[jwt]) && !view.keeps(jwt, &[other]));
}

/// When the client is told to keep its tokens, those that were ended stay so.
async fn a_sole_access_token_stays_one_of_a_kind(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let first = Rotation { renewal: sole(&held.family), ..rotation(&held.family) };
    store.rotate_refresh(held.family.id, first.clone(), NOW).await.expect("rotate");
    let kept = renewal(&held.family);
    let next = Rotation {
        presented: first.successor,
        successor: digest(),
        renewal: kept.clone(),
        ..first.clone()
    };
    store.rotate_refresh(held.family.id, next, NOW).await.expect("rotate");
    assert!(works(&store, &renewed(&kept), NOW).await, "the new one works");
    assert!(held.access_token(&store, NOW).await.is_none());
}

async fn a_refresh_token_that_is_reused_has_a_sole_access_token_too(store: Arc<dyn Store>) {
    store.add_client(client("a")).await.expect("add");
    let first = issue(&store, own_family("a"), OnNewToken::RevokePrevious).await;
    let family = first.family.id;
    let token = first.family.refresh.expect("has one").current;
    let renewals = race(&store, |store, _| {
        let with = sole(&first.family);
        async move {
            let spent = store.spend_refresh_use(family, &token, with.clone(), NOW).await;
            assert_eq!(spent.expect("spend"), Spent::Done { left: None });
            renewed(&with)
        }
    });
    let mut living = 0;
    for access in renewals.await {
        living += usize::from(works(&store, &access, NOW).await);
    }
    assert_eq!(living, 1);
    assert!(!works(&store, first.access.as_ref().expect("is opaque"), NOW).await);
}
