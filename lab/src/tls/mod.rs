//! Certificates, and the versions of TLS that libraries speak or do not speak any more.

mod authority;
pub(crate) mod hello;
pub(crate) mod old;
mod pki;

pub use authority::{CertificateAuthority, Issued};
pub(crate) use pki::{Endpoint, Pki};
