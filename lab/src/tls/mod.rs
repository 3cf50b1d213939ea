//! Certificates, and the versions of TLS that libraries speak or do not speak any more.

pub(crate) mod hello;
pub(crate) mod old;
mod pki;

pub(crate) use pki::{Endpoint, Pki};
