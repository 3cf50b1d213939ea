//! Questions that the user brings along: a program, a statement, a URL.
//!
//! Each check holds any number of named questions and asks all of them in one run. The subject of a
//! finding and the label of a measurement are the question's name.

mod command;
mod http;
mod json_path;
mod plugin_output;
mod question;
mod range;
mod sql;
mod value;

pub use command::Command;
pub use http::Http;
pub use sql::Sql;
