//! Compares the records with the approved ones, and writes the rollback note.

use std::collections::{BTreeMap, BTreeSet};

use super::{CHANGES, Drift, Evidence, Kind, MAIL_POLICY, MX, NAME_SERVERS, RECORD, Records};
use crate::contract::{AssessCx, Assessment, Fact, Finding, FindingSpec, Unseen};
use crate::dns::records::absolute;
use crate::probe::Seen;
use crate::vendor::is_below;

/// The record sets that were read, each as its lines of a zone file.
pub(super) fn facts(evidence: &Evidence) -> Vec<Fact> {
    let sets = evidence.sets.iter().filter_map(|(key, seen)| {
        let (name, _) = Kind::read(key)?;
        let records = seen.ok()?;
        Some(match &records.platform {
            // Which addresses it takes is the platform's own affair.
            Some(platform) => {
                Fact::new(key, [format!("{} IN addresses of {platform}", absolute(name))])
            }
            None => Fact::new(key, zone_lines(name, records).lines().map(str::to_owned)),
        })
    });
    sets.collect()
}

/// Judges every set that both looks hold.
pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Drift>) -> Assessment {
    let mut out = Assessment::default();
    let Some(baseline) = &cx.baseline else {
        out.not_checked(
            Unseen::Noted,
            "changes of records",
            "no approved baseline",
            "run `launchready baseline approve` once the records are right, or without a config \
             `launchready audit --save-baseline FILE` and then `--baseline FILE`",
        );
        out.unless_seen(false);
        return out;
    };
    let (mut changes, mut compared) = (0_usize, 0_usize);
    let mut unread: Vec<(String, &str)> = Vec::new();
    let mut new: Vec<&str> = Vec::new();
    for (key, seen) in &evidence.sets {
        if cx.options.ignore.iter().any(|ignored| ignored == key) {
            continue;
        }
        let now = match seen {
            Seen::Ok(now) => now,
            Seen::Target(fault) => {
                unread.push((fault.to_string(), "run it again once the name servers answer"));
                continue;
            }
            Seen::Agent(fault) => {
                unread.push((format!("{key}: {fault}"), fault.unlock()));
                continue;
            }
        };
        let Some(Seen::Ok(then)) = baseline.sets.get(key) else {
            new.push(key);
            continue;
        };
        compared += 1;
        if let Some((name, kind)) = Kind::read(key)
            && !is_same(then, now)
        {
            changes += 1;
            out.find(changed(name, kind, then, now));
        }
    }
    if compared > 0 {
        out.measure(CHANGES.value(None, changes as f64).bounds(Some(0.0), None));
    }
    if let Some((first, unlock)) = unread.first() {
        out.not_checked(
            Unseen::Condition,
            "records that could not be read",
            format!("{} of the record sets, the first: {first}", unread.len()),
            *unlock,
        );
    }
    not_compared(evidence, &baseline.sets, cx, compared, &new, &mut out);
    if evidence.hosts_cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "hosts past the limit",
            format!("{} more hosts are declared than are compared", evidence.hosts_cut),
            "split the hosts over several projects of the config",
        );
    }
    out.unless_seen(compared > 0);
    out
}

/// Says which sets could not be compared, because they are ignored or the baseline lacks them.
fn not_compared(
    evidence: &Evidence,
    approved: &BTreeMap<String, Seen<Records>>,
    cx: &AssessCx<'_, Drift>,
    compared: usize,
    new: &[&str],
    out: &mut Assessment,
) {
    if evidence.sets.keys().all(|key| cx.options.ignore.contains(key)) {
        out.not_checked(
            Unseen::Noted,
            "changes of records",
            "every record set is in the list to ignore",
            "take those that matter out of ignore of checks.dns-drift",
        );
    }
    let domain = &cx.target.domain;
    if compared == 0 && !new.is_empty() && !approved.keys().any(|key| is_of(key, domain)) {
        let first = approved.keys().next().and_then(|key| Kind::read(key));
        let held = first.map_or("no records", |(name, _)| name);
        out.not_checked(
            Unseen::Condition,
            "changes of records",
            format!("the baseline is of another domain: it holds {held} and nothing of {domain}"),
            format!(
                "name the baseline of {domain}, or save one with `launchready audit \
                 --save-baseline FILE`"
            ),
        );
    } else if let Some(first) = new.first() {
        out.not_checked(
            if compared > 0 { Unseen::Noted } else { Unseen::Condition },
            "records that the baseline does not hold",
            format!(
                "{} record sets are not in the approved baseline, the first is {first}",
                new.len()
            ),
            "approve a new baseline once the records are right",
        );
    }
}

