//! `/token`

mod authorization_code;
mod bad_input;
mod client_auth;
mod client_credentials;
mod id_token;
mod password;
mod refresh_token;
mod resource;
mod token_exchange;
