//! Whether mail from a domain can pass DMARC at all: an SPF record or a DKIM key that may align.

use futures_util::future::join_all;
use futures_util::join;
use serde::{Deserialize, Serialize};

use super::super::published::{Published, Unanswered, is_spf, spf_lets_somebody_send};
use super::super::selectors::USUAL_SELECTORS;
use super::walk::is_within;
use crate::contract::{Bounded, Target};
use crate::probe::{Dns, Rcode};

/// Labels under which sending services put the return path; `""` is the domain itself.
const RETURN_PATHS: [&str; 18] = [
    "",
    "send",
    "bounce",
    "bounces",
    "mail",
    "pm-bounces",
    "em",
    "mg",
    "rp",
    "email",
    "mailer",
    "mta",
    "news",
    "notify",
    "notifications",
    "smtp",
    "sg",
    "updates",
];

/// The most names of a kind that are kept.
const NAMES_KEPT: usize = 4;
/// The most declared selectors that are asked for.
const DECLARED_SELECTORS: usize = 20;

/// What was found below a From domain and its registrable domain.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SenderLook {
    /// The From domain publishes an SPF record that lets nobody send.
    pub(super) spf_denies: bool,
    /// Names with an SPF record that lets somebody send, the From domain first.
    pub(super) spf: Bounded<String>,
    /// Return-path names that were asked.
    pub(super) spf_asked: usize,
    /// Absent where the From domain's own SPF record already aligns.
    pub(super) dkim: Option<DkimLook>,
    /// The first name that could not be seen.
    pub(super) unanswered: Option<Unanswered>,
}

/// The DKIM keys at the usual and the declared selectors.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DkimLook {
    /// Domains with a key.
    pub(super) domains: Bounded<String>,
    /// Key names that were asked.
    pub(super) asked: usize,
    /// Selectors were declared for the domain, so that the list is complete.
    pub(super) declared: bool,
    /// `_domainkey` does not exist below any of the domains, so that no selector can
    /// (RFC 8020).
    pub(super) none_exist: bool,
}

/// Looks for SPF records at the usual return paths, and for DKIM keys unless SPF settles it.
pub(super) async fn look(dns: &dyn Dns, from: &str, target: &Target) -> SenderLook {
    let domains = domains(from);
    let names = domains.iter().flat_map(|domain| {
        RETURN_PATHS.iter().map(move |label| match *label {
            "" => domain.clone(),
            label => format!("{label}.{domain}"),
        })
    });
    let looks = join_all(names.map(|name| Published::look(dns, name, is_spf))).await;
    let sends = |look: &&Published| look.records().iter().any(|text| spf_lets_somebody_send(text));
    let own = looks.first();
    let mut unanswered = looks.iter().find_map(Published::unanswered);
    let spf: Vec<_> = looks.iter().filter(sends).map(|look| look.name.clone()).collect();
    let dkim = if spf.first().is_some_and(|name| name == from) {
        None
    } else {
        let (look, fault) = look_for_keys(dns, from, &domains, target).await;
        unanswered = unanswered.or(fault);
        Some(look)
    };
    SenderLook {
        spf_denies: own.is_some_and(|look| !look.records().is_empty() && !sends(&look)),
        spf: Bounded::keep(spf, NAMES_KEPT),
        spf_asked: looks.len(),
        dkim,
        unanswered,
    }
}

