//! Part 12: the looks of the first days, and the dates on which something ends.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use launchready_checks::contract::in_days;

use super::super::Report;
use super::{Block, words};

/// Measurements that are dates on which something ends: the check, the name, and what it is.
const ENDS: [(&str, &str, &str); 4] = [
    ("domain-registration", "expires-at", "the domain registration runs out"),
    ("tls-certificate", "not-after", "a certificate runs out"),
    ("mail-transport", "certificate-not-after", "the certificate of a mail server runs out"),
    (
        "dns-resolution",
        "signature-expires-at",
        "the DNS signatures run out, unless they are renewed",
    ),
];

/// Dates of platforms that touch every product (CA/Browser Forum ballot SC-081v3).
const PLATFORM: [(Date, &str); 2] = [
    (date(2027, 3, 15), "new certificates live for 100 days at most"),
    (date(2029, 3, 15), "new certificates live for 47 days at most"),
];

pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = vec![
        words("After the launch:"),
        Block::Items(vec![
            "First hour: buy something yourself, see the order, the mail and the CRM; then once more from a phone on \
             another network."
                .to_owned(),
            "First 6 hours, every hour: `launchready audit`, and the page of orders out of step.".to_owned(),
            "First 3 days, morning and evening: undelivered events, failed payments, tickets without an answer, the \
             bill of each provider."
                .to_owned(),
            "After 3 days: go through part 4, and sign part 13 again if anything of it has changed.".to_owned(),
        ]),
    ];
    let mut dates = dates(report);
    dates.sort();
    dates.dedup();
    if dates.is_empty() {
        blocks.push(words("No date is known on which anything ends."));
        return blocks;
    }
    let rows = dates.into_iter().map(|(day, what)| {
        let at = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
        let when = at.map_or_else(|_| String::new(), |at| in_days(at, report.finished_at));
        vec![day.to_string(), when, what]
    });
    blocks.push(words("What ends when:"));
    blocks.push(Block::Table(&["Day", "When", "What"], rows.collect()));
    blocks
}

fn dates(report: &Report) -> Vec<(Date, String)> {
    let today = TimeZone::UTC.to_datetime(report.finished_at).date();
    let utc = |at: jiff::Timestamp| TimeZone::UTC.to_datetime(at).date();
    let mut dates = Vec::new();
    for (id, name, words) in ENDS {
        let check = report.checks.iter().filter(|check| check.id == id);
        for of in check.flat_map(|check| &check.measurements).filter(|of| of.name == name) {
            let subject =
                of.subject.as_ref().map_or(String::new(), |subject| format!(": {subject}"));
            dates.extend(
                super::proof::at(of.value).map(|at| (utc(at), format!("{words}{subject}"))),
            );
        }
    }
    for signed in &report.attestations {
        dates.push((
            utc(signed.until),
            format!("the signature of {} for {} ends", signed.by, signed.item),
        ));
    }
    for waiver in &report.waivers {
        let text =
            format!("{} accepted by {} counts again: {}", waiver.code, waiver.by, waiver.reason);
        dates.push((utc(waiver.until), text));
    }
    for account in &report.ownership {
        dates.extend(
            account
                .renews
                .map(|day| (day, format!("the account at {} has to be paid", account.system))),
        );
    }
    let platform = PLATFORM.iter().filter(|(day, _)| *day >= today);
    dates.extend(platform.map(|(day, words)| (*day, format!("everywhere: {words}"))));
    dates
}
