//! Judges the names: who could claim them, which lead nowhere, and which nobody listed.

use super::evidence::{Evidence, NameAnswer, NameView, Source};
use super::services::{Service, Sign, named};
use super::{Cx, DANGLING, NAMES_FOUND, TAKEOVER, UNANSWERED, UNDECLARED, WILDCARD};
use crate::contract::{Assessment, Severity, Unseen};
use crate::dns::records::rcode_name;
use crate::probe::Seen;

/// Judges every name that was seen.
pub(super) fn judge(evidence: &Evidence, cx: &Cx<'_>) -> Assessment {
    let mut out = Assessment::default();
    let mut listed: Vec<String> = Vec::new();
    let mut unread_pages: Vec<&str> = Vec::new();
    for view in &evidence.names.items {
        let look = match &view.look {
            Seen::Ok(look) => look,
            Seen::Target(fault) => {
                unanswered(view, &fault.to_string(), None, &mut out);
                continue;
            }
            Seen::Agent(fault) => {
                let part = format!("answer of {}", view.name);
                out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
                continue;
            }
        };
        if matches!(&look.page, Some(Seen::Agent(_))) {
            unread_pages.push(&view.name);
        }
        let service = look.service.as_deref().and_then(named);
        match claim(look, service) {
            Claim::Free(how) => {
                takeover(view, look, &how, &mut out);
                continue;
            }
            // A declared host without an address is missed by its visitors, which weighs more.
            Claim::Dangling(how) if view.source != Source::Declared || look.addresses > 0 => {
                dangling(view, look, &how, &mut out);
                continue;
            }
            Claim::Dangling(_) | Claim::None => {}
        }
        if view.source == Source::Declared {
            if look.addresses == 0 {
                let reason = format!("{}, no address", rcode_name(look.rcode));
                unanswered(view, &reason, look.alias.as_deref(), &mut out);
            }
        } else if view.source != Source::Wildcard && !is_known(view, evidence, cx) {
            undeclared(evidence, view, look, cx, &mut listed, &mut out);
        }
    }
    if !listed.is_empty() {
        remark(evidence, listed, &mut out);
    }
    wildcard(evidence, &mut out);
    let found = evidence.names.items.iter().filter(|view| {
        view.source != Source::Wildcard && view.look.ok().is_some_and(|look| look.addresses > 0)
    });
    out.measure(NAMES_FOUND.value(None, found.count() as f64));
    unseen(evidence, &unread_pages, &mut out);
    out
}

/// Whether somebody else could claim a name.
enum Claim {
    /// Anybody can, and this is how it shows.
    Free(String),
    /// Nobody serves it, but nobody can simply claim it either.
    Dangling(String),
    /// It is served.
    None,
}

fn claim(look: &NameAnswer, service: Option<&Service>) -> Claim {
    let alias = look.alias.as_deref().unwrap_or_default();
    if let Some(domain) = &look.unregistered {
        return Claim::Free(format!(
            "the domain {domain} itself is registered by nobody (NXDOMAIN)"
        ));
    }
    let Some(service) = service else {
        return if look.leads_nowhere() {
            Claim::Dangling(format!("{alias} does not exist (NXDOMAIN)"))
        } else {
            Claim::None
        };
    };
    match (service.sign, &look.page) {
        (Sign::NoSuchName, _) if look.leads_nowhere() => {
            let how = format!("{alias} does not exist (NXDOMAIN)");
            if service.takeable { Claim::Free(how) } else { Claim::Dangling(how) }
        }
        (Sign::Page(text), Some(Seen::Ok(page))) if page.unclaimed => {
            let how = format!("its page ({}) says {text:?}", page.status);
            if service.takeable { Claim::Free(how) } else { Claim::Dangling(how) }
        }
        _ if look.leads_nowhere() => Claim::Dangling(format!("{alias} does not exist (NXDOMAIN)")),
        _ => Claim::None,
    }
}

fn service_of(look: &NameAnswer) -> &str {
    look.service.as_deref().unwrap_or("the service behind it")
}

fn takeover(view: &NameView, look: &NameAnswer, how: &str, out: &mut Assessment) {
    let (name, service) = (&view.name, service_of(look));
    let alias = look.alias.as_deref().unwrap_or_default();
    let summary = match &look.unregistered {
        Some(domain) => format!("{name} leads to {domain}, a domain that anybody can register."),
        None => format!("{name} leads to {service}, where nobody has claimed it and anybody can."),
    };
    out.find(
        TAKEOVER
            .finding(name)
            .summary(summary)
            .saw(format!("{name} CNAME {alias}"))
            .saw(how)
            .saw(format!("seen {}", view.source.words()))
            .fix(format!(
                "Delete the CNAME record of {name} at your DNS provider now; if the name is still \
                 needed, first claim it in your account at {service} and keep the record."
            ))
            .undo(format!("Add the record again: {name}. CNAME {alias}.")),
    );
}

fn dangling(view: &NameView, look: &NameAnswer, how: &str, out: &mut Assessment) {
    let name = &view.name;
    let alias = look.alias.as_deref().unwrap_or_default();
    let place = look.service.as_deref().map_or_else(
        || format!("{alias}, which does not exist"),
        |service| format!("{service}, where nothing is served for it"),
    );
    out.find(
        DANGLING
            .finding(name)
            .summary(format!("{name} leads to {place}."))
            .saw(format!("{name} CNAME {alias}"))
            .saw(how)
            .saw(format!("seen {}", view.source.words()))
            .fix(format!(
                "Delete the CNAME record of {name} at your DNS provider, or add {name} to the \
                 project at {} again.",
                service_of(look)
            ))
            .undo(format!("Add the record again: {name}. CNAME {alias}.")),
    );
}

