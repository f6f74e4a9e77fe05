//! `/authorize`

mod answers;
mod bad_input;
mod identity;
mod prompt;
mod redirect_uri;
mod tabs;
