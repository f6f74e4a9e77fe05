-- Ids are 16-byte version 7 UUIDs, digests 32-byte SHA-256, times whole seconds since the epoch.
-- Names are those of the SQLite schema. Nothing here is Postgres's alone but `fillfactor`, which
-- leaves room for rows that are changed often.

-- Rows that are locked where there is none of the thing itself to lock; store_lock is made before.
-- Of the numbered ones, whatever has a name of its own locks one.
INSERT INTO store_lock (name, used_at) VALUES ('audit', 0), ('ping', 0), ('signing_key', 0);
INSERT INTO store_lock (name, used_at) SELECT n::text, 0 FROM generate_series(0, 63) AS n;

-- Counts the changes of records that every node keeps in memory. One row.
CREATE TABLE cache_generation (
    name       text   NOT NULL PRIMARY KEY,
    generation bigint NOT NULL
);
INSERT INTO cache_generation (name, generation) VALUES ('records', 0);

CREATE TABLE oauth2_client (
    client_id                        text    NOT NULL PRIMARY KEY,
    token_endpoint_auth_method       text    NOT NULL,
    client_secret                    text,             -- sha256:<base64url>, $argon2id$… (PHC), sealed:<base64url> or NULL
    jwks                             text,             -- JSON object
    jwks_uri                         text,
    client_name                      text    NOT NULL,
    client_uri                       text,
    logo_uri                         text,
    policy_uri                       text,
    tos_uri                          text,
    redirect_uris                    text    NOT NULL, -- JSON array
    post_logout_redirect_uris        text    NOT NULL, -- JSON array
    grant_types                      text    NOT NULL, -- JSON array
    response_types                   text    NOT NULL, -- JSON array
    scope                            text    NOT NULL,
    require_pkce                     boolean NOT NULL,
    refresh                          text    NOT NULL, -- JSON object
    on_new_token                     text    NOT NULL,
    access_token_format              text,             -- NULL for opaque
    access_token_signed_response_alg text    NOT NULL,
    id_token_signed_response_alg     text    NOT NULL,
    resource_server_for              text    NOT NULL, -- JSON array
    lifetimes                        text    NOT NULL, -- JSON object
    sign_in_methods                  text    NOT NULL, -- JSON array
    requests_per_minute              bigint,
    other_metadata                   text    NOT NULL, -- JSON object
    registration_token               bytea,            -- a digest
    integrations                     text    NOT NULL, -- JSON array
    created_at                       bigint  NOT NULL
);

CREATE TABLE user_account (
    id               bytea   NOT NULL PRIMARY KEY,
    username         text    UNIQUE,
    email            text    UNIQUE,
    email_verified   boolean NOT NULL,
    name             text,
    external_subject text    UNIQUE,
    password         text,                             -- argon2id in PHC form
    status           text    NOT NULL,                 -- active or disabled
    created_at       bigint  NOT NULL,
    updated_at       bigint  NOT NULL
);

CREATE TABLE session (
    id              bytea  NOT NULL PRIMARY KEY,
    digest          bytea  NOT NULL,
    user_id         bytea  NOT NULL,
    auth_time       bigint NOT NULL,
    method          text   NOT NULL,
    amr             text   NOT NULL,                   -- separated by spaces
    acr             text,                              -- NULL for the method's name
    created_at      bigint NOT NULL,
    last_seen_at    bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    expires_at      bigint NOT NULL,
    user_agent      text   NOT NULL,
    address         text   NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);

CREATE TABLE pending_request (
    id             bytea   NOT NULL PRIMARY KEY,
    parameters     text    NOT NULL,
    browser        bytea,
    account_chosen boolean NOT NULL,
    created_at     bigint  NOT NULL,
    expires_at     bigint  NOT NULL
);

