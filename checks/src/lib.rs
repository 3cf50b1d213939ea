//! The checks of launchready, and nothing else: no network, no database, no clock, no environment.
//!
//! A check asks one question about a project. It looks through the ports in [`probe`] and judges
//! what it saw; [`registry::ALL`] is the only list of checks.

pub mod automation;
pub mod contract;
pub mod crm;
pub mod dns;
pub mod document;
pub mod domain;
pub mod external;
pub mod mail;
pub mod ops;
pub mod orders;
pub mod probe;
pub mod registry;
pub mod secrets;
pub mod stripe;
pub mod suffix;
pub mod supabase;
pub mod support;
pub mod tls;
pub mod vendor;
pub mod web;
pub mod webhook;
