//! `/device`, and what the device gets: RFC 8628 §3.3 to §3.5.

mod answers;
mod page;
mod polls;
