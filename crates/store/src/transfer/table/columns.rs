//! The columns of each table, those of its key first.

use super::{Column, ColumnKind};

const fn integer(name: &'static str) -> Column {
    Column { name, kind: ColumnKind::Integer, nullable: false }
}

const fn flag(name: &'static str) -> Column {
    Column { name, kind: ColumnKind::Flag, nullable: false }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: ColumnKind::Text, nullable: false }
}

const fn blob(name: &'static str) -> Column {
    Column { name, kind: ColumnKind::Blob, nullable: false }
}

const fn id(name: &'static str) -> Column {
    Column { name, kind: ColumnKind::Id, nullable: false }
}

const fn maybe(column: Column) -> Column {
    Column { nullable: true, ..column }
}

pub(super) const SERVER_SECRET: &[Column] = &[text("name"), blob("sealed")];

pub(super) const SIGNING_KEY: &[Column] = &[
    text("kid"),
    integer("place"), // counts the keys, for those of one second
    text("algorithm"),
    blob("sealed"),
    integer("created_at"),
    integer("active_from"),
    maybe(integer("retires_at")),
];

pub(super) const CLIENT: &[Column] = &[
    text("client_id"),
    maybe(text("client_secret")),
    text("client_name"),
    maybe(text("client_uri")),
    maybe(text("logo_uri")),
    maybe(text("policy_uri")),
    maybe(text("tos_uri")),
    text("redirect_uris"),
    text("post_logout_redirect_uris"),
    text("grant_types"),
    text("scope"),
    flag("require_pkce"),
    text("refresh"),
    text("id_token_signed_response_alg"),
    text("lifetimes"),
    text("sign_in_methods"),
    maybe(integer("requests_per_minute")),
    integer("created_at"),
    text("token_endpoint_auth_method"),
    maybe(text("jwks")),
    maybe(text("jwks_uri")),
    text("response_types"),
    text("on_new_token"),
    maybe(text("access_token_format")),
    text("access_token_signed_response_alg"),
    text("resource_server_for"),
    text("other_metadata"),
    maybe(blob("registration_token")),
    text("integrations"),
];

pub(super) const REMOVED_CLIENT: &[Column] = &[text("client_id"), integer("removed_at")];

pub(super) const INITIAL_TOKEN: &[Column] = &[
    id("id"),
    blob("digest"),
    text("note"),
    maybe(integer("uses_left")),
    integer("created_at"),
    integer("expires_at"),
];

pub(super) const USER: &[Column] = &[
    id("id"),
    maybe(text("username")),
    maybe(text("email")),
    flag("email_verified"),
    maybe(text("name")),
    maybe(text("password")),
    text("status"),
    integer("created_at"),
    integer("updated_at"),
    maybe(text("external_subject")),
];

pub(super) const SESSION: &[Column] = &[
    id("id"),
    blob("digest"),
    id("user_id"),
    integer("auth_time"),
    text("method"),
    text("amr"),
    integer("created_at"),
    integer("last_seen_at"),
    integer("idle_expires_at"),
    integer("expires_at"),
    text("user_agent"),
    text("address"),
    maybe(text("acr")),
];

pub(super) const CONSENT: &[Column] = &[
    id("user_id"),
    text("client_id"),
    text("scope"),
    integer("created_at"),
    integer("updated_at"),
];

pub(super) const PENDING_REQUEST: &[Column] = &[
    id("id"),
    text("parameters"),
    maybe(blob("browser")),
    flag("account_chosen"),
    integer("created_at"),
    integer("expires_at"),
];

pub(super) const SIGN_IN_ATTEMPT: &[Column] = &[
    id("id"),
    maybe(id("request_id")),
    blob("browser"),
    text("email"),
    blob("token"),
    integer("tries_left"),
    integer("created_at"),
    integer("expires_at"),
];

pub(super) const EXTERNAL_SIGN_IN: &[Column] = &[
    id("id"),
    maybe(id("request_id")),
    maybe(text("then_path")),
    blob("browser"),
    maybe(text("answer")),
    maybe(blob("verifier")),
    integer("created_at"),
    integer("expires_at"),
];

pub(super) const OUTBOX_MAIL: &[Column] = &[
    id("id"),
    blob("sealed"),
    flag("deliver"),
    integer("attempts"),
    integer("due_at"),
    integer("expires_at"),
];

pub(super) const CODE: &[Column] = &[
    id("id"),
    blob("digest"),
    text("client_id"),
    id("user_id"),
    id("session_id"),
    text("redirect_uri"),
    flag("redirect_uri_given"),
    text("scope"),
    maybe(text("claims")),
    maybe(text("nonce")),
    maybe(blob("challenge")),
    integer("auth_time"),
    text("method"),
    text("amr"),
    integer("created_at"),
    integer("expires_at"),
    maybe(integer("spent_at")),
    maybe(id("redeemed_as")),
    maybe(text("acr")),
    maybe(text("resource")),
];

