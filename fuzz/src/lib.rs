//! Every parser of outside bytes behind one function from bytes, for libFuzzer and for the tests of the
//! workspace alike.
//!
//! Each target asserts what holds for any bytes: that nothing panics, and beyond that what its own file says.

mod accounts;
mod certificates;
mod evidence;
mod files;
mod holds;
mod mail;
mod pages;
mod programs;
mod servers;
mod world;

/// One target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its file in `fuzz_targets` and of its folder in `corpus`.
pub const TARGETS: &[Target] = &[
    ("attestations", files::attestations),
    ("body", servers::body),
    ("bundle", pages::bundle),
    ("certificate", certificates::certificate),
    ("checkouts", accounts::checkouts),
    ("config", files::config),
    ("connector", accounts::connector),
    ("database", accounts::database),
    ("dkim", mail::dkim),
    ("dmarc", mail::dmarc),
    ("dns_message", servers::dns_message),
    ("evidence", evidence::evidence),
    ("headers", pages::headers),
    ("html", pages::html),
    ("json_answer", programs::json_answer),
    ("mta_sts", mail::mta_sts),
    ("ocsp", certificates::ocsp),
    ("pages", pages::pages),
    ("perfdata", programs::perfdata),
    ("rdap", servers::rdap),
    ("report", evidence::report),
    ("schedule", programs::schedule),
    ("smtp", servers::smtp),
    ("source_file", pages::source_file),
    ("spf", mail::spf),
    ("tls_hello", servers::tls_hello),
];

/// The connectors, in the order of the first byte of an input of `connector`.
pub fn connectors() -> Vec<&'static str> {
    accounts::CONNECTORS.iter().map(|(name, _)| *name).collect()
}

/// Asks the one port of an account that is configured, as `connector` does for the second byte of its input.
///
/// # Errors
/// The fault of whoever is to blame.
pub fn ask_connector(
    ports: &launchready_checks::probe::Accounts,
    question: u8,
) -> Result<String, launchready_checks::probe::ProbeError> {
    accounts::ask(ports, question)
}

/// Does with `data` what the target of this name does.
///
/// # Panics
/// A property of the target does not hold, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.unwrap_or_else(|| panic!("no target is named {name}"));
    target(data);
}