async fn look_for_keys(
    dns: &dyn Dns,
    from: &str,
    domains: &[String],
    target: &Target,
) -> (DkimLook, Option<Unanswered>) {
    let mut declared: Vec<(String, String)> = Vec::new();
    for selector in target.mail.selectors.iter().take(DECLARED_SELECTORS) {
        match selector.split_once('@') {
            Some((selector, domain)) if domains.iter().any(|d| d == domain) => {
                declared.push((selector.to_owned(), domain.to_owned()));
            }
            Some(_) => {}
            None => declared.extend(domains.iter().map(|d| (selector.clone(), d.clone()))),
        }
    }
    let is_declared = !declared.is_empty();
    let usual = domains.iter().flat_map(|domain| {
        USUAL_SELECTORS.iter().map(move |selector| ((*selector).to_owned(), domain.clone()))
    });
    let mut asked = declared;
    asked.extend(usual);
    asked.sort();
    asked.dedup();
    let keys = join_all(asked.iter().map(|(selector, domain)| {
        Published::look(dns, format!("{selector}._domainkey.{domain}"), has_key)
    }));
    let parents = join_all(
        domains.iter().map(|domain| Published::look(dns, format!("_domainkey.{domain}"), has_key)),
    );
    let (keys, parents) = join!(keys, parents);
    let mut found: Vec<String> = Vec::new();
    for (look, (_, domain)) in keys.iter().zip(&asked) {
        if look.records().is_empty() && look.cut() == 0 || found.contains(domain) {
            continue;
        }
        if domain == from {
            found.insert(0, domain.clone());
        } else {
            found.push(domain.clone());
        }
    }
    let missing =
        |look: &Published| look.answer.ok().is_some_and(|texts| texts.rcode == Rcode::NxDomain);
    let look = DkimLook {
        domains: Bounded::keep(found, NAMES_KEPT),
        asked: asked.len(),
        declared: is_declared,
        none_exist: parents.iter().all(missing),
    };
    (look, keys.iter().chain(&parents).find_map(Published::unanswered))
}

/// The From domain and, where it is another one, its registrable domain.
fn domains(from: &str) -> Vec<String> {
    let registrable = super::registrable(from);
    let mut domains = vec![from.to_owned()];
    if registrable != from {
        domains.push(registrable.to_owned());
    }
    domains
}

/// A key record whose `p` is not empty (RFC 6376 section 3.6.1).
fn has_key(text: &str) -> bool {
    text.split(';')
        .filter_map(|tag| tag.split_once('='))
        .any(|(name, value)| name.trim() == "p" && value.chars().any(|c| c.is_ascii_alphanumeric()))
}

/// What can be said about mail from a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alignment {
    /// An SPF record or a DKIM key may align.
    Possible,
    /// Neither can.
    Impossible,
    /// It cannot be said, and why.
    Unseen(Unanswered),
}

impl SenderLook {
    /// Judges the names that were found against the organisational domain and the record's modes.
    pub(super) fn alignment(
        &self,
        from: &str,
        organisation: &str,
        strict_spf: bool,
        strict_dkim: bool,
    ) -> Alignment {
        let aligns = |name: &String, strict: bool| {
            name == from || (!strict && is_within(name, organisation))
        };
        let keys = self.dkim.as_ref().map_or(&[][..], |dkim| dkim.domains.items.as_slice());
        if self.spf.items.iter().any(|name| aligns(name, strict_spf))
            || keys.iter().any(|name| aligns(name, strict_dkim))
        {
            return Alignment::Possible;
        }
        if let Some(unanswered) = &self.unanswered {
            return Alignment::Unseen(unanswered.clone());
        }
        match &self.dkim {
            Some(dkim) if dkim.declared || dkim.none_exist => Alignment::Impossible,
            _ => Alignment::Unseen(Unanswered {
                reason: format!(
                    "no SPF record was found at {from} or at a usual return path below it, and no \
                     DKIM key at a usual selector; a sending service may use a random one"
                ),
                unlock:
                    "set project.mail.selectors to the selectors of your sending services: the \
                         s= in the DKIM-Signature header of a mail that you sent"
                        .to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_key_is_no_key() {
        assert!(has_key("v=DKIM1; k=rsa; p=MIIB"));
        assert!(has_key("p=MIIB"));
        for none in ["v=DKIM1; p=", "v=DKIM1; p= ;", "v=spf1 ip4:192.0.2.1 -all", ""] {
            assert!(!has_key(none), "{none}");
        }
    }

    #[test]
    fn strict_alignment_needs_the_very_domain() {
        let look = SenderLook {
            spf_denies: false,
            spf: Bounded { items: vec!["send.harbor.com".to_owned()], cut: 0 },
            spf_asked: 18,
            dkim: Some(DkimLook {
                domains: Bounded::default(),
                asked: 48,
                declared: true,
                none_exist: false,
            }),
            unanswered: None,
        };
        let judge = |strict| look.alignment("harbor.com", "harbor.com", strict, false);
        assert_eq!((judge(false), judge(true)), (Alignment::Possible, Alignment::Impossible));
        let below = look.alignment("harbor.com", "other.com", false, false);
        assert_eq!(below, Alignment::Impossible);
    }
}
