//! Swapped, old and foreign ciphertext stays shut; keys change under what they have sealed.

use std::collections::BTreeMap;

use super::*;
use crate::id::Id;
use crate::jose::seal::KeyEncryptionKey;
use crate::model::{Account, ConnectionStatus, Scope};
use crate::ports::testing::SeededEntropy;
use crate::time::Timestamp;

fn ring(current: u8, retired: &[u8]) -> KeyRing {
    let key = |seed: u8| KeyEncryptionKey::new(&[seed; 32]).expect("32 bytes");
    KeyRing::new(key(current), retired.iter().copied().map(key).collect())
}

fn connection(id: u8, generation: u32) -> Connection {
    let now = Timestamp::from_epoch(1_800_000_000);
    Connection {
        id: ConnectionId(Id::from_bytes([id; 16])),
        integration: "google".to_owned(),
        client_id: "ours".to_owned(),
        subject: "user-42".to_owned(),
        account: Account::default(),
        scope: Scope::default(),
        requested: Scope::default(),
        status: ConnectionStatus::Active,
        generation,
        version: 1,
        issued_at: now,
        expires_at: None,
        refreshable: true,
        refresh_expires_at: None,
        refresh_used_at: now,
        rotates: None,
        variables: BTreeMap::new(),
        trouble: None,
        due_at: None,
        created_at: now,
        connected_at: now,
        last_used_at: None,
    }
}

fn tokens(marked: &str) -> Tokens {
    let token = |name: &str| Zeroizing::new(format!("{name}-{marked}"));
    Tokens {
        access_token: token("access"),
        token_type: "Bearer".to_owned(),
        refresh_token: Some(token("refresh")),
        previous_refresh_token: Some(token("previous")),
        id_token: Some(token("id")),
    }
}

fn held(connection: Connection, marked: &str, seed: u32) -> Held {
    let entropy = SeededEntropy::new(seed);
    let credential = seal_with(&ring(1, &[]), &entropy, &connection, &tokens(marked), None);
    Held { connection, credential: credential.expect("sealed") }
}

fn is_shut(held: &Held) -> bool {
    let ring = ring(1, &[]);
    open_with(&ring, held).is_err() && access_token_with(&ring, held).is_err()
}

#[test]
fn tokens_open_as_they_were_sealed() {
    let held = held(connection(1, 1), "a", 1);
    let opened = open_with(&ring(1, &[]), &held).expect("opens");
    assert!(opened == tokens("a"));
    let access = access_token_with(&ring(1, &[]), &held).expect("opens");
    assert_eq!(*access, "access-a");
    let few = Tokens { refresh_token: None, previous_refresh_token: None, ..tokens("b") };
    let sealed = seal_with(&ring(1, &[]), &SeededEntropy::new(9), &held.connection, &few, None);
    let held = Held { credential: sealed.expect("sealed"), ..held };
    assert!(open_with(&ring(1, &[]), &held).expect("opens") == few);
}

#[test]
fn tokens_of_another_row_do_not_open_with_or_without_their_data_key() {
    let (mine, other) = (held(connection(1, 1), "mine", 1), held(connection(2, 1), "other", 2));
    let mut swapped = mine.clone();
    swapped.credential.access_token = other.credential.access_token.clone();
    assert!(is_shut(&swapped));
    swapped.credential.data_key = other.credential.data_key.clone();
    assert!(is_shut(&swapped));
    assert!(is_shut(&Held { credential: other.credential, ..mine }));
}

#[test]
fn a_token_of_another_column_does_not_open() {
    let sound = held(connection(1, 1), "a", 1);
    let refresh = sound.credential.refresh_token.clone().expect("a refresh token");
    let mut swapped = sound.clone();
    swapped.credential.access_token = refresh;
    assert!(is_shut(&swapped));
    let mut swapped = sound.clone();
    swapped.credential.refresh_token = sound.credential.previous_refresh_token;
    assert!(open_with(&ring(1, &[]), &swapped).is_err());
}

#[test]
fn tokens_of_an_older_grant_do_not_open_in_a_newer_one() {
    let old = held(connection(1, 1), "old", 1);
    let entropy = SeededEntropy::new(4);
    let next = connection(1, 2);
    let new = seal_with(&ring(1, &[]), &entropy, &next, &tokens("new"), Some(&old.credential));
    let new = Held { connection: next.clone(), credential: new.expect("sealed") };
    assert_ne!(new.credential.data_key, old.credential.data_key, "a grant has a key of its own");
    let mut mixed = new.clone();
    mixed.credential.access_token = old.credential.access_token.clone();
    assert!(is_shut(&mixed));
    mixed.credential.data_key = old.credential.data_key.clone();
    assert!(is_shut(&mixed));
    // The whole old row, with its generation.
    assert!(is_shut(&Held { connection: next, credential: old.credential.clone() }));
    assert!(!is_shut(&old));
}

#[test]
fn tokens_of_another_integration_do_not_open() {
    let mut moved = held(connection(1, 1), "a", 1);
    moved.connection.integration = "github".to_owned();
    assert!(is_shut(&moved));
}

#[test]
fn a_refresh_keeps_the_data_key_and_moves_it_to_the_present_key() {
    let before = held(connection(1, 1), "a", 1);
    let entropy = SeededEntropy::new(5);
    let mut next = before.connection.clone();
    next.version = 2;
    let sealed = |ring: &KeyRing| {
        let before = Some(&before.credential);
        seal_with(ring, &entropy, &next, &tokens("b"), before).expect("sealed")
    };
    assert_eq!(sealed(&ring(1, &[])).data_key, before.credential.data_key);
    // Between reading `before` and storing, `rewrap` may have moved it: the old form must not return.
    let moved = Held { credential: sealed(&ring(2, &[1])), connection: next.clone() };
    assert!(open_with(&ring(2, &[]), &moved).expect("opens") == tokens("b"));
}

#[test]
fn the_same_token_never_looks_the_same_twice() {
    let (one, two) = (held(connection(1, 1), "a", 1), held(connection(1, 1), "a", 2));
    assert_ne!(one.credential.access_token, two.credential.access_token);
    assert_ne!(one.credential.data_key, two.credential.data_key);
}
