//! `/connections`: what is connected, for services and for people.

mod api;
mod disconnect;
mod page;
