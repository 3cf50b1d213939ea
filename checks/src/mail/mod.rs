//! The mail of the domain: who may send in its name, and who can tell.

pub mod providers;
