//! What the account at the edge network says: its settings, and records that lead around it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    DEVELOPMENT_MODE, DNSSEC_PENDING, Evidence, HTTPS_OPTIONAL, ORIGIN_REVEALED, PAUSED,
    UNENCRYPTED, UNVERIFIED,
};
use crate::contract::{Assessment, Bounded, FindingSpec, Target, Unseen};
use crate::probe::{EdgeRecord, EdgeZone, Missing, ProbeError, Probes};
use crate::suffix::registrable;

/// Names that evidence keeps.
const NAMES: usize = 20;

/// The zone as the account shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(super) enum Account {
    /// No token is configured.
    #[default]
    NotAsked,
    /// It could not be asked.
    NotSeen {
        reason: String,
        unlock: String,
    },
    /// The token sees no such zone.
    NoZone {
        vendor: String,
        name: String,
    },
    Zone(Box<Zone>),
}

/// One zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Zone {
    vendor: String,
    name: String,
    status: String,
    active: bool,
    paused: bool,
    settings: BTreeMap<String, String>,
    unseen: BTreeMap<String, String>,
    /// Names that go through the edge; absent where records could not be read.
    proxied: Option<usize>,
    /// Records past the edge whose address stands behind a name that goes through it.
    revealing: Bounded<Revealing>,
    /// Why not every record was seen.
    records_unseen: Option<(String, String)>,
}

/// A record that shows where the server behind the edge stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Revealing {
    record: EdgeRecord,
    hides: String,
}

pub(super) async fn ask(probes: &Probes, target: &Target) -> Account {
    let edge = match probes.accounts.edge.get() {
        Ok(edge) => edge,
        Err(_) if target.accounts.edge.is_none() => return Account::NotAsked,
        Err(Missing { reason, unlock }) => return Account::NotSeen { reason, unlock },
    };
    let name = registrable(&target.domain).unwrap_or(&target.domain).to_owned();
    let zone = match edge.zone(name.clone()).await {
        Ok(Some(zone)) => zone,
        Ok(None) => return Account::NoZone { vendor: edge.vendor().to_owned(), name },
        Err(error) => {
            let (reason, unlock) = told(&error);
            return Account::NotSeen { reason, unlock };
        }
    };
    let EdgeZone { id, active, status, paused, settings, unseen } = zone;
    let mut seen = Zone {
        vendor: edge.vendor().to_owned(),
        name,
        status,
        active,
        paused,
        settings,
        unseen,
        proxied: None,
        revealing: Bounded::default(),
        records_unseen: None,
    };
    match edge.records(id).await {
        Ok(records) => {
            if records.cut {
                let reason = "the zone has more records than one run reads".to_owned();
                seen.records_unseen =
                    Some((reason, "delete the records that nobody needs".to_owned()));
            }
            seen.proxied = Some(records.all.iter().filter(|record| record.proxied).count());
            seen.revealing = Bounded::keep(revealing(&records.all), NAMES);
        }
        Err(error) => seen.records_unseen = Some(told(&error)),
    }
    Account::Zone(Box::new(seen))
}

fn told(error: &ProbeError) -> (String, String) {
    let unlock = match error {
        ProbeError::Agent(fault) => fault.unlock(),
        ProbeError::Target(_) => "run it again once it answers",
    };
    (error.to_string(), unlock.to_owned())
}

/// Records past the edge that lead where a name behind the edge leads.
fn revealing(all: &[EdgeRecord]) -> Vec<Revealing> {
    let address = |record: &&EdgeRecord| matches!(record.kind.as_str(), "A" | "AAAA");
    let mut hidden: BTreeMap<&str, &str> = BTreeMap::new();
    for record in all.iter().filter(|record| record.proxied).filter(address) {
        hidden.entry(&record.content).or_insert(&record.name);
    }
    let open = all.iter().filter(|record| !record.proxied).filter(address);
    open.filter_map(|record| {
        let hides = (*hidden.get(record.content.as_str())?).to_owned();
        Some(Revealing { record: record.clone(), hides })
    })
    .collect()
}

pub(super) fn judge(evidence: &Evidence, out: &mut Assessment) {
    let part = "the settings of the Cloudflare zone";
    match &evidence.account {
        Account::NotAsked => {
            let cloudflare = |edge: &super::Recognised| edge.name == "Cloudflare";
            if evidence.hosts.items.iter().any(|host| host.edge.as_ref().is_some_and(cloudflare)) {
                out.not_checked(
                    Unseen::Noted,
                    part,
                    "no token of the edge network is configured",
                    "add [project.edge] with kind = \"cloudflare\" and a token that may read the zone; until \
                     then, open Cloudflare → SSL/TLS → Overview and see that the mode is Full (strict)",
                );
            }
        }
        Account::NotSeen { reason, unlock } => {
            out.not_checked(Unseen::Condition, part, reason, unlock);
        }
        Account::NoZone { vendor, name } => out.not_checked(
            Unseen::Condition,
            part,
            format!("the token sees no zone named {name} in {vendor}"),
            format!("give the token Zone → Zone → Read for {name}, or take [project.edge] out"),
        ),
        Account::Zone(zone) => zone.judge(evidence, out),
    }
}