CREATE TABLE authorization_code (
    id                 bytea   NOT NULL PRIMARY KEY,
    digest             bytea   NOT NULL,
    client_id          text    NOT NULL,
    user_id            bytea   NOT NULL,
    session_id         bytea   NOT NULL,
    redirect_uri       text    NOT NULL,
    redirect_uri_given boolean NOT NULL,
    scope              text    NOT NULL,
    resource           text,                           -- JSON array; NULL for none
    claims             text,                           -- JSON object; NULL for none
    nonce              text,
    challenge          bytea,
    auth_time          bigint  NOT NULL,
    method             text    NOT NULL,
    amr                text    NOT NULL,
    acr                text,
    created_at         bigint  NOT NULL,
    expires_at         bigint  NOT NULL,
    spent_at           bigint,
    redeemed_as        bytea                           -- the token_family that it was exchanged for
);
-- Small: a code leaves it when it is spent. Withdrawing and removing must find the others.
CREATE INDEX authorization_code_unspent ON authorization_code (client_id, user_id)
    WHERE spent_at IS NULL;

CREATE TABLE token_family (
    id                      bytea  NOT NULL PRIMARY KEY,
    client_id               text   NOT NULL,
    user_id                 bytea,                     -- NULL for a client that acts for itself
    session_id              bytea,                     -- NULL without a browser
    scope                   text   NOT NULL,
    resource                text,                      -- JSON array; NULL for none
    claims                  text,                      -- JSON object; NULL for none
    auth_time               bigint,                    -- NULL when this server saw no sign-in
    method                  text,
    amr                     text,                      -- separated by spaces
    acr                     text,                      -- NULL for the method's name
    sole_access             bytea,                     -- the one access token that works
    created_at              bigint NOT NULL,
    expires_at              bigint NOT NULL,
    revoked_at              bigint,
    refresh_current         bytea,                     -- NULL without a refresh token
    refresh_previous        bytea,
    refresh_generation      bigint,
    refresh_rotated_at      bigint,
    refresh_idle_expires_at bigint,
    refresh_expires_at      bigint,
    refresh_uses_left       bigint
) WITH (fillfactor = 80);
-- For what revokes by client or person. A rotation changes none of these columns.
CREATE INDEX token_family_live ON token_family (client_id, user_id) WHERE revoked_at IS NULL;

