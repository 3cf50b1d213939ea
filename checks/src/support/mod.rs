//! Whether requests for help arrive and are answered.

mod backlog;
mod hours;
mod intake;
mod source;
mod table;
mod words;

pub use backlog::Backlog;
pub use intake::Intake;
