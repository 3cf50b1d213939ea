//! The web site as a browser sees it.

mod site;
mod visit;
