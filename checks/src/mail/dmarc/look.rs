//! What `mail-dmarc` looks at: the records on the way up, misplaced ones, report addresses, senders.

use futures_util::future::join_all;
use futures_util::join;
use serde::{Deserialize, Serialize};

use super::super::published::{Published, fit, is_spf};
use super::record::{Kind, Record, kind};
use super::sender::{self, SenderLook};
use super::walk::{is_within, names};
use crate::contract::{Bounded, Target};
use crate::probe::Probes;

/// The most domains that are looked at: the apex and the From domains.
const DOMAINS: usize = 5;
/// The most report addresses outside the domain that are asked about.
const REPORT_HOSTS: usize = 12;
/// The most bytes of records that are kept, as JSON.
const RECORD_BYTES: usize = 16 * 1024;

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The domains that were looked at, the apex first.
    pub(super) domains: Bounded<DomainLook>,
    /// The TXT records at each `_dmarc` name on the way up, each name once.
    pub(super) policies: Vec<Published>,
    /// Whether outside report addresses agreed to receive the reports.
    pub(super) reports: Bounded<ReportLook>,
}

/// One domain whose mail is judged.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DomainLook {
    pub(super) name: String,
    /// It was declared as a From domain.
    pub(super) declared: bool,
    /// DMARC and SPF records at names where no receiver looks for DMARC; `dmarc.<name>` is last.
    pub(super) misplaced: Vec<Published>,
    /// Absent for a domain that was not declared where others were, and where mail is not used.
    pub(super) sender: Option<SenderLook>,
}

/// One outside domain that reports are to be sent to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReportLook {
    /// The domain whose record names it.
    pub(super) domain: String,
    /// The domain of the report address.
    pub(super) host: String,
    /// The records at `<domain>._report._dmarc.<host>`.
    pub(super) consent: Published,
}

/// A record at a `_dmarc` name that says something, in the right or in the wrong place.
fn is_policy_or_spf(text: &str) -> bool {
    kind(text) != Kind::Other || is_spf(text)
}

fn is_policy(text: &str) -> bool {
    kind(text) != Kind::Other
}

/// Looks at everything at once, and at the report addresses once they are known.
pub(super) async fn look(target: &Target, probes: &Probes) -> Evidence {
    let dns = probes.dns.as_ref();
    let mut all = vec![target.domain.clone()];
    for domain in &target.mail.sends_from {
        if !all.contains(domain) {
            all.push(domain.clone());
        }
    }
    let all = Bounded::keep(all, DOMAINS);
    let mut asked: Vec<String> = Vec::new();
    for name in all.items.iter().flat_map(|domain| names(domain)) {
        if !asked.contains(&name) {
            asked.push(name);
        }
    }
    // A walk could stop early at psd=n; asking for all names at once saves its round trips.
    let policies = join_all(
        asked.iter().map(|name| Published::look(dns, format!("_dmarc.{name}"), is_policy_or_spf)),
    );
    let domains = join_all(all.items.iter().map(|name| look_at(target, probes, name)));
    let (mut policies, mut domains) = join!(policies, domains);
    fit(policies.iter_mut().chain(domains.iter_mut().flat_map(|d| &mut d.misplaced)), RECORD_BYTES);
    let consents = outside_reports(&policies);
    let consents = Bounded::keep(consents, REPORT_HOSTS);
    let reports = join_all(consents.items.into_iter().map(async |(domain, host)| {
        let name = format!("{domain}._report._dmarc.{host}");
        ReportLook { consent: Published::look(dns, name, is_policy).await, domain, host }
    }))
    .await;
    let mut reports = Bounded { items: reports, cut: consents.cut };
    fit(reports.items.iter_mut().map(|look| &mut look.consent), RECORD_BYTES / 4);
    Evidence { domains: Bounded { items: domains, cut: all.cut }, policies, reports }
}

async fn look_at(target: &Target, probes: &Probes, name: &str) -> DomainLook {
    let dns = probes.dns.as_ref();
    let declared = target.mail.sends_from.iter().any(|domain| domain == name);
    let sends = !target.mail.not_used && (declared || target.mail.sends_from.is_empty());
    let sender = async { if sends { Some(sender::look(dns, name, target).await) } else { None } };
    // At the domain itself, and where a control panel has added the domain a second time.
    let places = [name.to_owned(), format!("_dmarc.{name}.{name}"), format!("dmarc.{name}")];
    let misplaced = join_all(places.map(|place| Published::look(dns, place, is_policy_or_spf)));
    let (sender, misplaced) = join!(sender, misplaced);
    DomainLook { name: name.to_owned(), declared, misplaced, sender }
}

/// Every pair of a domain with exactly one record and an outside domain that its reports go to.
/// Names at or above a public suffix are somebody else's.
fn outside_reports(policies: &[Published]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for published in policies {
        let Some((domain, record)) = valid_record(published) else { continue };
        for host in record.report_hosts {
            let ours = super::registrable(domain);
            if super::is_ours(domain)
                && !is_within(&host, ours)
                && super::registrable(&host) != ours
            {
                pairs.push((domain.to_owned(), host));
            }
        }
    }
    pairs
}

/// The one DMARC record at a `_dmarc` name; several are all ignored, as is one that does not count.
pub(in crate::mail) fn valid_record(published: &Published) -> Option<(&str, Record)> {
    let domain = published.name.strip_prefix("_dmarc.")?;
    let mut records = published.records().iter().filter(|text| kind(text) == Kind::Dmarc);
    let only = records.next()?;
    if records.next().is_some() || published.cut() > 0 {
        return None;
    }
    let record = Record::read(only);
    record.counts().then_some((domain, record))
}
