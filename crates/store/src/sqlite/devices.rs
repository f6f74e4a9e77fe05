//! Devices that wait for a person: RFC 8628; the table `device_authorization`.

use async_trait::async_trait;
use grantor_core::id::DeviceId;
use grantor_core::model::{Approval, Consent, DeviceAuthorization, DeviceState};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, DeviceStore, Issued, Polled, StoreError};
use grantor_core::time::{Seconds, Timestamp};
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use super::{consents, tokens};
use crate::records::devices::{answer as answer_row, device, device_columns, row};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", device_columns!(""), " FROM device_authorization ", $rest)
    };
}

#[async_trait]
impl DeviceStore for Sqlite {
    async fn add_device(&self, device: DeviceAuthorization) -> Result<Added, StoreError> {
        self.write(move |db| insert(db, &device)).await
    }

    async fn device_by_user_code(
        &self,
        user_code: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreError> {
        let waiting = select!("WHERE user_code = ?1 AND state = 'pending' AND expires_at > ?2");
        self.read(|db| db.one(waiting, params![user_code, now.epoch()], device))
    }

    async fn answer_device(
        &self,
        id: DeviceId,
        approval: Option<Approval>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| {
            let counts = answer(db, id, approval.as_ref(), now)?;
            if counts {
                consent.iter().try_for_each(|consent| consents::remember(db, consent))?;
            }
            Ok(counts)
        })
        .await
    }

    async fn poll_device(
        &self,
        id: DeviceId,
        digest: &Digest,
        client_id: &str,
        slower: Seconds,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        let (digest, client_id) = (*digest, client_id.to_owned());
        self.write(move |db| {
            let found = db.one(select!("WHERE id = ?1"), [bytes(&id.0)], device)?;
            match found.filter(|own| own.digest == digest && own.client_id == client_id) {
                Some(device) => poll(db, device, slower, now),
                None => Ok(Polled::Gone),
            }
        })
        .await
    }

    async fn redeem_device(
        &self,
        id: DeviceId,
        issued: Issued,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| {
            let redeemed = db.run(
                "UPDATE device_authorization SET state = 'redeemed', redeemed_as = ?2
                 WHERE id = ?1 AND state = 'approved' AND expires_at > ?3",
                params![bytes(&id.0), bytes(&issued.family.id.0), now.epoch()],
            )?;
            if redeemed == 1 {
                tokens::issue(db, &issued, now)?;
            }
            Ok(redeemed == 1)
        })
        .await
    }
}

fn answer(
    db: &Db<'_>,
    id: DeviceId,
    approval: Option<&Approval>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let [state, user, session, auth_time, method, amr, acr] = answer_row(approval);
    let answered = db.run(
        "UPDATE device_authorization
         SET state = ?3, user_id = ?4, session_id = ?5, auth_time = ?6, method = ?7, amr = ?8,
             acr = ?9
         WHERE id = ?1 AND state = 'pending' AND expires_at > ?2",
        params![bytes(&id.0), now.epoch(), state, user, session, auth_time, method, amr, acr,],
    )?;
    Ok(answered == 1)
}

fn poll(
    db: &Db<'_>,
    device: DeviceAuthorization,
    slower: Seconds,
    now: Timestamp,
) -> Result<Polled, Fault> {
    let over = device.expires_at <= now;
    match device.state {
        // As with codes, a replay is noticed even when the time is over.
        DeviceState::Redeemed { family } => {
            tokens::revoke(db, family, now)?;
            Ok(Polled::Replayed { family })
        }
        DeviceState::Pending | DeviceState::Denied | DeviceState::Approved(_) if over => {
            Ok(Polled::Expired)
        }
        DeviceState::Denied => Ok(Polled::Denied),
        DeviceState::Approved(_) => Ok(Polled::Approved(Box::new(device))),
        DeviceState::Pending => remember_poll(db, &device, slower, now),
    }
}

fn remember_poll(
    db: &Db<'_>,
    device: &DeviceAuthorization,
    slower: Seconds,
    now: Timestamp,
) -> Result<Polled, Fault> {
    let too_soon = device.polled_at.is_some_and(|last| now < last.plus(device.interval));
    // RFC 8628 §3.5: slow_down makes the interval longer for this and all polls after it.
    let more = if too_soon { slower.0 } else { 0 };
    db.run(
        "UPDATE device_authorization SET polled_at = ?2, interval = ?3 WHERE id = ?1",
        params![bytes(&device.id.0), now.epoch(), device.interval.0.saturating_add(more)],
    )?;
    Ok(if too_soon { Polled::SlowDown } else { Polled::Pending })
}

fn insert(db: &Db<'_>, device: &DeviceAuthorization) -> Result<Added, Fault> {
    let added = db.run(
        concat!(
            "INSERT INTO device_authorization (",
            device_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING"
        ),
        bound(row(device)?),
    )?;
    Ok(if added == 1 { Added::Done } else { Added::Exists })
}
