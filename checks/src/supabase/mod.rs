//! A Supabase project: who may read its tables, how its functions do, and how it is set.

mod anon_access;
mod functions;
mod rls;
mod settings;
mod source;

pub use anon_access::AnonAccess;
pub use functions::Functions;
pub use rls::Rls;
pub use settings::Settings;
