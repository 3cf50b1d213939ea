//! launchready.
fn main() {}
