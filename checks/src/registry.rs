//! The only list of checks.

use crate::contract::{FindingSpec, Plugin, plugin};
use crate::{
    automation, crm, dns, domain, external, mail, ops, orders, secrets, stripe, supabase, support,
    tls, web, webhook,
};

/// Every check, in the order in which reports show them.
pub const ALL: &[Plugin] = &[
    plugin::<domain::Registration>(),
    plugin::<dns::Resolution>(),
    plugin::<dns::Subdomains>(),
    plugin::<dns::Drift>(),
    plugin::<mail::Spf>(),
    plugin::<mail::Dkim>(),
    plugin::<mail::Dmarc>(),
    plugin::<mail::Transport>(),
    plugin::<tls::Certificate>(),
    plugin::<tls::Protocol>(),
    plugin::<web::Redirects>(),
    plugin::<web::Headers>(),
    plugin::<web::Cors>(),
    plugin::<web::Caching>(),
    plugin::<web::Edge>(),
    plugin::<web::Uptime>(),
    plugin::<web::RateLimits>(),
    plugin::<web::Pages>(),
    plugin::<web::Speed>(),
    plugin::<secrets::Bundle>(),
    plugin::<secrets::Files>(),
    plugin::<secrets::Source>(),
    plugin::<stripe::Account>(),
    plugin::<stripe::Webhooks>(),
    plugin::<stripe::Deliveries>(),
    plugin::<orders::OrphanedCheckouts>(),
    plugin::<orders::Unpaid>(),
    plugin::<orders::Duplicates>(),
    plugin::<orders::Subscriptions>(),
    plugin::<orders::UnprocessedEvents>(),
    plugin::<orders::Idempotency>(),
    plugin::<webhook::Processing>(),
    plugin::<supabase::Rls>(),
    plugin::<supabase::AnonAccess>(),
    plugin::<supabase::Functions>(),
    plugin::<supabase::Settings>(),
    plugin::<crm::Sync>(),
    plugin::<crm::Contacts>(),
    plugin::<support::Backlog>(),
    plugin::<support::Intake>(),
    plugin::<automation::Runs>(),
    plugin::<ops::Heartbeat>(),
    plugin::<ops::Alerting>(),
    plugin::<ops::Deployment>(),
    plugin::<ops::Attestation>(),
    plugin::<ops::Busywork>(),
    plugin::<external::Command>(),
    plugin::<external::Sql>(),
    plugin::<external::Http>(),
];

/// The check of this id.
pub fn find(id: &str) -> Option<&'static Plugin> {
    ALL.iter().find(|plugin| plugin.meta.id == id)
}

/// Where a check stands in [`ALL`]; one that is not there comes last.
pub fn place(id: &str) -> usize {
    ALL.iter().position(|plugin| plugin.meta.id == id).unwrap_or(ALL.len())
}

/// The check that owns a finding code, and the code's entry.
pub fn find_code(code: &str) -> Option<(&'static Plugin, &'static FindingSpec)> {
    ALL.iter().find_map(|plugin| {
        plugin.meta.findings.iter().find(|spec| spec.code == code).map(|spec| (plugin, spec))
    })
}
