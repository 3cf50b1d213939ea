//! The stack of a product, as it shows from outside: pure recognisers over what probes saw, and the config
//! that is drafted from it.
//!
//! One file a kind of sign. Nothing here reaches the world; `app::discovery` looks, and hands over bytes.

pub mod access;
mod bundle;
mod draft;
mod hosting;
mod mail;
mod paths;
mod signs;
mod stack;
mod subdomains;

pub use access::{ACCESS, Access, Credential, Part};
pub use bundle::{Bundle, read_anon_key};
pub use draft::{
    Addition, Answers, Draft, Merge, MergeError, NetworkLines, Wanted, merge, standing,
};
pub use hosting::{Place, platform};
pub use mail::{BOUNCE_LABELS, Key, Mail, MailRecords, recognise_mail};
pub use paths::{
    CHECKOUT_FUNCTIONS, LegalPages, OAUTH_PATHS, WEBHOOK_FUNCTIONS, WEBHOOK_PATHS, exists,
};
pub use signs::{Kind, SIGNS, Sign};
pub use stack::{HostSeen, Sighting, Stack, Supabase};
pub use subdomains::{is_product, token};
