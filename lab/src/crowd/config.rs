//! The config with which the agent looks at a crowd.

use std::path::Path;

use toml::{Table, Value};

use super::{CrowdOptions, Places, domain};

/// The checks that look at each project unless others are named: outside ones that may look every five minutes.
pub(super) const LOOKS: [&str; 10] = [
    "dns-resolution",
    "mail-spf",
    "mail-dkim",
    "tls-certificate",
    "web-redirects",
    "web-pages",
    "web-headers",
    "web-uptime",
    "web-cors",
    "web-caching",
];
/// The other checks.
const REST: &[&str] = &[
    "automation-runs",
    "crm-contacts",
    "crm-sync",
    "dns-drift",
    "dns-subdomains",
    "domain-registration",
    "external-command",
    "external-http",
    "external-sql",
    "mail-dmarc",
    "mail-transport",
    "ops-attestation",
    "ops-busywork",
    "ops-deployment",
    "ops-heartbeat",
    "ops-alerting",
    "orders-duplicates",
    "orders-idempotency",
    "orders-orphaned-checkouts",
    "orders-subscriptions",
    "orders-unpaid",
    "orders-unprocessed-events",
    "secrets-bundle",
    "secrets-files",
    "secrets-source",
    "stripe-account",
    "stripe-deliveries",
    "stripe-webhooks",
    "supabase-anon-access",
    "supabase-functions",
    "supabase-rls",
    "supabase-settings",
    "support-backlog",
    "support-intake",
    "tls-protocol",
    "web-edge",
    "web-rate-limits",
    "web-speed",
    "webhook-processing",
];
/// The parts that no project has.
const NOT_USED: [&str; 6] = ["stripe", "supabase", "database", "crm", "support", "automation"];

/// The ids of all checks.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    LOOKS.iter().chain(REST).copied()
}

/// Writes the config.
pub(super) fn render(
    projects: usize,
    options: &CrowdOptions,
    ca: &Path,
    places: &Places,
) -> String {
    let rule = |from: &str, to: std::net::SocketAddr| {
        Value::Table(table([("from", from.into()), ("to", to.to_string().into())]))
    };
    let rules = vec![
        rule(&places.resolver.to_string(), places.resolver),
        rule("198.51.100.53:53", places.names),
        rule("203.0.113.53:53", places.names),
        rule("192.0.2.53:53", places.above),
        rule("198.41.0.4:53", places.above),
        rule("*:80", places.http),
        rule("*:443", places.https),
        rule("*:*", places.nowhere.address()),
    ];
    let network = table([
        ("resolvers", vec![places.resolver.to_string()].into()),
        ("extra_roots", vec![ca.display().to_string()].into()),
        ("allow_private", true.into()),
        ("connect_to", rules.into()),
    ]);
    let every = format!("{}s", options.every.as_secs());
    let mut checks = Table::new();
    for id in ids() {
        let own = if !options.checks.iter().any(|looks| looks == id) {
            table([("enabled", false.into())])
        } else if id == "web-uptime" {
            let samples = i64::from(options.uptime_samples).into();
            table([("every", every.as_str().into()), ("samples", samples)])
        } else {
            table([("every", every.as_str().into())])
        };
        checks.insert(id.to_owned(), own.into());
    }
    let project = |number| {
        let name = domain(number);
        let label = name.split('.').next().unwrap_or_default().to_owned();
        let mail =
            table([("sends_from", vec![name.clone()].into()), ("selectors", vec!["mail"].into())]);
        Value::Table(table([
            ("name", label.into()),
            ("domain", name.into()),
            ("hosts", vec!["www"].into()),
            ("not_used", NOT_USED.to_vec().into()),
            ("mail", mail.into()),
        ]))
    };
    let projects: Vec<Value> = (1..=projects).map(project).collect();
    table([("network", network.into()), ("checks", checks.into()), ("project", projects.into())])
        .to_string()
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
