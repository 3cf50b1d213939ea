//! Keys and files that nobody should be able to read.

mod bundle;
pub mod detector;
mod files;
mod leak;
mod source;

pub use bundle::{Bundle, downloads};
pub use files::Files;
pub use source::Source;