/// Whether a record set is that of a domain or of a name below it.
fn is_of(key: &str, domain: &str) -> bool {
    Kind::read(key).is_some_and(|(name, _)| is_below(name, domain))
}

/// Equal to the last record, or addresses of the same platform, which moves them as it likes.
fn is_same(then: &Records, now: &Records) -> bool {
    then.set.digest == now.set.digest || (then.platform.is_some() && then.platform == now.platform)
}

fn changed(name: &str, kind: Kind, then: &Records, now: &Records) -> Finding {
    let (old, new) = (&then.set.lines, &now.set.lines);
    let mut evidence = Vec::new();
    if old.cut == 0 && new.cut == 0 {
        let (before, after): (BTreeSet<&String>, BTreeSet<&String>) =
            (old.items.iter().collect(), new.items.iter().collect());
        evidence.extend(
            before.difference(&after).map(|line| format!("gone: {}", zone_line(name, line))),
        );
        evidence.extend(
            after.difference(&before).map(|line| format!("new: {}", zone_line(name, line))),
        );
    }
    if evidence.is_empty() {
        // Too many or too long to be kept: only the fingerprint of the whole tells.
        evidence.push(format!(
            "approved: {} records, fingerprint {}",
            old.total(),
            then.set.digest
        ));
        evidence.push(format!("now: {} records, fingerprint {}", new.total(), now.set.digest));
    }
    if let (Some(then), Some(now)) = (&then.platform, &now.platform) {
        evidence.push(format!("platform: {then} before, {now} now"));
    }
    let what = what(kind);
    let summary = match (then.set.is_empty(), now.set.is_empty()) {
        (true, _) => format!("{what} of {name} were added since the baseline was approved."),
        (_, true) => format!("{what} of {name} are gone since the baseline was approved."),
        _ => format!("{what} of {name} differ from the approved baseline."),
    };
    let place = if matches!(kind, Kind::Ns | Kind::Ds) {
        "at your registrar"
    } else {
        "at your DNS provider"
    };
    let approve = "If it was meant, run `launchready baseline approve`.";
    let fix = if then.set.is_empty() {
        format!("If nobody of yours meant this change, delete the new records {place}. {approve}")
    } else {
        format!(
            "If nobody of yours meant this change, make the records {place} exactly these again, and \
             change the passwords there:\n{}\n{approve}",
            zone_lines(name, then)
        )
    };
    let undo = if now.set.is_empty() {
        "Delete the records that were put back.".to_owned()
    } else {
        format!("Put the records of today back:\n{}", zone_lines(name, now))
    };
    spec(kind).finding(kind.of(name)).summary(summary).saw_all(evidence).fix(fix).undo(undo)
}

const fn spec(kind: Kind) -> &'static FindingSpec {
    match kind {
        Kind::Ns => &NAME_SERVERS,
        Kind::Mx => &MX,
        Kind::Spf | Kind::Dmarc => &MAIL_POLICY,
        Kind::Txt | Kind::Caa | Kind::Ds | Kind::Address => &RECORD,
    }
}

const fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Ns => "The name servers (NS records)",
        Kind::Mx => "The mail servers (MX records)",
        Kind::Spf => "The SPF records",
        Kind::Dmarc => "The DMARC records",
        Kind::Txt => "The text records (TXT)",
        Kind::Caa => "The CAA records",
        Kind::Ds => "The DNSSEC records (DS)",
        Kind::Address => "The address records (A, AAAA, CNAME)",
    }
}

/// A record as a line of a zone file, without a time to live.
fn zone_line(name: &str, line: &str) -> String {
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    format!("{} IN {line}", absolute(name))
}

fn zone_lines(name: &str, records: &Records) -> String {
    let lines = &records.set.lines;
    let mut all: Vec<String> = lines.items.iter().map(|line| zone_line(name, line)).collect();
    if lines.cut > 0 {
        all.push(format!("; and {} more that the baseline does not keep", lines.cut));
    }
    all.join("\n")
}
