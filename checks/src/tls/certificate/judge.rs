//! Gathers the defects of one host over all its addresses.

use std::mem::discriminant;
use std::net::IpAddr;

use super::Certificate;
use super::defect::{Defect, defects, window};
use super::evidence::{AddressSeen, Handshake, HostSeen, Leaf};
use super::spec::NOT_AFTER;
use super::{reach, text, words};
use crate::contract::{AssessCx, Assessment, Severity};
use crate::probe::Seen;

/// One certificate at one address, with its defects.
pub(super) struct Sight<'a> {
    pub(super) address: IpAddr,
    /// It is the second certificate of a server that has a pair.
    pub(super) is_other: bool,
    pub(super) shake: &'a Handshake,
    pub(super) leaf: &'a Leaf,
    pub(super) defects: Vec<Defect>,
}

impl Sight<'_> {
    /// Where it was seen, in words.
    pub(super) fn at(&self) -> String {
        let note = if self.is_other { " to a client that only takes RSA" } else { "" };
        format!("{}{note}", self.address)
    }
}

/// The defects in the order in which they are reported; the severity of one that runs out soon is
/// the worst that was seen.
const ORDER: [Defect; 11] = [
    Defect::Expired,
    Defect::NotYetValid,
    Defect::NameMismatch,
    Defect::Untrusted,
    Defect::Incomplete,
    Defect::Expiring(Severity::Warning),
    Defect::Revoked,
    Defect::WeakKey,
    Defect::WeakSignature,
    Defect::TooLong,
    Defect::IntermediateFirst,
];

/// Judges one host; `ipv6_silent` says that timed-out IPv6 addresses are not its fault.
pub(super) fn host(
    host: &HostSeen,
    ipv6_silent: bool,
    cx: &AssessCx<'_, Certificate>,
    out: &mut Assessment,
) {
    let sights: Vec<Sight<'_>> = host.at.iter().flat_map(|at| sights(at, cx)).collect();
    for kind in ORDER {
        let same = |defect: &Defect| discriminant(defect) == discriminant(&kind);
        let hit: Vec<&Sight<'_>> =
            sights.iter().filter(|sight| sight.defects.iter().any(same)).collect();
        let is_critical =
            |sight: &&Sight<'_>| sight.defects.contains(&Defect::Expiring(Severity::Critical));
        if let Some(first) = hit.iter().find(|sight| is_critical(sight)).or(hit.first()) {
            let worst = match kind {
                Defect::Expiring(_) if is_critical(first) => Defect::Expiring(Severity::Critical),
                other => other,
            };
            out.find(text::finding(worst, host, first, &hit, cx));
        }
    }
    let broken: Vec<&AddressSeen> = host.at.iter().filter(|at| reach::is_broken(at)).collect();
    if !broken.is_empty() {
        out.find(text::handshake_failed(host, &broken));
    }
    differ(host, ipv6_silent, &sights, out);
    measure(host, &sights, cx, out);
}

fn sights<'a>(
    at: &'a AddressSeen,
    cx: &AssessCx<'_, Certificate>,
) -> impl Iterator<Item = Sight<'a>> {
    let (now, options) = (cx.now, cx.options.clone());
    let main = at.shake.ok().map(|shake| (shake, false));
    let other = at.other.as_ref().map(|shake| (shake, true));
    main.into_iter().chain(other).filter_map(move |(shake, is_other)| {
        let leaf = shake.leaf.as_ref()?;
        let defects = defects(shake, leaf, now, &options);
        Some(Sight { address: at.address, is_other, shake, leaf, defects })
    })
}

/// Some addresses are good and some are not. Two good certificates that differ are no defect: an
/// edge rolls a new one out address by address.
fn differ(host: &HostSeen, ipv6_silent: bool, sights: &[Sight<'_>], out: &mut Assessment) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for at in &host.at {
        if ipv6_silent && reach::is_silent(at) && at.address.is_ipv6() {
            continue;
        }
        let mine = || sights.iter().filter(|sight| sight.address == at.address);
        let stopped = mine().find(|s| s.defects.iter().any(|defect| defect.stops_clients()));
        match (&at.shake, stopped, mine().next()) {
            (Seen::Target(fault), _, _) => bad.push((at.address, fault.to_string())),
            (_, Some(sight), _) => bad.push((at.address, words::certificate(sight.leaf))),
            (_, None, Some(sight)) => good.push((at.address, words::certificate(sight.leaf))),
            (Seen::Ok(_), None, None) => bad.push((at.address, "no certificate".to_owned())),
            (Seen::Agent(_), None, None) => {}
        }
    }
    if !good.is_empty() && !bad.is_empty() {
        out.find(text::addresses_differ(host, &good, &bad));
    }
}

/// The end of the certificate that runs out first.
fn measure(
    host: &HostSeen,
    sights: &[Sight<'_>],
    cx: &AssessCx<'_, Certificate>,
    out: &mut Assessment,
) {
    let Some(first) = sights.iter().min_by_key(|sight| sight.leaf.not_after) else { return };
    let now = cx.now.as_second();
    let options = cx.options;
    let bound = |seconds: i64| Some(now.saturating_add(seconds) as f64);
    out.measure(NOT_AFTER.value(Some(&host.name), first.leaf.not_after.as_second() as f64).bounds(
        bound(window(options.warning, options.warning_life, first.leaf)),
        bound(window(options.critical, options.critical_life, first.leaf)),
    ));
}
