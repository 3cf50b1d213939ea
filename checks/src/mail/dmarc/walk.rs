//! The DNS tree walk: which record applies to a domain, and which is its organisational domain
//! (RFC 9989 section 4.10).

use super::record::{Psd, Record};

/// Longer names are shortened to this many labels after the first question (section 4.10, step 4).
const LABELS_KEPT: usize = 7;

/// The domains at whose `_dmarc` name a receiver asks, the domain itself first; at most eight.
pub(in crate::mail) fn names(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let mut names = vec![domain.to_owned()];
    let from = labels.len().saturating_sub(LABELS_KEPT).max(1);
    for start in from..labels.len() {
        names.push(labels.get(start..).unwrap_or_default().join("."));
    }
    names
}

/// Where the record that applies stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mail) enum Source {
    /// At the domain itself.
    Own,
    /// At its organisational domain.
    Organisation,
    /// At the public suffix above it: the registry's.
    Suffix,
}

/// The outcome of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mail) struct Walk<'r> {
    /// The organisational domain.
    pub(in crate::mail) organisation: String,
    /// The domain whose record applies, the record, and what that domain is.
    pub(in crate::mail) applied: Option<(String, &'r Record, Source)>,
}

/// Walks up from `domain`; `record_at` gives the one valid record of a domain, if it has one.
pub(in crate::mail) fn walk<'r>(
    domain: &str,
    record_at: impl Fn(&str) -> Option<&'r Record>,
) -> Walk<'r> {
    let mut found: Vec<(String, &Record)> = Vec::new();
    for name in names(domain) {
        let Some(record) = record_at(&name) else { continue };
        found.push((name, record));
        if record.psd != Psd::Undeclared {
            break;
        }
    }
    let organisation = organisation(domain, &found);
    let at = |name: &str, source| {
        let (name, record) = found.iter().find(|(found, _)| found == name)?;
        Some((name.clone(), *record, source))
    };
    let suffix = || {
        let (name, record) = found.last().filter(|(_, record)| record.psd == Psd::Yes)?;
        Some((name.clone(), *record, Source::Suffix))
    };
    let applied =
        at(domain, Source::Own).or_else(|| at(&organisation, Source::Organisation)).or_else(suffix);
    Walk { organisation, applied }
}

/// The choice of section 4.10.2, from the longest name to the shortest.
fn organisation(domain: &str, found: &[(String, &Record)]) -> String {
    for (name, record) in found {
        match record.psd {
            Psd::No => return name.clone(),
            Psd::Yes if name != domain => return one_below(domain, name),
            Psd::Yes | Psd::Undeclared => {}
        }
    }
    found.last().map_or(domain, |(name, _)| name).to_owned()
}

/// The name one label below `parent` on the way to `domain`.
fn one_below(domain: &str, parent: &str) -> String {
    let rest = domain.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
    let label = rest.and_then(|rest| rest.rsplit('.').next());
    label.map_or_else(|| domain.to_owned(), |label| format!("{label}.{parent}"))
}

