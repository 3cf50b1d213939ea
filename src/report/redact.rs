//! A report that can be shared: names, addresses, ids and people become placeholders, the same one for the same
//! thing everywhere in the report.

use std::collections::BTreeMap;
use std::net::IpAddr;

use launchready_checks::suffix::ends_in_suffix;
use regex::{Captures, Regex};

use super::Report;
use super::own_words::OwnWords;
use super::texts::each_text;

/// Registrable domains of vendors whose own names tell nothing of the product. A tenant's name below them is
/// none of these, because it is longer by a label that is not in [`PLAIN`].
const VENDORS: [&str; 31] = [
    "stripe.com",
    "supabase.com",
    "supabase.io",
    "vercel.com",
    "vercel-dns.com",
    "netlify.com",
    "cloudflare.com",
    "cloudflare-dns.com",
    "dnsimple.com",
    "google.com",
    "googleapis.com",
    "googlemail.com",
    "googlehosted.com",
    "web.dev",
    "letsencrypt.org",
    "pki.goog",
    "digicert.com",
    "resend.com",
    "hubspot.com",
    "hubapi.com",
    "zendesk.com",
    "intercom.com",
    "freshdesk.com",
    "helpscout.com",
    "frontapp.com",
    "n8n.io",
    "make.com",
    "zapier.com",
    "pagerduty.com",
    "rfc-editor.org",
    "ietf.org",
];

/// First labels of a vendor's own names.
const PLAIN: [&str; 22] = [
    "",
    "www",
    "app",
    "api",
    "dashboard",
    "docs",
    "developer",
    "developers",
    "support",
    "help",
    "status",
    "cname",
    "_spf",
    "hooks",
    "events",
    "connect",
    "aspmx.l",
    "alt1.aspmx.l",
    "alt2.aspmx.l",
    "smtp",
    "login",
    "console",
];

/// What keys of the config begin with, some of which end like a domain: `project.support`.
const KEYS: [&str; 6] = ["project.", "checks.", "agent.", "network.", "defaults.", "channel."];

/// Resolvers that anybody may ask, and that a step names as examples.
const RESOLVERS: [&str; 2] = ["1.1.1.1", "8.8.8.8"];

/// Endings of file names that also end domains.
const FILES: [&str; 7] = ["md", "rs", "sh", "py", "pl", "zip", "so"];

/// The report with placeholders.
pub fn redact(report: &Report) -> Report {
    let mut report = report.clone();
    let Some(mut redactor) = Redactor::new(&report) else {
        // The patterns are our own and always good; a report that cannot be made harmless is not given out.
        return Report { checks: Vec::new(), not_checked: Vec::new(), ..report };
    };
    redactor.people(&report);
    // A path names the person whose machine it is.
    let path = report.config.clone().filter(|path| path.contains(['/', '\\']));
    each_text(&mut report, &mut |text| {
        if let Some(path) = &path {
            *text = text.replace(path.as_str(), "launchready.toml");
        }
        redactor.edit(text);
    });
    if let Some(handover) = &mut report.handover {
        for secret in &mut handover.secrets {
            if secret.kept.starts_with("file ") {
                "file (not shown)".clone_into(&mut secret.kept);
            }
        }
    }
    report.config = report.config.map(|_path| "launchready.toml".to_owned());
    report
}

