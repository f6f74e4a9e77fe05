//! `/connections`: what is connected, for services and for people.
