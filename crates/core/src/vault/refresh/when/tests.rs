use super::*;
use crate::id::{ConnectionId, Id};
use crate::model::{Account, ConnectionStatus, Scope};
use crate::ports::testing::SeededEntropy;

const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);

/// One whose access token came now and lives for `life`.
fn connection(life: u32) -> Connection {
    Connection {
        id: ConnectionId(Id::from_bytes([1; 16])),
        integration: "google".to_owned(),
        client_id: "ours".to_owned(),
        subject: "user-42".to_owned(),
        account: Account::default(),
        scope: Scope::default(),
        requested: Scope::default(),
        status: ConnectionStatus::Active,
        generation: 1,
        version: 1,
        issued_at: NOW,
        expires_at: Some(NOW.plus(Seconds(life))),
        refreshable: true,
        refresh_expires_at: None,
        refresh_used_at: NOW,
        rotates: None,
        variables: std::collections::BTreeMap::new(),
        trouble: None,
        due_at: None,
        created_at: NOW,
        connected_at: NOW,
        last_used_at: None,
    }
}

fn after(seconds: u32) -> Timestamp {
    NOW.plus(Seconds(seconds))
}

fn agenda(connection: &Connection, idle: Option<Seconds>) -> Agenda {
    Agenda::of(connection, idle, &RefreshPolicy::default())
}

#[test]
fn a_tenth_is_kept_in_hand_between_half_a_minute_and_five_and_never_over_a_third() {
    for (life, wanted) in
        [(3_600, 300), (86_400, 300), (1_200, 120), (200, 30), (90, 30), (60, 20), (10, 3), (1, 0)]
    {
        assert_eq!(margin(Seconds(life)), Seconds(wanted), "{life}");
    }
}

#[test]
fn a_token_ages_with_its_margin_and_with_what_is_asked_for() {
    let hour = connection(3_600);
    for (asked, left, wanted) in [
        (0, 3_600, Age::Fresh),
        (0, 301, Age::Fresh),
        (0, 300, Age::Aging),
        (0, 1, Age::Aging),
        (0, 0, Age::Over),
        (120, 300, Age::Aging),
        (120, 121, Age::Aging),
        (120, 120, Age::Short),
        (600, 601, Age::Fresh),
        (600, 600, Age::Short),
        // More than a token can have.
        (86_400, 3_241, Age::Fresh),
        (86_400, 3_240, Age::Short),
    ] {
        assert_eq!(age(&hour, Seconds(asked), after(3_600 - left)), wanted, "{asked} {left}");
    }
    let endless = Connection { expires_at: None, ..connection(1) };
    assert_eq!(age(&endless, Seconds(86_400), after(4_000_000)), Age::Fresh);
}

#[test]
fn pauses_grow_to_a_quarter_of_an_hour_and_are_spread() {
    let entropy = SeededEntropy::new(5);
    for (attempts, most) in [(0, 2), (1, 2), (3, 8), (9, 512), (10, 900), (1_000, 900)] {
        let pauses: Vec<_> = (0..200).map(|_| pause(attempts, &entropy).0).collect();
        assert!(pauses.iter().all(|own| (1..=most).contains(own)), "{attempts}");
        let middle = pauses.iter().sum::<u32>() / 200;
        assert!(middle > most / 3 && middle < most, "{attempts}: {middle}");
    }
}

#[test]
fn a_token_that_is_in_use_is_renewed_before_its_margin() {
    let hour = connection(3_600);
    let agenda = agenda(&hour, None);
    for seed in 0..50 {
        let due = agenda.next(NOW, &SeededEntropy::new(seed)).expect("a moment");
        assert!(due >= after(3_000) && due < after(3_300), "{due:?}");
        assert_eq!(agenda.task(Some(due), true, due), Some(Task::Renew));
        assert_eq!(agenda.task(Some(due), false, due), None, "nobody wants it");
    }
    assert_eq!(agenda.task(None, true, after(2_999)), None);
    assert_eq!(agenda.next(after(3_300), &SeededEntropy::new(1)), None, "it is asked for or not");
    let short = super::Agenda::of(&connection(10), None, &RefreshPolicy::default());
    assert_eq!(short.next(NOW, &SeededEntropy::new(1)).map(|at| at >= after(4)), Some(true));
}

