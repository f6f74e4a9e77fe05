-- Ids are 16-byte version 7 UUIDs, digests 32-byte SHA-256, times whole seconds since the epoch.
-- Tables found by id only are their own index (WITHOUT ROWID), so that an insert appends to one tree.

CREATE TABLE oauth2_client (
    client_id                    TEXT    NOT NULL PRIMARY KEY,
    client_secret                TEXT,             -- sha256:<base64url>; NULL for a public client
    client_name                  TEXT    NOT NULL,
    client_uri                   TEXT,
    logo_uri                     TEXT,
    policy_uri                   TEXT,
    tos_uri                      TEXT,
    redirect_uris                TEXT    NOT NULL, -- JSON array
    post_logout_redirect_uris    TEXT    NOT NULL, -- JSON array
    grant_types                  TEXT    NOT NULL, -- JSON array
    scope                        TEXT    NOT NULL,
    require_pkce                 INTEGER NOT NULL,
    refresh                      TEXT    NOT NULL, -- JSON object
    id_token_signed_response_alg TEXT    NOT NULL,
    lifetimes                    TEXT    NOT NULL, -- JSON object
    sign_in_methods              TEXT    NOT NULL, -- JSON array
    requests_per_minute          INTEGER,
    created_at                   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_account (
    id             BLOB    NOT NULL PRIMARY KEY,
    username       TEXT    UNIQUE,
    email          TEXT    UNIQUE,
    email_verified INTEGER NOT NULL,
    name           TEXT,
    password       TEXT,                           -- argon2id in PHC form
    status         TEXT    NOT NULL,               -- active or disabled
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id              BLOB    NOT NULL PRIMARY KEY,
    digest          BLOB    NOT NULL,
    user_id         BLOB    NOT NULL,
    auth_time       INTEGER NOT NULL,
    method          TEXT    NOT NULL,
    amr             TEXT    NOT NULL,              -- separated by spaces
    created_at      INTEGER NOT NULL,
    last_seen_at    INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    user_agent      TEXT    NOT NULL,
    address         TEXT    NOT NULL
) STRICT;
CREATE INDEX session_of_user ON session (user_id);

CREATE TABLE pending_request (
    id             BLOB    NOT NULL PRIMARY KEY,
    parameters     TEXT    NOT NULL,
    browser        BLOB,
    account_chosen INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE authorization_code (
    id                 BLOB    NOT NULL PRIMARY KEY,
    digest             BLOB    NOT NULL,
    client_id          TEXT    NOT NULL,
    user_id            BLOB    NOT NULL,
    session_id         BLOB    NOT NULL,
    redirect_uri       TEXT    NOT NULL,
    redirect_uri_given INTEGER NOT NULL,
    scope              TEXT    NOT NULL,
    claims             TEXT,                       -- JSON object; NULL for none
    nonce              TEXT,
    challenge          BLOB,
    auth_time          INTEGER NOT NULL,
    method             TEXT    NOT NULL,
    amr                TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    spent_at           INTEGER,
    redeemed_as        BLOB                        -- the token_family that it was exchanged for
) STRICT, WITHOUT ROWID;
-- Small: a code leaves it when it is spent. Withdrawing and removing must find the others.
CREATE INDEX authorization_code_unspent ON authorization_code (client_id, user_id)
    WHERE spent_at IS NULL;

CREATE TABLE token_family (
    id                      BLOB    NOT NULL PRIMARY KEY,
    client_id               TEXT    NOT NULL,
    user_id                 BLOB    NOT NULL,
    session_id              BLOB    NOT NULL,
    scope                   TEXT    NOT NULL,
    claims                  TEXT,                  -- JSON object; NULL for none
    auth_time               INTEGER NOT NULL,
    method                  TEXT    NOT NULL,
    amr                     TEXT    NOT NULL,
    created_at              INTEGER NOT NULL,
    expires_at              INTEGER NOT NULL,
    revoked_at              INTEGER,
    refresh_current         BLOB,                  -- NULL without a refresh token
    refresh_previous        BLOB,
    refresh_generation      INTEGER,
    refresh_rotated_at      INTEGER,
    refresh_idle_expires_at INTEGER,
    refresh_expires_at      INTEGER,
    refresh_uses_left       INTEGER
) STRICT, WITHOUT ROWID;
-- For what revokes by client or person. A rotation changes none of these columns.
CREATE INDEX token_family_live ON token_family (client_id, user_id) WHERE revoked_at IS NULL;

CREATE TABLE access_token (
    id         BLOB    NOT NULL PRIMARY KEY,
    digest     BLOB    NOT NULL,
    family_id  BLOB    NOT NULL,
    scope      TEXT    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
    user_id    BLOB    NOT NULL,
    client_id  TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_of_client ON consent (client_id);

CREATE TABLE sign_in_attempt (
    id         BLOB    NOT NULL PRIMARY KEY,
    request_id BLOB,
    browser    BLOB    NOT NULL,
    email      TEXT    NOT NULL,
    token      BLOB    NOT NULL,
    tries_left INTEGER NOT NULL,                   -- 0 when the attempt is over
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_attempt_of_address ON sign_in_attempt (email, created_at);

CREATE TABLE outbox_mail (
    id         BLOB    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    deliver    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_mail_due ON outbox_mail (due_at);

CREATE TABLE signing_key (
    kid         TEXT    NOT NULL PRIMARY KEY,
    algorithm   TEXT    NOT NULL,
    sealed      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    retires_at  INTEGER
) STRICT;
