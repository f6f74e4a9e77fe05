//! `/token`

mod assertion;
mod authorization_code;
mod bad_input;
mod chosen_secret;
mod client_auth;
mod client_credentials;
mod id_token;
mod jwt_bearer;
mod password;
mod refresh_token;
mod resource;
mod token_exchange;
mod vault_exchange;
