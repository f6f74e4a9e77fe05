//! `/login`

mod admin_token;
mod limits;
mod password;
