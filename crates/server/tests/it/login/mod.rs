//! `/login`

mod admin_token;
mod external;
mod external_example;
mod limits;
mod password;
