//! The stand-ins as a program of its own.

fn main() {}
