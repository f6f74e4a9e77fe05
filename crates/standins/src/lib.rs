//! Providers to develop and test against without a network: a Google, and one with every quirk.