impl Zone {
    fn judge(&self, evidence: &Evidence, out: &mut Assessment) {
        let name = &self.name;
        if !self.active {
            out.not_checked(
                Unseen::Condition,
                "what the edge network does",
                format!("the zone {name} is {} at {}", self.status, self.vendor),
                "let the registrar name the name servers that Cloudflare shows, and wait until the zone is active",
            );
            return;
        }
        // Settings act on names that go through the edge alone.
        if self.proxied != Some(0) {
            self.settings(out);
        }
        if self.settings.get("dnssec").is_some_and(|status| status == "pending") {
            out.find(
                DNSSEC_PENDING
                    .finding(name)
                    .summary(format!("DNSSEC of {name} is begun and not finished: its DS record is missing."))
                    .saw(format!("{}: DNSSEC is pending", self.vendor))
                    .fix(format!(
                        "Cloudflare → {name} → DNS → Settings → DNSSEC: copy the DS record that it shows to your \
                         registrar, then wait for a day. If you do not want it, press Cancel Setup."
                    ))
                    .undo("Take the DS record out at the registrar first, wait for its TTL, then disable DNSSEC in Cloudflare."),
            );
        }
        self.records(evidence, out);
        for (setting, reason) in &self.unseen {
            out.not_checked(
                Unseen::Condition,
                format!("the setting {setting} of the Cloudflare zone"),
                reason,
                "grant the permission that is named, or look at it in the dashboard",
            );
        }
    }

    fn settings(&self, out: &mut Assessment) {
        let name = &self.name;
        let mut find =
            |spec: &FindingSpec, summary: String, line: String, fix: String, undo: &str| {
                out.find(spec.finding(name).summary(summary).saw(line).fix(fix).undo(undo));
            };
        let line = |setting: &str, value: &str| format!("{}: {setting} = {value}", self.vendor);
        let strict = format!(
            "Cloudflare → {name} → SSL/TLS → Overview → Configure → Full (strict). The server needs a valid \
             certificate first: SSL/TLS → Origin Server → Create Certificate makes one for it."
        );
        let back = "Choose the former mode on the same page.";
        if self.paused {
            let fix = format!("Cloudflare → {name} → Overview → Enable Cloudflare on Site.");
            let summary = format!("Cloudflare is paused for {name}: everything goes past it.");
            find(
                &PAUSED,
                summary,
                line("paused", "true"),
                fix,
                "Pause Cloudflare on Site on the same page.",
            );
        }
        let mut unknown = None;
        match self.settings.get("ssl").map(String::as_str) {
            Some(ssl @ ("off" | "flexible")) => find(
                &UNENCRYPTED,
                format!("Cloudflare speaks to the servers of {name} without encryption."),
                line("ssl", ssl),
                strict,
                back,
            ),
            Some("full") => find(
                &UNVERIFIED,
                format!("Cloudflare accepts any certificate from the servers of {name}."),
                line("ssl", "full"),
                strict,
                back,
            ),
            Some("strict" | "origin_pull") | None => {}
            Some(other) => unknown = Some(other),
        }
        if self.settings.get("always_use_https").is_some_and(|value| value == "off") {
            find(
                &HTTPS_OPTIONAL,
                format!("Cloudflare lets pages of {name} be read without encryption."),
                line("always_use_https", "off"),
                format!(
                    "Cloudflare → {name} → SSL/TLS → Edge Certificates → Always Use HTTPS → on."
                ),
                "Switch it off again on the same page.",
            );
        }
        if self.settings.get("development_mode").is_some_and(|value| value == "on") {
            find(
                &DEVELOPMENT_MODE,
                format!("The development mode of {name} is on: nothing is cached."),
                line("development_mode", "on"),
                format!("Cloudflare → {name} → Caching → Configuration → Development Mode → off."),
                "Switch it on again; it ends by itself after three hours.",
            );
        }
        if let Some(other) = unknown {
            out.not_checked(
                Unseen::Condition,
                "the SSL/TLS mode of the Cloudflare zone",
                format!("Cloudflare says {other}, which this version does not know"),
                "open Cloudflare → SSL/TLS → Overview and see that the mode is Full (strict)",
            );
        }
    }

    fn records(&self, evidence: &Evidence, out: &mut Assessment) {
        // What was seen from outside is told there, with its proof.
        let known: BTreeSet<String> =
            evidence.origins.items.iter().map(|origin| origin.address.to_string()).collect();
        for Revealing { record, hides } in &self.revealing.items {
            if known.contains(&record.content) {
                continue;
            }
            out.find(
                ORIGIN_REVEALED
                    .finding(&record.name)
                    .key(hides)
                    .summary(format!(
                        "{} shows where the server behind {hides} stands.",
                        record.name
                    ))
                    .saw(format!("{} {} {} (DNS only)", record.name, record.kind, record.content))
                    .saw(format!("{hides} leads to the same address, proxied"))
                    .fix(format!(
                        "Cloudflare → {} → DNS → Records: set {} to Proxied, or delete it if nobody needs it. \
                         Then let the firewall of {} accept {} alone.",
                        self.name, record.name, record.content, self.vendor
                    ))
                    .undo(format!("Set {} to DNS only again.", record.name)),
            );
        }
        if let Some((reason, unlock)) = &self.records_unseen {
            let part = "records of the Cloudflare zone that lead around the edge";
            out.not_checked(Unseen::Condition, part, reason, unlock);
        }
    }
}