#[test]
fn a_refresh_token_is_kept_alive_before_it_idles_out() {
    let endless = Connection { expires_at: None, ..connection(0) };
    let year = agenda(&endless, Some(Seconds::days(180)));
    let due = year.next(NOW, &SeededEntropy::new(1)).expect("a moment");
    let from = NOW.plus(Seconds::days(173));
    assert!(due >= from && due < from.plus(Seconds::hours(84)), "{due:?}");
    assert_eq!(year.task(Some(due), false, due), Some(Task::KeepAlive));
    assert_eq!(year.task(Some(due), false, from.minus(Seconds(1))), None);
    // One that idles out within the week is used after half of its time.
    let day = agenda(&endless, Some(Seconds::days(1)));
    let due = day.next(NOW, &SeededEntropy::new(1)).expect("a moment");
    assert!(due >= NOW.plus(Seconds::hours(12)) && due < NOW.plus(Seconds::hours(18)));
}

#[test]
fn that_a_refresh_token_ends_soon_is_told_once_and_then_it_ends() {
    let end = NOW.plus(Seconds::days(7));
    let week = Connection { refresh_expires_at: Some(end), ..connection(3_600) };
    let agenda = agenda(&week, None);
    let entropy = SeededEntropy::new(1);
    let soon = agenda.next(after(3_600), &entropy).expect("a moment");
    assert_eq!(soon, NOW.plus(Seconds::days(5)));
    assert_eq!(agenda.task(Some(soon), false, soon.plus(Seconds(20))), Some(Task::Tell));
    assert_eq!(agenda.next(soon.plus(Seconds(20)), &entropy), Some(end), "not again");
    assert_eq!(agenda.task(Some(end), true, end), Some(Task::End));
    assert_eq!(agenda.next(end, &entropy), None);
    // A sweeper that was away, or came earlier for something else, tells all the same.
    let late = soon.plus(Seconds::hours(5));
    assert_eq!(agenda.task(Some(soon.minus(Seconds(9))), false, late), Some(Task::Tell));
    assert_eq!(agenda.task(Some(soon.plus(Seconds(1))), false, late), None, "told before");
    // A retry comes after it, but does not take its place.
    let (retry, before) = (soon.plus(Seconds(600)), soon.minus(Seconds(5)));
    assert_eq!(agenda.no_later(retry, before), soon);
    assert_eq!(agenda.no_later(before, before.minus(Seconds(1))), before);
    assert_eq!(agenda.no_later(retry, soon), retry, "told");
}

#[test]
fn the_end_of_a_short_life_is_told_in_its_middle() {
    let told = |own: Connection| agenda(&own, None).tell.expect("a moment");
    let end = NOW.plus(Seconds::days(1));
    let day = Connection { refresh_expires_at: Some(end), ..connection(3_600) };
    assert_eq!(told(day.clone()), NOW.plus(Seconds::hours(12)));
    // A refresh that brings the same one changes nothing about it.
    let later = NOW.plus(Seconds::hours(6));
    let used = Connection { refresh_used_at: later, rotates: Some(false), ..day.clone() };
    assert_eq!(told(used), NOW.plus(Seconds::hours(12)));
    let rotates = Connection { refresh_used_at: later, rotates: Some(true), ..day.clone() };
    assert_eq!(told(rotates.clone()), NOW.plus(Seconds::hours(15)));
    // The next refresh brings another one before that.
    let first = NOW.plus(Seconds::hours(20));
    assert_eq!(told(Connection { expires_at: Some(first), ..rotates }), first);
    assert_eq!(told(Connection { expires_at: Some(first), ..day }), NOW.plus(Seconds::hours(12)));
}

#[test]
fn without_a_refresh_token_it_ends_with_the_access_token() {
    let once = Connection { refreshable: false, ..connection(3_600) };
    let agenda = agenda(&once, Some(Seconds::days(1)));
    assert_eq!(agenda.next(NOW, &SeededEntropy::new(1)), Some(after(3_600)));
    assert_eq!(agenda.task(Some(after(3_600)), false, after(3_600)), Some(Task::End));
}
