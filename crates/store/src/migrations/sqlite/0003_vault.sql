-- The vault: connections and their tokens, refreshes, connect sessions, API keys, the audit log,
-- webhooks. Whatever is sealed begins with a byte for its version and the id of its key (8 bytes).

CREATE TABLE connection (
    number               INTEGER NOT NULL PRIMARY KEY, -- its credential has the same
    id                   BLOB    NOT NULL UNIQUE,
    integration          TEXT    NOT NULL,
    client_id            TEXT    NOT NULL,         -- ours at the provider, when it was granted
    subject              TEXT    NOT NULL,         -- empty for an integration that acts for itself
    account_sub          TEXT    NOT NULL,         -- the provider's id of the account
    account_email        TEXT    COLLATE NOCASE,
    account_name         TEXT,
    account_organization TEXT,
    scope                TEXT    NOT NULL,
    requested_scope      TEXT    NOT NULL,
    status               TEXT    NOT NULL,         -- active, reauth_required or disconnecting
    reauth               TEXT,                     -- JSON object; NULL unless reauth_required
    disconnecting_since  INTEGER,                  -- NULL unless disconnecting
    generation           INTEGER NOT NULL,         -- counts the grants
    version              INTEGER NOT NULL,         -- counts the answers with tokens
    issued_at            INTEGER NOT NULL,
    expires_at           INTEGER,                  -- of the access token; NULL for never
    refreshable          INTEGER NOT NULL,
    refresh_expires_at   INTEGER,
    refresh_used_at      INTEGER NOT NULL,
    rotates              INTEGER,                  -- NULL until there was a refresh
    variables            TEXT,                     -- JSON object; NULL for none
    trouble              TEXT,                     -- JSON object; NULL for none
    due_at               INTEGER,                  -- NULL for never
    created_at           INTEGER NOT NULL,
    connected_at         INTEGER NOT NULL,
    last_used_at         INTEGER
) STRICT;
-- A refresh changes none of these columns, but for due_at. With the id, an index gives the order.
CREATE INDEX connection_of_subject ON connection (subject, integration, id);
CREATE INDEX connection_of_integration ON connection (integration, id);
CREATE UNIQUE INDEX connection_of_account ON connection (account_sub, integration, subject);
CREATE INDEX connection_of_address ON connection (account_email) WHERE account_email IS NOT NULL;
CREATE INDEX connection_not_active ON connection (status, id) WHERE status <> 'active';
CREATE INDEX connection_due ON connection (due_at) WHERE due_at IS NOT NULL;

-- Counted as they come and go: to count a million takes longer than a request may wait.
CREATE TABLE connection_count (
    integration TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    connections INTEGER NOT NULL,
    PRIMARY KEY (integration, status)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER connection_added AFTER INSERT ON connection BEGIN
    INSERT INTO connection_count VALUES (NEW.integration, NEW.status, 1)
        ON CONFLICT DO UPDATE SET connections = connections + 1;
END;
CREATE TRIGGER connection_changed AFTER UPDATE OF status ON connection
    WHEN OLD.status <> NEW.status
BEGIN
    UPDATE connection_count SET connections = connections - 1
        WHERE integration = OLD.integration AND status = OLD.status;
    INSERT INTO connection_count VALUES (NEW.integration, NEW.status, 1)
        ON CONFLICT DO UPDATE SET connections = connections + 1;
END;
CREATE TRIGGER connection_removed AFTER DELETE ON connection BEGIN
    UPDATE connection_count SET connections = connections - 1
        WHERE integration = OLD.integration AND status = OLD.status;
END;

-- The tokens, sealed under a data key of their own, which is wrapped by a key-encryption key. Found
-- by the number of the connection: with a million, one page of the file less to read than by its id.
CREATE TABLE credential (
    number                 INTEGER NOT NULL PRIMARY KEY,
    connection_id          BLOB    NOT NULL,
    generation             INTEGER NOT NULL,
    version                INTEGER NOT NULL,
    data_key               BLOB    NOT NULL,
    key_id                 BLOB    GENERATED ALWAYS AS (substr(data_key, 2, 8)) VIRTUAL,
    token_type             TEXT    NOT NULL,
    access_token           BLOB    NOT NULL,
    refresh_token          BLOB,
    previous_refresh_token BLOB,
    id_token               BLOB
) STRICT;
-- For what wraps data keys anew; a refresh keeps the data key.
CREATE INDEX credential_of_key ON credential (key_id, connection_id);

-- Written before the provider is called, removed with its answer. At most one for a connection.
CREATE TABLE refresh_attempt (
    connection_id BLOB    NOT NULL PRIMARY KEY,
    id            BLOB    NOT NULL,                -- whoever knows it owns the lease
    generation    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    again         INTEGER NOT NULL,
    started_at    INTEGER NOT NULL,
    leased_until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE integration_pause (
    integration TEXT    NOT NULL PRIMARY KEY,
    error       TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,                  -- of the client that the provider refuses
    since       INTEGER NOT NULL,
    next_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connect_session (
    id            BLOB    NOT NULL PRIMARY KEY,
    digest        BLOB    NOT NULL,                -- of the link
    integration   TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    scope         TEXT    NOT NULL,
    account_hint  TEXT,
    reconnect     BLOB,                            -- the connection that is granted again
    return_url    TEXT,
    mode          TEXT    NOT NULL,                -- bound, self_service or link
    made_by       TEXT    NOT NULL,
    step          TEXT    NOT NULL,                -- open, started, waiting, done or failed
    step_digest   BLOB,                            -- of the state (started) or the code (waiting)
    browser       BLOB,
    step_until    INTEGER,                         -- when the state expires
    sealed        BLOB,
    connection_id BLOB,                            -- when it is done
    failure       TEXT,                            -- when it has failed
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    id              TEXT    NOT NULL PRIMARY KEY,
    service         TEXT    NOT NULL,
    digest          BLOB    NOT NULL,              -- HMAC-SHA256 under a key that is not here
    previous_digest BLOB,                          -- NULL unless the secret was replaced
    previous_until  INTEGER,
    rights          TEXT    NOT NULL,              -- JSON object
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,                       -- NULL for never
    revoked_at      INTEGER,
    last_used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_event (
    sequence INTEGER NOT NULL PRIMARY KEY,         -- from 1, without gaps
    id       BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    details  TEXT    NOT NULL,                     -- JSON object
    mac      BLOB    NOT NULL,                     -- HMAC-SHA256 under a key that is not here
    hash     BLOB    NOT NULL                      -- over the hash before, sequence and mac
) STRICT;
CREATE TRIGGER audit_event_next BEFORE INSERT ON audit_event
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit_event)
BEGIN
    SELECT raise(ABORT, 'the audit log is only added to: an entry comes after the last one');
END;
CREATE TRIGGER audit_event_unchanged BEFORE UPDATE ON audit_event BEGIN
    SELECT raise(ABORT, 'the audit log is only added to: an entry cannot be changed');
END;
CREATE TRIGGER audit_event_kept BEFORE DELETE ON audit_event BEGIN
    SELECT raise(ABORT, 'the audit log is only added to: an entry cannot be removed');
END;

CREATE TABLE webhook_notice (
    id         BLOB    NOT NULL PRIMARY KEY,
    endpoint   TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    body       TEXT    NOT NULL,                   -- JSON, as it is sent
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_notice_due ON webhook_notice (endpoint, due_at);

CREATE TABLE server_secret (
    name   TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose tokens of providers a client may exchange its own tokens for.
ALTER TABLE oauth2_client ADD COLUMN integrations TEXT NOT NULL DEFAULT '[]'; -- JSON array
