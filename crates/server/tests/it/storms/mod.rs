//! Many at once, and the power cut in between.

mod disk_full;
mod kill;
mod race;
