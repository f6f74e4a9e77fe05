//! A Google to sign in at, to connect and to be refused by.
