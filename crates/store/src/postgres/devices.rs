//! Devices that wait for a person: RFC 8628; the table `device_authorization`.

use async_trait::async_trait;
use grantor_core::id::DeviceId;
use grantor_core::model::{Approval, Consent, DeviceAuthorization, DeviceState};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, DeviceStore, Issued, Polled, StoreError};
use grantor_core::time::{Seconds, Timestamp};

use super::fault::Fault;
use super::rows::Db;
use super::{Postgres, consents, tokens};
use crate::columns::values;
use crate::records::devices::{answer as answer_row, device, device_columns, row};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", device_columns!(""), " FROM device_authorization ", $rest)
    };
}

const INSERT: &str = concat!(
    "INSERT INTO device_authorization (",
    device_columns!(""),
    ")
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
     ON CONFLICT DO NOTHING"
);

#[async_trait]
impl DeviceStore for Postgres {
    async fn add_device(&self, device: DeviceAuthorization) -> Result<Added, StoreError> {
        self.write_one(device, |db, device| {
            Box::pin(async move {
                let added = db.run(INSERT, &row(device)?).await?;
                Ok(if added == 1 { Added::Done } else { Added::Exists })
            })
        })
        .await
    }

    async fn device_by_user_code(
        &self,
        user_code: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreError> {
        let waiting = select!("WHERE user_code = $1 AND state = 'pending' AND expires_at > $2");
        self.look(waiting, &values![user_code, now], device).await
    }

    async fn answer_device(
        &self,
        id: DeviceId,
        approval: Option<Approval>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write((id, approval, consent, now), |db, (id, approval, consent, now)| {
            Box::pin(async move {
                let counts = answer(db, *id, approval.as_ref(), *now).await?;
                if let (true, Some(consent)) = (counts, consent) {
                    consents::remember(db, consent).await?;
                }
                Ok(counts)
            })
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
        let whose = (*digest, client_id.to_owned());
        self.write((id, whose, slower, now), |db, (id, (digest, client_id), slower, now)| {
            Box::pin(async move {
                let locked = select!("WHERE id = $1 FOR UPDATE");
                let found = db.one(locked, &values![id.0], device).await?;
                match found.filter(|own| own.digest == *digest && own.client_id == *client_id) {
                    Some(device) => poll(db, device, *slower, *now).await,
                    None => Ok(Polled::Gone),
                }
            })
        })
        .await
    }

    async fn redeem_device(
        &self,
        id: DeviceId,
        issued: Issued,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write((id, issued, now), |db, (id, issued, now)| {
            Box::pin(redeem(db, *id, issued, *now))
        })
        .await
    }
}

async fn redeem(db: Db<'_>, id: DeviceId, issued: &Issued, now: Timestamp) -> Result<bool, Fault> {
    tokens::alone(db, issued).await?;
    let redeemed = db
        .run(
            "UPDATE device_authorization SET state = 'redeemed', redeemed_as = $2
             WHERE id = $1 AND state = 'approved' AND expires_at > $3",
            &values![id.0, issued.family.id.0, now],
        )
        .await?;
    if redeemed == 1 {
        tokens::issue(db, issued, now).await?;
    }
    Ok(redeemed == 1)
}

async fn answer(
    db: Db<'_>,
    id: DeviceId,
    approval: Option<&Approval>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let [state, user, session, auth_time, method, amr, acr] = answer_row(approval);
    let answered = db
        .run(
            "UPDATE device_authorization
             SET state = $3, user_id = $4, session_id = $5, auth_time = $6, method = $7, amr = $8,
                 acr = $9
             WHERE id = $1 AND state = 'pending' AND expires_at > $2",
            &[id.0.into(), now.into(), state, user, session, auth_time, method, amr, acr],
        )
        .await?;
    Ok(answered == 1)
}

async fn poll(
    db: Db<'_>,
    device: DeviceAuthorization,
    slower: Seconds,
    now: Timestamp,
) -> Result<Polled, Fault> {
    let over = device.expires_at <= now;
    match device.state {
        // As with codes, a replay is noticed even when the time is over.
        DeviceState::Redeemed { family } => {
            tokens::revoke(db, family, now).await?;
            Ok(Polled::Replayed { family })
        }
        DeviceState::Pending | DeviceState::Denied | DeviceState::Approved(_) if over => {
            Ok(Polled::Expired)
        }
        DeviceState::Denied => Ok(Polled::Denied),
        DeviceState::Approved(_) => Ok(Polled::Approved(Box::new(device))),
        DeviceState::Pending => remember_poll(db, &device, slower, now).await,
    }
}

async fn remember_poll(
    db: Db<'_>,
    device: &DeviceAuthorization,
    slower: Seconds,
    now: Timestamp,
) -> Result<Polled, Fault> {
    let too_soon = device.polled_at.is_some_and(|last| now < last.plus(device.interval));
    // RFC 8628 §3.5: slow_down makes the interval longer for this and all polls after it.
    let more = if too_soon { slower.0 } else { 0 };
    let interval = device.interval.0.saturating_add(more);
    let remember = "UPDATE device_authorization SET polled_at = $2, interval = $3 WHERE id = $1";
    db.run(remember, &values![device.id.0, now, interval]).await?;
    Ok(if too_soon { Polled::SlowDown } else { Polled::Pending })
}
