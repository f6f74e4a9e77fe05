//! Skeleton.
#![expect(clippy::todo, unused_variables, reason = "skeleton")]

use async_trait::async_trait;
use grantor_core::id::*;
use grantor_core::model::*;
use grantor_core::secret::Digest;
use grantor_core::store::*;
use grantor_core::time::Timestamp;

use super::Sqlite;

#[async_trait]
impl ConnectionStore for Sqlite {
    async fn store_grant(
        &self,
        held: Held,
        before: Option<(u32, u64)>,
        session: Option<ConnectSessionId>,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Granted, StoreError> {
        todo!()
    }

    async fn held(&self, selector: &Selector, limit: u32) -> Result<Vec<Held>, StoreError> {
        todo!()
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        todo!()
    }

    async fn connections(
        &self,
        selector: &Selector,
        status: Option<&str>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        todo!()
    }

    async fn touch_connections(
        &self,
        used: &[(ConnectionId, Timestamp)],
    ) -> Result<(), StoreError> {
        todo!()
    }

    async fn begin_refresh(
        &self,
        attempt: RefreshAttempt,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        todo!()
    }

    async fn extend_refresh(
        &self,
        connection: ConnectionId,
        id: RefreshId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    async fn end_refresh(
        &self,
        attempt: &RefreshAttempt,
        end: RefreshEnd,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Ended, StoreError> {
        todo!()
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        todo!()
    }

    async fn set_status(
        &self,
        id: ConnectionId,
        generation: u32,
        status: ConnectionStatus,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    async fn start_disconnect(
        &self,
        id: ConnectionId,
        sharing: &[String],
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Option<Leaving>, StoreError> {
        todo!()
    }

    async fn remove_connection(
        &self,
        id: ConnectionId,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    async fn count_connections(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        todo!()
    }

    async fn pause_integration(&self, pause: Pause, recorded: Recorded) -> Result<(), StoreError> {
        todo!()
    }

    async fn resume_integration(
        &self,
        integration: &str,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        todo!()
    }

    async fn data_keys_not_under(
        &self,
        key_id: &[u8; 8],
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<WrappedDataKey>, StoreError> {
        todo!()
    }

    async fn rewrap(&self, keys: Vec<(WrappedDataKey, Vec<u8>)>) -> Result<u32, StoreError> {
        todo!()
    }

    async fn data_key_uses(&self) -> Result<Vec<([u8; 8], u64)>, StoreError> {
        todo!()
    }
}

#[async_trait]
impl ConnectStore for Sqlite {
    async fn add_connect_session(
        &self,
        session: ConnectSession,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        todo!()
    }

    async fn connect_session(
        &self,
        id: ConnectSessionId,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        todo!()
    }

    async fn step_connect(
        &self,
        id: ConnectSessionId,
        from: ConnectStep,
        digest: Option<Digest>,
        to: ConnectState,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        todo!()
    }
}

#[async_trait]
impl ApiKeyStore for Sqlite {
    async fn add_api_key(&self, key: ApiKey, recorded: Recorded) -> Result<Added, StoreError> {
        todo!()
    }

    async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        todo!()
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        todo!()
    }

    async fn replace_api_key(
        &self,
        before: &ApiKey,
        after: ApiKey,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    async fn touch_api_keys(&self, used: &[(String, Timestamp)]) -> Result<(), StoreError> {
        todo!()
    }
}

#[async_trait]
impl AuditStore for Sqlite {
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        todo!()
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        todo!()
    }

    async fn last_audit(&self) -> Result<Option<AuditEntry>, StoreError> {
        todo!()
    }
}

#[async_trait]
impl NoticeStore for Sqlite {
    async fn claim_notices(
        &self,
        endpoint: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        todo!()
    }

    async fn remove_notice(&self, id: NoticeId) -> Result<(), StoreError> {
        todo!()
    }

    async fn retry_notice(&self, id: NoticeId, at: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    async fn pending_notices(&self) -> Result<u32, StoreError> {
        todo!()
    }
}

#[async_trait]
impl SecretStore for Sqlite {
    async fn server_secrets(&self) -> Result<Vec<ServerSecret>, StoreError> {
        todo!()
    }

    async fn add_server_secret(&self, secret: ServerSecret) -> Result<Added, StoreError> {
        todo!()
    }

    async fn replace_server_secret(
        &self,
        before: &[u8],
        after: ServerSecret,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    async fn remove_server_secret(&self, name: &str) -> Result<(), StoreError> {
        todo!()
    }

    async fn sealed_uses(&self) -> Result<Vec<(SealedKind, [u8; 8], u64)>, StoreError> {
        todo!()
    }
}
