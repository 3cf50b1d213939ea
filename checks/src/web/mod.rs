//! The web site as a browser sees it.

mod caching;
mod cookie;
mod cors;
mod headers;
mod recipe;
mod redirects;
mod site;
mod speed;
mod visit;
mod walk;

pub use caching::Caching;
pub use cors::Cors;
pub use headers::Headers;
pub use redirects::Redirects;
pub use speed::Speed;
