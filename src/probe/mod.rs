//! Adapters behind the ports of `launchready_checks::probe`: resolver, web client, handshake, mail
//! greeting, registry, folders, programs.
//!
//! Every adapter goes through one [`Dialer`], which holds the address guard, `connect_to` and the
//! limits per host.

mod blackbox;
#[doc(hidden)]
pub mod bytes;
mod client;
mod command;
mod dns;
mod egress;
mod files;
mod http;
mod limits;
mod reach;
mod registration;
mod roots;
mod route;
mod smtp;
mod tls;
mod trust;

pub use blackbox::{Blackbox, ProbeDenied, ProbeTargets};
pub(crate) use client::{account_client, bounded, call, fault};
pub use command::CommandProbe;
pub use dns::DnsProbe;
pub use egress::Egress;
pub use files::{FilesProbe, Listed, Scanned, list_keys, scan_folder};
pub use http::HttpProbe;
pub use limits::{Hosts, Limits, Sharers, Shares};
pub use reach::Reach;
pub use registration::RegistrationProbe;
pub use roots::{RootsError, roots};
pub use route::{ConnectTo, ConnectToError, Dialer, Network, is_private};
pub use smtp::SmtpProbe;
pub use tls::TlsProbe;
pub use trust::{Accepting, Judge, provider};
