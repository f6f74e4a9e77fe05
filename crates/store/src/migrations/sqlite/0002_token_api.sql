-- Every grant: families without a person, tokens without a family, devices, registration.
-- Lists of resources are JSON arrays, because an audience may be any text.

ALTER TABLE oauth2_client ADD COLUMN token_endpoint_auth_method TEXT NOT NULL DEFAULT 'none';
UPDATE oauth2_client SET token_endpoint_auth_method = 'client_secret_basic'
    WHERE client_secret IS NOT NULL;
ALTER TABLE oauth2_client ADD COLUMN jwks TEXT;                          -- JSON object
ALTER TABLE oauth2_client ADD COLUMN jwks_uri TEXT;
ALTER TABLE oauth2_client ADD COLUMN response_types TEXT NOT NULL DEFAULT '["code"]'; -- JSON array
ALTER TABLE oauth2_client ADD COLUMN on_new_token TEXT NOT NULL DEFAULT 'keep';
ALTER TABLE oauth2_client ADD COLUMN access_token_format TEXT;           -- NULL for opaque
ALTER TABLE oauth2_client ADD COLUMN access_token_signed_response_alg TEXT NOT NULL DEFAULT 'ES256';
ALTER TABLE oauth2_client ADD COLUMN resource_server_for TEXT NOT NULL DEFAULT '[]'; -- JSON array
ALTER TABLE oauth2_client ADD COLUMN other_metadata TEXT NOT NULL DEFAULT '{}'; -- JSON object
ALTER TABLE oauth2_client ADD COLUMN registration_token BLOB;            -- a digest
-- From now on client_secret is sha256:<base64url>, $argon2id$… (PHC) or sealed:<base64url>.

ALTER TABLE user_account ADD COLUMN external_subject TEXT;
-- Small where nobody comes from another page.
CREATE UNIQUE INDEX user_account_external_subject ON user_account (external_subject)
    WHERE external_subject IS NOT NULL;

ALTER TABLE session ADD COLUMN acr TEXT;                      -- NULL for the method's name
ALTER TABLE authorization_code ADD COLUMN acr TEXT;
ALTER TABLE authorization_code ADD COLUMN resource TEXT;      -- JSON array; NULL for none

CREATE TABLE token_family_2 (
    id                      BLOB    NOT NULL PRIMARY KEY,
    client_id               TEXT    NOT NULL,
    user_id                 BLOB,                  -- NULL for a client that acts for itself
    session_id              BLOB,                  -- NULL without a browser
    scope                   TEXT    NOT NULL,
    resource                TEXT,                  -- JSON array; NULL for none
    claims                  TEXT,                  -- JSON object; NULL for none
    auth_time               INTEGER,               -- NULL when this server saw no sign-in
    method                  TEXT,
    amr                     TEXT,                  -- separated by spaces
    acr                     TEXT,                  -- NULL for the method's name
    sole_access             BLOB,                  -- the one access token that works
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
INSERT INTO token_family_2 SELECT id, client_id, user_id, session_id, scope, NULL, claims,
    auth_time, method, amr, NULL, NULL, created_at, expires_at, revoked_at, refresh_current,
    refresh_previous, refresh_generation, refresh_rotated_at, refresh_idle_expires_at,
    refresh_expires_at, refresh_uses_left FROM token_family;
DROP TABLE token_family;
ALTER TABLE token_family_2 RENAME TO token_family;
-- For what revokes by client or person. A rotation changes none of these columns.
CREATE INDEX token_family_live ON token_family (client_id, user_id) WHERE revoked_at IS NULL;

CREATE TABLE access_token_2 (
    id         BLOB    NOT NULL PRIMARY KEY,
    digest     BLOB    NOT NULL,
    family_id  BLOB,                               -- NULL for a token of the client alone
    client_id  TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    audience   TEXT,                               -- JSON array; NULL for this server
    exchanged  TEXT,                               -- JSON object; NULL for none
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO access_token_2 SELECT t.id, t.digest, t.family_id, f.client_id, t.scope, NULL, NULL,
    t.issued_at, t.expires_at FROM access_token t JOIN token_family f ON f.id = t.family_id;
DROP TABLE access_token;
ALTER TABLE access_token_2 RENAME TO access_token;

CREATE TABLE revoked_token (
    id         BLOB    NOT NULL PRIMARY KEY,       -- of an access token
    expires_at INTEGER NOT NULL                    -- when the token does
) STRICT, WITHOUT ROWID;

CREATE TABLE device_authorization (
    id          BLOB    NOT NULL PRIMARY KEY,
    digest      BLOB    NOT NULL,
    user_code   TEXT    NOT NULL UNIQUE,
    client_id   TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    resource    TEXT,                              -- JSON array; NULL for none
    state       TEXT    NOT NULL,                  -- pending, approved, denied or redeemed
    redeemed_as BLOB,                              -- the token_family that it was exchanged for
    user_id     BLOB,                              -- who approved it; NULL until then
    session_id  BLOB,
    auth_time   INTEGER,
    method      TEXT,
    amr         TEXT,
    acr         TEXT,
    interval    INTEGER NOT NULL,                  -- seconds between two polls; grows
    polled_at   INTEGER,                           -- NULL before the first poll
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
-- For what ends them by client or person.
CREATE INDEX device_authorization_of ON device_authorization (client_id, user_id);

CREATE TABLE external_sign_in (
    id         BLOB    NOT NULL PRIMARY KEY,
    request_id BLOB,                               -- the pending_request that it belongs to
    then_path  TEXT,                               -- where the browser goes on without one
    browser    BLOB    NOT NULL,
    answer     TEXT,                               -- JSON object; NULL until there is one
    verifier   BLOB,                               -- NULL until there is an answer
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE used_once (
    id         BLOB    NOT NULL PRIMARY KEY,       -- a byte for the kind, then the digest
    expires_at INTEGER NOT NULL                    -- when it may be used again
) STRICT, WITHOUT ROWID;

-- For a second: who takes the id of a removed client then must not get its tokens.
CREATE TABLE removed_client (
    client_id  TEXT    NOT NULL PRIMARY KEY,
    removed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE initial_access_token (
    id         BLOB    NOT NULL PRIMARY KEY,
    digest     BLOB    NOT NULL,
    note       TEXT    NOT NULL,
    uses_left  INTEGER,                            -- NULL for no limit
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