/// What becomes of each thing, and how things are found in a text.
struct Redactor {
    domain: String,
    hosts: Regex,
    mails: Regex,
    /// IPv4, then IPv6: `host:443:192.0.2.1` is no address of the second kind.
    addresses: [Regex; 2],
    ids: Regex,
    /// Files of this machine that a command names.
    files: Regex,
    /// The product's own words, such as the name of the project.
    own: OwnWords,
    /// People and accounts, as the report names them.
    people: Option<Regex>,
    known: BTreeMap<(&'static str, String), String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Redactor {
    fn new(report: &Report) -> Option<Self> {
        Some(Self {
            domain: report.domain.clone(),
            hosts: Regex::new(r"(?i)(?:\*\.|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,22}[a-z]\b").ok()?,
            mails: Regex::new(r"(?i)[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,24}").ok()?,
            addresses: [
                Regex::new(r"\b\d{1,3}(?:\.\d{1,3}){3}\b").ok()?,
                Regex::new(r"(?i)(?:\b|::)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}\b").ok()?,
            ],
            ids: Regex::new(
                r"(?x)
                \b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b
                | \b[A-Za-z]{2,8}_[A-Za-z0-9_]{6,}\b
                | \b[A-Za-z0-9]{10,}\b
                | \b\d{5,}\b
                | \b[0-9a-f]{7}\b",
            )
            .ok()?,
            files: Regex::new(r"--(?:ca|sessions) (?:'[^']*'|\\'|[^\s'\\])+").ok()?,
            own: OwnWords::of(&report.project, &report.domain)?,
            people: None,
            known: BTreeMap::new(),
            counts: BTreeMap::new(),
        })
    }

    /// The people and accounts that the report names in fields of their own.
    fn people(&mut self, report: &Report) {
        let mut names: Vec<String> = Vec::new();
        names.extend(report.attestations.iter().map(|one| one.by.clone()));
        names.extend(report.waivers.iter().map(|one| one.by.clone()));
        for account in &report.ownership {
            let parts = [&account.account, &account.owner, &account.second];
            names.extend(parts.into_iter().flatten().cloned());
        }
        let mended = report.handover.iter().flat_map(|said| &said.mended);
        names.extend(mended.filter_map(|one| one.by.clone()));
        names.retain(|name| name.trim().len() > 1);
        // The longest first, so that a part of a name does not win.
        names.sort_by_key(|name| (std::cmp::Reverse(name.len()), name.clone()));
        names.dedup();
        let names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
        let pattern = format!(r"(?i)(?:^|\b)(?:{})(?:\b|$)", names.join("|"));
        self.people = (!names.is_empty()).then(|| Regex::new(&pattern).ok()).flatten();
    }

    fn edit(&mut self, text: &mut String) {
        let mut out = self.replaced(
            text,
            |it| it.files.clone(),
            |_, found| found.split_once(' ').map(|(option, _)| format!("{option} FILE")),
        );
        out = self.replaced(&out, |it| it.mails.clone(), |it, found| Some(it.name("mail", found)));
        out = self.replaced(&out, |it| it.hosts.clone(), Self::host);
        for kind in self.addresses.clone() {
            out = self.replaced(&out, |_| kind.clone(), Self::address);
        }
        if let Some(people) = self.people.clone() {
            out =
                self.replaced(&out, |_| people.clone(), |it, found| Some(it.name("person", found)));
        }
        out = self.own.without(&out);
        out = self.replaced(&out, |it| it.ids.clone(), Self::id);
        *text = out;
    }

    fn replaced(
        &mut self,
        text: &str,
        pattern: impl Fn(&Self) -> Regex,
        by: impl Fn(&mut Self, &str) -> Option<String>,
    ) -> String {
        let pattern = pattern(self);
        let replaced = pattern.replace_all(text, |found: &Captures<'_>| {
            let found = found.get(0).map_or("", |found| found.as_str());
            by(self, found).unwrap_or_else(|| found.to_owned())
        });
        replaced.into_owned()
    }

    /// The placeholder of a thing: `host-3`.
    fn name(&mut self, kind: &'static str, thing: &str) -> String {
        let key = (kind, thing.to_ascii_lowercase());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("{kind}-{count}");
        self.known.insert(key, name.clone());
        name
    }