fn unanswered(view: &NameView, reason: &str, alias: Option<&str>, out: &mut Assessment) {
    let name = &view.name;
    let mut finding = UNANSWERED
        .finding(name)
        .summary(format!("The declared host {name} has no answer: {reason}."))
        .saw(format!("{name} A, AAAA: {reason}"));
    if let Some(alias) = alias {
        finding = finding.saw(format!("{name} CNAME {alias}"));
    }
    out.find(
        finding
            .fix(format!(
                "Add the record for {name} that your hosting platform shows under “Domains”, or take \
                 {name} out of `hosts` in the config."
            ))
            .undo(format!("Delete the record of {name} again, or put it back into `hosts`.")),
    );
}

/// `www` belongs to every domain; the names in the option are known.
fn is_known(view: &NameView, evidence: &Evidence, cx: &Cx<'_>) -> bool {
    let www = view.name.strip_suffix(evidence.domain.as_str()) == Some("www.");
    let listed = |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(&view.name);
    www || cx.options.known.iter().any(listed)
}

fn place(look: &NameAnswer) -> String {
    let count = if look.addresses == 1 {
        "1 address".to_owned()
    } else {
        format!("{} addresses", look.addresses)
    };
    match (&look.alias, &look.platform) {
        (Some(alias), _) => format!("CNAME {alias}"),
        (None, Some(platform)) => format!("{count} of {platform}"),
        (None, None) => count,
    }
}

fn undeclared(
    evidence: &Evidence,
    view: &NameView,
    look: &NameAnswer,
    cx: &Cx<'_>,
    listed: &mut Vec<String>,
    out: &mut Assessment,
) {
    let name = &view.name;
    let sends_mail = view.source == Source::Spf;
    let on_purpose = look.in_use || look.vendor || sends_mail || look.platform.is_some();
    if cx.target.hosts.is_empty() || on_purpose {
        listed.push(format!("{name}: {}, seen {}", place(look), view.source.words()));
        return;
    }
    let label = name.strip_suffix(&format!(".{}", evidence.domain)).unwrap_or(name);
    out.find(
        UNDECLARED
            .finding(name)
            .summary(format!("{name} answers, and the config does not list it."))
            .saw(format!("{name}: {}", place(look)))
            .saw(format!("seen {}", view.source.words()))
            .fix(format!(
                "If {name} belongs to the product, add \"{label}\" to `hosts` in the config; if it \
                 is known and no part of it, add \"{name}\" to `known` under \
                 [checks.dns-subdomains]; if nobody needs it, switch the system off and delete its \
                 record at your DNS provider."
            ))
            .undo(format!("Take the entry out of the config, or add the record of {name} again.")),
    );
}

fn remark(evidence: &Evidence, listed: Vec<String>, out: &mut Assessment) {
    let (domain, count) = (&evidence.domain, listed.len());
    let names = if count == 1 { "name answers" } else { "names answer" };
    out.find(
        UNDECLARED
            .finding(domain)
            .at(Severity::Info)
            .summary(format!("{count} more {names} below {domain} that the config does not list."))
            .saw_all(listed)
            .fix(
                "Read the list; add what belongs to the product to `hosts` in the config, so that \
                 the other checks look at it too, and delete the records of what nobody needs.",
            )
            .undo("Take the entries out of the config, or add the deleted records again."),
    );
}

fn wildcard(evidence: &Evidence, out: &mut Assessment) {
    let domain = &evidence.domain;
    match &evidence.wildcard {
        Seen::Ok(true) => {
            let leads = evidence
                .names
                .items
                .iter()
                .find(|view| view.source == Source::Wildcard)
                .and_then(|view| view.look.ok())
                .map_or_else(|| "an answer".to_owned(), place);
            out.find(
                WILDCARD
                    .finding(domain)
                    .summary(format!("Every name below {domain} has an answer, whether it is used or not."))
                    .saw(format!("*.{domain}: {leads}"))
                    .fix(format!(
                        "If the product gives each customer a name, keep it; else delete the record \
                         *.{domain} at your DNS provider and add one for each host that is used."
                    ))
                    .undo(format!("Add the record *.{domain} again as it is shown above.")),
            );
        }
        Seen::Ok(false) => {}
        Seen::Target(fault) => out.not_checked(
            Unseen::Noted,
            "wildcard record",
            fault.to_string(),
            "run it again once the name servers answer",
        ),
        Seen::Agent(fault) => {
            out.not_checked(Unseen::Noted, "wildcard record", fault.to_string(), fault.unlock());
        }
    }
}

fn unseen(evidence: &Evidence, unread_pages: &[&str], out: &mut Assessment) {
    if let Some(first) = unread_pages.first() {
        out.not_checked(
            Unseen::Condition,
            "pages behind aliases",
            format!(
                "{} pages could not be read from here, the first at {first}",
                unread_pages.len()
            ),
            "run it from a network that lets web requests out",
        );
    }
    for unread in &evidence.unread {
        let (source, fault) = (unread.source.as_str(), &unread.fault);
        out.not_checked(Unseen::Noted, source, fault.to_string(), fault.unlock());
    }
    if evidence.declared_cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "hosts past the limit",
            format!("{} more hosts are declared than are looked at", evidence.declared_cut),
            "split the hosts over several projects of the config",
        );
    }
    if evidence.names.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "names past the limit",
            format!("{} more names answer than are kept", evidence.names.cut),
            "see the limits in the handbook page of the check",
        );
    }
}