CREATE TABLE access_token (
    id         bytea  NOT NULL PRIMARY KEY,
    digest     bytea  NOT NULL,
    family_id  bytea,                                  -- NULL for a token of the client alone
    client_id  text   NOT NULL,
    scope      text   NOT NULL,
    audience   text,                                   -- JSON array; NULL for this server
    exchanged  text,                                   -- JSON object; NULL for none
    issued_at  bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE revoked_token (
    id         bytea  NOT NULL PRIMARY KEY,            -- of an access token
    expires_at bigint NOT NULL                         -- when the token does
);

CREATE TABLE consent (
    user_id    bytea  NOT NULL,
    client_id  text   NOT NULL,
    scope      text   NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consent_of_client ON consent (client_id);

CREATE TABLE device_authorization (
    id          bytea  NOT NULL PRIMARY KEY,
    digest      bytea  NOT NULL,
    user_code   text   NOT NULL UNIQUE,
    client_id   text   NOT NULL,
    scope       text   NOT NULL,
    resource    text,                                  -- JSON array; NULL for none
    state       text   NOT NULL,                       -- pending, approved, denied or redeemed
    redeemed_as bytea,                                 -- the token_family that it was exchanged for
    user_id     bytea,                                 -- who approved it; NULL until then
    session_id  bytea,
    auth_time   bigint,
    method      text,
    amr         text,
    acr         text,
    interval    bigint NOT NULL,                       -- seconds between two polls; grows
    polled_at   bigint,                                -- NULL before the first poll
    created_at  bigint NOT NULL,
    expires_at  bigint NOT NULL
);
-- For what ends them by client or person.
CREATE INDEX device_authorization_of ON device_authorization (client_id, user_id);

CREATE TABLE external_sign_in (
    id         bytea  NOT NULL PRIMARY KEY,
    request_id bytea,                                  -- the pending_request that it belongs to
    then_path  text,                                   -- where the browser goes on without one
    browser    bytea  NOT NULL,
    answer     text,                                   -- JSON object; NULL until there is one
    verifier   bytea,                                  -- NULL until there is an answer
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE used_once (
    id         bytea  NOT NULL PRIMARY KEY,            -- a byte for the kind, then the digest
    expires_at bigint NOT NULL                         -- when it may be used again
);

-- Rate limits that nodes share.
CREATE TABLE rate_limit (
    key      bytea  NOT NULL PRIMARY KEY,              -- which limit, and a keyed hash of whose it is
    whole_at bigint NOT NULL                           -- nothing is spent from then on; milliseconds
);

-- For a second: who takes the id of a removed client then must not get its tokens.
CREATE TABLE removed_client (
    client_id  text   NOT NULL PRIMARY KEY,
    removed_at bigint NOT NULL
);

CREATE TABLE initial_access_token (
    id         bytea  NOT NULL PRIMARY KEY,
    digest     bytea  NOT NULL,
    note       text   NOT NULL,
    uses_left  bigint,                                 -- NULL for no limit
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE sign_in_attempt (
    id         bytea  NOT NULL PRIMARY KEY,
    request_id bytea,
    browser    bytea  NOT NULL,
    email      text   NOT NULL,
    token      bytea  NOT NULL,
    tries_left bigint NOT NULL,                        -- 0 when the attempt is over
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX sign_in_attempt_of_address ON sign_in_attempt (email, created_at);

CREATE TABLE outbox_mail (
    id         bytea   NOT NULL PRIMARY KEY,
    sealed     bytea   NOT NULL,
    deliver    boolean NOT NULL,
    attempts   bigint  NOT NULL,
    due_at     bigint  NOT NULL,
    expires_at bigint  NOT NULL
);
CREATE INDEX outbox_mail_due ON outbox_mail (due_at);

CREATE TABLE signing_key (
    kid         text   NOT NULL PRIMARY KEY,
    place       bigint NOT NULL,                       -- counts the keys, for those of one second
    algorithm   text   NOT NULL,
    sealed      bytea  NOT NULL,
    created_at  bigint NOT NULL,
    active_from bigint NOT NULL,
    retires_at  bigint
);

-- The vault. Whatever is sealed begins with a byte for its version and the id of its key (8 bytes).

CREATE TABLE connection (
    id                   bytea   NOT NULL PRIMARY KEY,
    integration          text    NOT NULL,
    client_id            text    NOT NULL,             -- ours at the provider, when it was granted
    subject              text    NOT NULL,             -- empty for an integration that acts for itself
    account_sub          text    NOT NULL,             -- the provider's id of the account
    account_email        text,
    account_address      text,                         -- account_email, ASCII letters in lower case
    account_name         text,
    account_organization text,
    scope                text    NOT NULL,
    requested_scope      text    NOT NULL,
    status               text    NOT NULL,             -- active, reauth_required or disconnecting
    reauth               text,                         -- JSON object; NULL unless reauth_required
    disconnecting_since  bigint,                       -- NULL unless disconnecting
    generation           bigint  NOT NULL,             -- counts the grants
    version              bigint  NOT NULL,             -- counts the answers with tokens
    issued_at            bigint  NOT NULL,
    expires_at           bigint,                       -- of the access token; NULL for never
    refreshable          boolean NOT NULL,
    refresh_expires_at   bigint,
    refresh_used_at      bigint  NOT NULL,
    rotates              boolean,                      -- NULL until there was a refresh
    variables            text,                         -- JSON object; NULL for none
    trouble              text,                         -- JSON object; NULL for none
    due_at               bigint,                       -- NULL for never
    created_at           bigint  NOT NULL,
    connected_at         bigint  NOT NULL,
    last_used_at         bigint
) WITH (fillfactor = 80);
-- A refresh changes none of these columns, but for due_at. With the id, an index gives the order.
CREATE INDEX connection_of_subject ON connection (subject, integration, id);
CREATE INDEX connection_of_integration ON connection (integration, id);
CREATE UNIQUE INDEX connection_of_account ON connection (account_sub, integration, subject);
CREATE INDEX connection_of_address ON connection (account_address)
    WHERE account_address IS NOT NULL;
CREATE INDEX connection_not_active ON connection (status, id) WHERE status <> 'active';
CREATE INDEX connection_due ON connection (due_at) WHERE due_at IS NOT NULL;

-- The tokens, sealed under a data key of their own, which is wrapped by a key-encryption key.
CREATE TABLE credential (
    connection_id          bytea  NOT NULL PRIMARY KEY,
    generation             bigint NOT NULL,
    version                bigint NOT NULL,
    data_key               bytea  NOT NULL,
    key_id                 bytea  GENERATED ALWAYS AS (substr(data_key, 2, 8)) STORED,
    token_type             text   NOT NULL,
    access_token           bytea  NOT NULL,
    refresh_token          bytea,
    previous_refresh_token bytea,
    id_token               bytea
) WITH (fillfactor = 80);
-- For what wraps data keys anew; a refresh keeps the data key.
CREATE INDEX credential_of_key ON credential (key_id, connection_id);

-- Written before the provider is called, removed with its answer. At most one for a connection.
CREATE TABLE refresh_attempt (
    connection_id bytea   NOT NULL PRIMARY KEY,
    id            bytea   NOT NULL,                    -- whoever knows it owns the lease
    generation    bigint  NOT NULL,
    version       bigint  NOT NULL,
    again         boolean NOT NULL,
    started_at    bigint  NOT NULL,
    leased_until  bigint  NOT NULL
);

CREATE TABLE integration_pause (
    integration text   NOT NULL PRIMARY KEY,
    error       text   NOT NULL,
    detail      text   NOT NULL,
    fingerprint text   NOT NULL,                       -- of the client that the provider refuses
    since       bigint NOT NULL,
    next_at     bigint NOT NULL
);

CREATE TABLE connect_session (
    id            bytea  NOT NULL PRIMARY KEY,
    digest        bytea  NOT NULL,                     -- of the link
    integration   text   NOT NULL,
    subject       text   NOT NULL,
    scope         text   NOT NULL,
    account_hint  text,
    reconnect     bytea,                               -- the connection that is granted again
    return_url    text,
    mode          text   NOT NULL,                     -- bound, self_service or link
    made_by       text   NOT NULL,
    step          text   NOT NULL,                     -- open, started, waiting, done or failed
    step_digest   bytea,                               -- of the state (started) or the code (waiting)
    browser       bytea,
    step_until    bigint,                              -- when the state expires
    sealed        bytea,
    connection_id bytea,                               -- when it is done
    failure       text,                                -- when it has failed
    created_at    bigint NOT NULL,
    expires_at    bigint NOT NULL
);

CREATE TABLE api_key (
    id              text   NOT NULL PRIMARY KEY,
    service         text   NOT NULL,
    digest          bytea  NOT NULL,                   -- HMAC-SHA256 under a key that is not here
    previous_digest bytea,                             -- NULL unless the secret was replaced
    previous_until  bigint,
    rights          text   NOT NULL,                   -- JSON object
    created_at      bigint NOT NULL,
    expires_at      bigint,                            -- NULL for never
    revoked_at      bigint,
    last_used_at    bigint
);

-- Entries are added, and never changed or removed: grant whoever uses the database no more.
CREATE TABLE audit_event (
    sequence bigint NOT NULL PRIMARY KEY,              -- from 1, without gaps
    id       bytea  NOT NULL,
    at       bigint NOT NULL,
    action   text   NOT NULL,
    actor    text   NOT NULL,
    target   text   NOT NULL,
    details  text   NOT NULL,                          -- JSON object
    mac      bytea  NOT NULL,                          -- HMAC-SHA256 under a key that is not here
    hash     bytea  NOT NULL                           -- over the hash before, sequence and mac
);

CREATE TABLE webhook_notice (
    id         bytea  NOT NULL PRIMARY KEY,
    endpoint   text   NOT NULL,
    event      text   NOT NULL,
    body       text   NOT NULL,                        -- JSON, as it is sent
    attempts   bigint NOT NULL,
    due_at     bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX webhook_notice_due ON webhook_notice (endpoint, due_at);

CREATE TABLE server_secret (
    name   text  NOT NULL PRIMARY KEY,
    sealed bytea NOT NULL
);
