//! `/authorize`

mod answers;
mod bad_input;
mod front_channel;
mod identity;
mod prompt;
mod redirect_uri;
mod tabs;