    fn host(&mut self, found: &str) -> Option<String> {
        let lower = found.to_ascii_lowercase();
        let ending = lower.rsplit('.').next().unwrap_or_default();
        let is_own = lower == self.domain || lower.ends_with(&format!(".{}", self.domain));
        let is_file = !is_own && lower.matches('.').count() == 1 && FILES.contains(&ending);
        // A name on the internet ends in a public suffix; those kept for examples and trials are none.
        let is_known = lower.ends_with(&self.domain)
            || ends_in_suffix(&lower)
            || [".example", ".test", ".invalid"].iter().any(|kept| lower.ends_with(kept));
        let is_key = KEYS.iter().any(|key| lower.starts_with(key));
        if is_file || is_key || !is_known {
            return None;
        }
        let is_vendor = VENDORS.iter().any(|vendor| {
            let before = lower.strip_suffix(vendor);
            before.is_some_and(|before| {
                (before.is_empty() || before.ends_with('.'))
                    && PLAIN.contains(&before.trim_end_matches('.'))
            })
        });
        (!is_vendor).then(|| self.name("host", found))
    }

    fn address(&mut self, found: &str) -> Option<String> {
        let ip: IpAddr = found.parse().ok()?;
        let is_plain = ip.is_loopback() || ip.is_unspecified() || RESOLVERS.contains(&found);
        (!is_plain).then(|| self.name("ip", found))
    }

    fn id(&mut self, found: &str) -> Option<String> {
        let digits = found.chars().filter(char::is_ascii_digit).count();
        let letters = found.chars().filter(char::is_ascii_alphabetic).count();
        let is_number = letters == 0 && digits >= 5;
        // The name of a Supabase project: 20 lower-case letters.
        let is_reference = found.len() == 20 && found.chars().all(|c| c.is_ascii_lowercase());
        let is_mixed = digits > 0 && letters > 0;
        // Times and settings such as `critical_p95` are no ids.
        let is_time = found.len() >= 10 && found.contains('T') && found.ends_with('Z');
        let (first, rest) = found.split_once('_').unwrap_or(("", found));
        let upper = |c: char| c.is_ascii_uppercase();
        let has_prefix = !first.is_empty() && found.len() > first.len() + 6;
        let is_word = has_prefix && digits < 3 && !rest.contains(upper);
        ((is_number
            || is_reference
            || is_mixed
            || (has_prefix && rest.contains(upper) && rest.contains(char::is_lowercase)))
            && !is_time
            && !is_word)
            .then(|| self.name("id", found))
    }
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::Target;

    use super::*;
    use crate::engine::AuditRecord;
    use crate::report::build;

    /// What becomes of a text in the report of harbor.
    fn shared(text: &str) -> String {
        let at = "2026-11-23T09:00:00Z".parse().unwrap();
        let mut report = build(&AuditRecord {
            version: "0.0.0".to_owned(),
            started_at: at,
            finished_at: at,
            target: Target {
                project: "harbor".to_owned(),
                domain: "harbor.example".to_owned(),
                ..Target::default()
            },
            not_used: Vec::new(),
            waivers: Vec::new(),
            handover: None,
            recheck: "launchready check {id}".to_owned(),
            config: None,
            clock_behind_s: None,
            runs: Vec::new(),
        });
        report.verdict_reasons = vec![text.to_owned()];
        redact(&report).verdict_reasons.concat()
    }

    #[test]
    fn a_variable_that_is_not_set_does_not_tell_the_product() {
        assert_eq!(
            shared("the environment variable HARBOR_STRIPE_RESTRICTED_KEY is not set"),
            "the environment variable THE_PRODUCT_STRIPE_RESTRICTED_KEY is not set"
        );
        assert_eq!(
            shared("set HARBOR_SUPABASE_TOKEN of harbor.example"),
            "set THE_PRODUCT_SUPABASE_TOKEN of host-1"
        );
    }

    #[test]
    fn files_of_this_machine_are_not_named_by_a_command() {
        let text =
            "launchready check web-headers --ca '/home/ada l/it'\\''s.pem' --ca /home/ada/b.pem";
        let wanted = "launchready check web-headers --ca FILE --ca FILE";
        assert_eq!(shared(text), wanted);
    }
}