/// Whether `name` is `domain` or lies below it.
pub(in crate::mail) fn is_within(name: &str, domain: &str) -> bool {
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn zone(records: &[(&str, &str)]) -> BTreeMap<String, Record> {
        let read = |(name, text): &(&str, &str)| ((*name).to_owned(), Record::read(text));
        records.iter().map(read).collect()
    }

    /// Organisational domain, and where the record that applies stands.
    fn outcome(domain: &str, records: &[(&str, &str)]) -> (String, Option<(String, Source)>) {
        let zone = zone(records);
        let walk = walk(domain, |name| zone.get(name));
        (walk.organisation, walk.applied.map(|(name, _, source)| (name, source)))
    }

    #[allow(clippy::unnecessary_wraps, reason = "it is compared with an option")]
    fn at(name: &str, source: Source) -> Option<(String, Source)> {
        Some((name.to_owned(), source))
    }

    #[test]
    fn a_long_name_takes_eight_questions() {
        assert_eq!(
            names("a.b.c.d.e.f.g.h.i.j.mail.harbor.com"),
            [
                "a.b.c.d.e.f.g.h.i.j.mail.harbor.com",
                "g.h.i.j.mail.harbor.com",
                "h.i.j.mail.harbor.com",
                "i.j.mail.harbor.com",
                "j.mail.harbor.com",
                "mail.harbor.com",
                "harbor.com",
                "com"
            ]
        );
        assert_eq!(names("b.c.d.e.f.g.harbor.com").get(1).unwrap(), "c.d.e.f.g.harbor.com");
        assert_eq!(names("harbor.com"), ["harbor.com", "com"]);
        assert_eq!(names("com"), ["com"]);
    }

    // RFC 9989 appendix B.4.1: author and signer both have a record; the shorter name wins.
    #[test]
    fn of_two_records_on_the_way_the_one_with_fewer_labels_is_the_organisation() {
        let records = [("harbor.com", "v=DMARC1; p=reject"), ("signing.harbor.com", "v=DMARC1")];
        let own = at("harbor.com", Source::Own);
        assert_eq!(outcome("harbor.com", &records), ("harbor.com".to_owned(), own));
        let own = at("signing.harbor.com", Source::Own);
        assert_eq!(outcome("signing.harbor.com", &records), ("harbor.com".to_owned(), own));
    }

    // RFC 9989 appendix B.4.2: twelve labels, the intermediate names are skipped.
    #[test]
    fn a_deep_author_domain_finds_the_organisation_past_the_jump() {
        let records = [("harbor.com", "v=DMARC1; p=reject"), ("signing.harbor.com", "v=DMARC1")];
        let deep = "a.b.c.d.e.f.g.h.i.j.k.harbor.com";
        let above = at("harbor.com", Source::Organisation);
        assert_eq!(outcome(deep, &records), ("harbor.com".to_owned(), above));
        // A record at a name that the jump skips is never found (section 5.1.8).
        let skipped = "b.c.d.e.f.g.h.i.j.k.harbor.com";
        let records = [("harbor.com", "v=DMARC1"), (skipped, "v=DMARC1; psd=n")];
        assert_eq!(outcome(deep, &records).0, "harbor.com");
    }

    // RFC 9989 appendix B.4.3: a public suffix with a record of its own.
    #[test]
    fn below_a_declared_public_suffix_each_name_is_its_own_organisation() {
        let records =
            [("bank.example", "v=DMARC1; p=reject; psd=y"), ("giant.bank.example", "v=DMARC1")];
        let giant = "giant.bank.example".to_owned();
        let own = at("giant.bank.example", Source::Own);
        assert_eq!(outcome("giant.bank.example", &records), (giant.clone(), own));
        let above = at("giant.bank.example", Source::Organisation);
        assert_eq!(outcome("mail.giant.bank.example", &records), (giant, above));
        let suffix = at("bank.example", Source::Suffix);
        let mega = "mega.bank.example".to_owned();
        assert_eq!(outcome("mail.mega.bank.example", &records), (mega, suffix));
    }

    #[test]
    fn a_declared_organisation_stops_the_walk() {
        let records = [("mail.harbor.com", "v=DMARC1; psd=n"), ("harbor.com", "v=DMARC1")];
        let (organisation, applied) = outcome("a.mail.harbor.com", &records);
        assert_eq!(organisation, "mail.harbor.com");
        assert_eq!(applied, at("mail.harbor.com", Source::Organisation));
        // At the name where the walk starts, psd=y stops it and makes nothing its child.
        let records = [("harbor.com", "v=DMARC1; psd=y"), ("com", "v=DMARC1; psd=y")];
        assert_eq!(outcome("harbor.com", &records).0, "harbor.com");
    }

    #[test]
    fn without_any_record_the_domain_is_its_own_organisation() {
        assert_eq!(outcome("a.harbor.com", &[]), ("a.harbor.com".to_owned(), None));
    }

    proptest! {
        #[test]
        fn at_most_eight_questions_and_the_organisation_lies_on_the_way(
            labels in prop::collection::vec("[a-z]{1,3}", 1..20),
            holders in prop::collection::vec((0_usize..8, "(|; psd=y|; psd=n|; psd=u)"), 0..4),
        ) {
            let domain = labels.join(".");
            let names = names(&domain);
            prop_assert!(names.len() <= 8);
            prop_assert_eq!(names.last().unwrap(), labels.last().unwrap());
            let held: Vec<_> = holders
                .iter()
                .filter_map(|(n, psd)| Some((names.get(*n)?.as_str(), format!("v=DMARC1{psd}"))))
                .collect();
            let zone: BTreeMap<_, _> =
                held.iter().map(|(name, text)| (*name, Record::read(text))).collect();
            let walk = walk(&domain, |name| zone.get(name));
            prop_assert!(is_within(&domain, &walk.organisation));
            prop_assert_eq!(walk.applied.is_some(), !zone.is_empty());
        }

        #[test]
        fn no_name_makes_it_panic(domain in "\\PC*") {
            let record = Record::default();
            let _ = walk(&domain, |_| Some(&record));
        }
    }
}
