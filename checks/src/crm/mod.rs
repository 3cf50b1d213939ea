//! Whether customers and orders reach the CRM.

mod contacts;
mod orders;
mod sync;
mod words;

pub use contacts::Contacts;
pub use sync::Sync;
pub use words::{State, state};
