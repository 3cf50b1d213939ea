//! The web site as a browser sees it.

mod caching;
mod cookie;
mod cors;
mod edge;
mod headers;
mod pages;
mod rate_limits;
mod recipe;
mod redirects;
mod site;
mod speed;
mod uptime;
mod visit;
mod walk;

pub use caching::Caching;
pub use cors::Cors;
pub use edge::Edge;
pub use headers::Headers;
pub use pages::Pages;
pub use rate_limits::RateLimits;
pub use redirects::Redirects;
pub use speed::Speed;
pub use uptime::Uptime;
