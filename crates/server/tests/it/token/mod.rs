//! `/token`

mod authorization_code;
mod bad_input;
mod client_auth;
mod id_token;
mod refresh_token;
