//! `POST /oauth/token` and `POST /oauth/refresh`.

mod asking;
mod crash;
mod failures;
mod flights;
mod for_itself;
mod outage;
mod serving;
mod sweeper;
