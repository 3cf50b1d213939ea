//! Records about mail: the lines of the input are the TXT records of the names in the order in which they are
//! asked for.

use launchready_checks::contract::{MailFacts, Target};
use launchready_checks::probe::replay::World;
use serde_json::Value;

use super::holds::{check, target};
use super::world::{NEXT, Names, parts, probes};

fn sender() -> Target {
    let mail = MailFacts {
        sends_from: vec!["harbor.example".to_owned()],
        selectors: vec!["s1".to_owned(), "s2@mail.harbor.example".to_owned()],
        tools: vec!["resend".to_owned()],
        ..MailFacts::default()
    };
    Target { mail, ..target() }
}

fn texts(id: &str, data: &[u8]) {
    check(id, &Value::Null, &sender(), &probes(World::default(), Names::texts(data), &[]));
}

/// The SPF record of the domain, and those of the names that it includes.
pub(super) fn spf(data: &[u8]) {
    texts("mail-spf", data);
}

/// The keys at the selectors.
pub(super) fn dkim(data: &[u8]) {
    texts("mail-dkim", data);
}

/// The DMARC record, and those that permit reports to be sent elsewhere.
pub(super) fn dmarc(data: &[u8]) {
    texts("mail-dmarc", data);
}

/// The records of MTA-STS, TLS reports and BIMI; behind the first [`NEXT`] the policy file.
pub(super) fn mta_sts(data: &[u8]) {
    let parts = parts(data, NEXT, 8);
    let records = parts.first().copied().unwrap_or_default();
    let pages = parts.get(1..).unwrap_or_default();
    let world = probes(World::default(), Names::texts(records), pages);
    check("mail-transport", &Value::Null, &sender(), &world);
}