pub(super) const DEVICE: &[Column] = &[
    id("id"),
    blob("digest"),
    text("user_code"),
    text("client_id"),
    text("scope"),
    maybe(text("resource")),
    text("state"),
    maybe(id("redeemed_as")),
    maybe(id("user_id")),
    maybe(id("session_id")),
    maybe(integer("auth_time")),
    maybe(text("method")),
    maybe(text("amr")),
    maybe(text("acr")),
    integer("interval"),
    maybe(integer("polled_at")),
    integer("created_at"),
    integer("expires_at"),
];

pub(super) const FAMILY: &[Column] = &[
    id("id"),
    text("client_id"),
    maybe(id("user_id")),
    maybe(id("session_id")),
    text("scope"),
    maybe(text("resource")),
    maybe(text("claims")),
    maybe(integer("auth_time")),
    maybe(text("method")),
    maybe(text("amr")),
    maybe(text("acr")),
    maybe(id("sole_access")),
    integer("created_at"),
    integer("expires_at"),
    maybe(integer("revoked_at")),
    maybe(blob("refresh_current")),
    maybe(blob("refresh_previous")),
    maybe(integer("refresh_generation")),
    maybe(integer("refresh_rotated_at")),
    maybe(integer("refresh_idle_expires_at")),
    maybe(integer("refresh_expires_at")),
    maybe(integer("refresh_uses_left")),
];

pub(super) const ACCESS_TOKEN: &[Column] = &[
    id("id"),
    blob("digest"),
    maybe(id("family_id")),
    text("client_id"),
    text("scope"),
    maybe(text("audience")),
    maybe(text("exchanged")),
    integer("issued_at"),
    integer("expires_at"),
];

pub(super) const REVOKED_TOKEN: &[Column] = &[id("id"), integer("expires_at")];

pub(super) const USED_ONCE: &[Column] = &[blob("id"), integer("expires_at")];

pub(super) const CONNECTION: &[Column] = &[
    id("id"),
    text("integration"),
    text("client_id"),
    text("subject"),
    text("account_sub"),
    maybe(text("account_email")),
    maybe(text("account_name")),
    maybe(text("account_organization")),
    text("scope"),
    text("requested_scope"),
    text("status"),
    maybe(text("reauth")),
    maybe(integer("disconnecting_since")),
    integer("generation"),
    integer("version"),
    integer("issued_at"),
    maybe(integer("expires_at")),
    flag("refreshable"),
    maybe(integer("refresh_expires_at")),
    integer("refresh_used_at"),
    maybe(flag("rotates")),
    maybe(text("variables")),
    maybe(text("trouble")),
    maybe(integer("due_at")),
    integer("created_at"),
    integer("connected_at"),
    maybe(integer("last_used_at")),
];

pub(super) const CREDENTIAL: &[Column] = &[
    id("connection_id"),
    integer("generation"),
    integer("version"),
    blob("data_key"),
    text("token_type"),
    blob("access_token"),
    maybe(blob("refresh_token")),
    maybe(blob("previous_refresh_token")),
    maybe(blob("id_token")),
];

pub(super) const REFRESH_ATTEMPT: &[Column] = &[
    id("connection_id"),
    id("id"),
    integer("generation"),
    integer("version"),
    flag("again"),
    integer("started_at"),
    integer("leased_until"),
];

pub(super) const PAUSE: &[Column] = &[
    text("integration"),
    text("error"),
    text("detail"),
    text("fingerprint"),
    integer("since"),
    integer("next_at"),
];

pub(super) const CONNECT_SESSION: &[Column] = &[
    id("id"),
    blob("digest"),
    text("integration"),
    text("subject"),
    text("scope"),
    maybe(text("account_hint")),
    maybe(id("reconnect")),
    maybe(text("return_url")),
    text("mode"),
    text("made_by"),
    text("step"),
    maybe(blob("step_digest")),
    maybe(blob("browser")),
    maybe(integer("step_until")),
    maybe(blob("sealed")),
    maybe(id("connection_id")),
    maybe(text("failure")),
    integer("created_at"),
    integer("expires_at"),
];

pub(super) const API_KEY: &[Column] = &[
    text("id"),
    text("service"),
    blob("digest"),
    maybe(blob("previous_digest")),
    maybe(integer("previous_until")),
    text("rights"),
    integer("created_at"),
    maybe(integer("expires_at")),
    maybe(integer("revoked_at")),
    maybe(integer("last_used_at")),
];

pub(super) const AUDIT_EVENT: &[Column] = &[
    integer("sequence"),
    id("id"),
    integer("at"),
    text("action"),
    text("actor"),
    text("target"),
    text("details"),
    blob("mac"),
    blob("hash"),
];

pub(super) const NOTICE: &[Column] = &[
    id("id"),
    text("endpoint"),
    text("event"),
    text("body"),
    integer("attempts"),
    integer("due_at"),
    integer("expires_at"),
];
