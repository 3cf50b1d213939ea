//! Judges the record of each sending domain.

use super::answers::Texts;
use super::findings;
use super::hygiene;
use super::problems;
use super::proposal;
use super::record::{Qualifier, Record};
use super::walk::{Last, Lookup, Walk, walk};
use super::{Evidence, LOOKUPS, Spf, VOID_LOOKUPS, declared_tools};
use crate::contract::{AssessCx, Assessment, Finding, Severity, Target, Unseen};
use crate::mail::providers::{self, Role};
use crate::probe::{Seen, TargetFault};

/// Look-ups that a record may need (RFC 7208 §4.6.4).
const LOOKUPS_ALLOWED: usize = 10;

/// Problems of one domain that are told: a hostile record has one at each of its look-ups, and each shows the record.
const PROBLEMS: usize = 20;

const RESTORE: &str = "Put the old text of the TXT record back.";

pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Spf>, out: &mut Assessment) {
    for name in &evidence.names {
        judge_name(name, evidence, cx, out);
    }
    // The bounce host of a tool is a sending domain too, unless it is the tool's own by an alias.
    for host in &evidence.return_paths {
        if let Some(Seen::Ok(texts)) = evidence.answers.texts(host)
            && texts.alias.is_none()
            && texts.count() > 0
        {
            judge_name(host, evidence, cx, out);
        }
    }
    if evidence.names_left > 0 {
        out.not_checked(
            Unseen::Condition,
            "some sending domains",
            format!("{} domains of mail.sends_from are past the limit of 8", evidence.names_left),
            "split the project in two, each with some of the domains",
        );
    }
    if evidence.answers.left > 0 {
        out.not_checked(
            Unseen::Condition,
            "all look-ups of the SPF records",
            format!("{} look-ups are past the limit of 60", evidence.answers.left),
            "shorten the records as the findings say, then look again",
        );
    }
}

fn judge_name(name: &str, evidence: &Evidence, cx: &AssessCx<'_, Spf>, out: &mut Assessment) {
    let texts = match evidence.answers.texts(name) {
        Some(Seen::Ok(texts)) => texts,
        // Silence may be our resolver's as well as theirs; an error code is the answer of a server.
        Some(Seen::Target(fault @ TargetFault::TimedOut(_))) => {
            let reason = format!("the name servers of {name} do not answer: {fault}");
            let unlock = "mend the name servers of the domain, then run it again";
            out.not_checked(Unseen::Blocks, format!("SPF record of {name}"), reason, unlock);
            return;
        }
        Some(Seen::Target(fault)) => {
            out.find(
                problems::unanswered(name, &format!("TXT {name}"), &fault.to_string())
                    .at(Severity::Critical),
            );
            return;
        }
        Some(Seen::Agent(fault)) => {
            let part = format!("SPF record of {name}");
            out.not_checked(Unseen::Blocks, part, fault.to_string(), fault.unlock());
            return;
        }
        None => {
            let part = format!("SPF record of {name}");
            let reason = "there were too many look-ups before it";
            out.not_checked(Unseen::Blocks, part, reason, "declare fewer sending domains");
            return;
        }
    };
    let walk = walk(name, &evidence.answers);
    match texts.count() {
        0 => {
            out.find(missing(name, texts, evidence, cx.target));
            if let Some(Seen::Agent(fault)) = evidence.mail_servers.get(name) {
                let part = format!("mail servers of {name}");
                out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
            }
        }
        1 => {
            let text = texts.only().unwrap_or_default();
            hygiene::judge(name, texts, cx.options.record_bytes, out);
            judge_walk(name, &text, &walk, cx, out);
            judge_unknown_end(name, &walk, out);
        }
        _ => {}
    }
    let glued = hygiene::glued_words(texts);
    let told = walk
        .problems
        .iter()
        .filter_map(|problem| problems::finding(name, problem, &evidence.answers, &glued));
    let mut told = told.fuse();
    told.by_ref().take(PROBLEMS).for_each(|finding| out.find(finding));
    let rest = told.count();
    if rest > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("{rest} further terms of the SPF records that {name} uses"),
            format!("the first {PROBLEMS} that are wrong are told"),
            "mend those, then look again",
        );
    }
    if !walk.unseen.is_empty() {
        out.not_checked(
            Unseen::Condition,
            format!("look-ups of the SPF record of {name}"),
            problems::some(&walk.unseen),
            "run it again from a machine whose resolver answers",
        );
    }
    if !walk.cut.is_empty() {
        out.not_checked(
            Unseen::Condition,
            format!("the end of the SPF records that {name} uses"),
            format!("they are too long to be kept: {}", problems::some(&walk.cut)),
            "shorten the records, or remove the terms that lead to them",
        );
    }
}

/// Whether mail leaves with this name behind the @ of its bounce address.
fn is_sender(name: &str, evidence: &Evidence, target: &Target) -> bool {
    if target.mail.not_used {
        return false;
    }
    let servers = evidence.mail_servers.get(name).and_then(Seen::ok).map_or(&[][..], Vec::as_slice);
    let receives = servers.iter().any(|host| {
        !host.is_empty() && providers::behind_mx(host).is_none_or(|p| p.role != Role::Forwarder)
    });
    let bounces_here = declared_tools(target).iter().any(|(_, tool)| !tool.has_own_return_path());
    receives || bounces_here || target.mail.sends_from.iter().any(|declared| declared == name)
}

fn missing(name: &str, texts: &Texts, evidence: &Evidence, target: &Target) -> Finding {
    let sends = is_sender(name, evidence, target);
    let servers = evidence.mail_servers.get(name).and_then(Seen::ok).cloned().unwrap_or_default();
    let tools: Vec<_> = declared_tools(target).into_iter().map(|(_, provider)| provider).collect();
    let record =
        if target.mail.not_used { proposal::nothing() } else { proposal::first(&servers, &tools) };
    let also = if record == proposal::nothing() {
        ""
    } else {
        " Add an include for every other service that sends in your name before you publish it."
    };
    let instead = if texts.near.is_empty() {
        ""
    } else {
        " It takes the place of the text that only looks like one."
    };
    let mut finding = findings::MISSING
        .finding(name)
        .at(if sends { Severity::Critical } else { Severity::Warning })
        .summary(if sends {
            format!("{name} sends mail and has no SPF record.")
        } else {
            format!("{name} has no SPF record, so anybody can send as {name}.")
        })
        .saw(if texts.missing {
            format!("TXT {name}: the name does not exist")
        } else {
            format!("TXT {name}: no text that begins with v=spf1 and a blank")
        })
        .saw_all(
            texts.near.iter().map(|near| format!("no SPF record, but it looks like one: {near}")),
        )
        .fix(format!("Add this TXT record: {name} TXT \"{record}\".{also}{instead}"))
        .undo(format!("Remove the TXT record of {name} again."));
    if !servers.is_empty() {
        finding = finding.saw(format!("MX {name}: {}", servers.join(", ")));
    }
    finding
}

fn judge_walk(name: &str, text: &str, walk: &Walk, cx: &AssessCx<'_, Spf>, out: &mut Assessment) {
    let voids: Vec<&str> = walk.lookups.iter().filter_map(|l| l.void.as_deref()).collect();
    let count = walk.lookups.len();
    let bound = |limit: usize| Some(limit as f64);
    out.measure(LOOKUPS.value(Some(name), count as f64).bounds(None, bound(LOOKUPS_ALLOWED)));
    out.measure(
        VOID_LOOKUPS
            .value(Some(name), voids.len() as f64)
            .bounds(bound(cx.options.void_lookups), None),
    );
    let record = format!("{name} TXT {text}");
    if count > LOOKUPS_ALLOWED {
        let more = if walk.endless { "more than " } else { "" };
        out.find(
            findings::TOO_MANY_LOOKUPS
                .finding(name)
                .summary(format!("The SPF record of {name} needs {more}{count} look-ups; ten are allowed."))
                .saw(&record)
                .saw_all(named(name, &walk.lookups))
                .fix(format!(
                    "In the TXT record of {name}, remove the terms of services you no longer use, most \
                     costly first. For each tool that can bounce to a host of its own (a return-path or \
                     custom MAIL FROM such as send.{name}), set that up and remove its include here. \
                     Replace a and mx by ip4: and ip6: terms."
                ))
                .undo(RESTORE),
        );
    }
    if voids.len() > cx.options.void_lookups {
        out.find(
            findings::TOO_MANY_VOIDS
                .finding(name)
                .summary(format!(
                    "The SPF record of {name} makes {} look-ups without a result; {} are allowed.",
                    voids.len(),
                    cx.options.void_lookups
                ))
                .saw(&record)
                .saw_all(walk.lookups.iter().filter_map(|look| {
                    Some(format!(
                        "{} in the record of {}: {}",
                        look.term,
                        look.holder,
                        look.void.as_ref()?
                    ))
                }))
                .fix(remove_voids(name, &walk.lookups))
                .undo(RESTORE),
        );
    }
    if let Some(way) = &walk.open {
        out.find(
            findings::PASS_ALL
                .finding(name)
                .summary(format!(
                    "The SPF record of {name} allows every address to send, through {way}."
                ))
                .saw(&record)
                .fix(if way.contains(" → ") {
                    format!(
                        "Remove “{}” from the TXT record of {name}.",
                        way.split(" → ").next().unwrap_or_default()
                    )
                } else if way.ends_with("all") {
                    format!(
                        "Replace the record: {name} TXT \"{}\".",
                        proposal::ending_in(text, "~all")
                    )
                } else {
                    format!(
                        "Replace “{way}” by the addresses that really send, such as ip4:192.0.2.10."
                    )
                })
                .undo(RESTORE),
        );
    }
    let is_broken = !Record::parse(text).errors.is_empty();
    // What was meant as the end may be the term that cannot be read.
    if !(is_broken && walk.last == Last::Nothing) {
        judge_end(name, &record, text, walk.last, out);
    }
}

/// Says so where the end stands in a record whose name only the sender decides.
fn judge_unknown_end(name: &str, walk: &Walk, out: &mut Assessment) {
    if walk.last != Last::Unknown || walk.endless {
        return;
    }
    // A redirect is followed last, so that the last look-up is the one at which the way to the end breaks off.
    let Some(lookup) = walk.lookups.last().filter(|lookup| lookup.by_sender) else { return };
    if !lookup.term.to_ascii_lowercase().starts_with("redirect=") {
        return;
    }
    out.not_checked(
        Unseen::Condition,
        format!("the end of the SPF record of {name}"),
        format!("{} in the record of {} depends on the sender", lookup.term, lookup.holder),
        "redirect to a name without a macro of the sender, or end the record in ~all",
    );
}

fn judge_end(name: &str, record: &str, text: &str, last: Last, out: &mut Assessment) {
    let (spec, summary) = match last {
        Last::All(Qualifier::Neutral) => {
            (findings::NEUTRAL_ALL, format!("The SPF record of {name} ends in ?all."))
        }
        Last::Nothing => (findings::NO_ALL, format!("The SPF record of {name} ends without all.")),
        Last::All(_) | Last::Unknown => return,
    };
    let fix = if text.to_ascii_lowercase().contains("redirect=") && last != Last::Nothing {
        format!("Change ?all to ~all in the record that {name} redirects to.")
    } else {
        format!(
            "Replace the record: {name} TXT \"{}\". When DMARC reports show no mail of yours that fails, \
             ~all may become -all.",
            proposal::ending_in(text, "~all")
        )
    };
    out.find(spec.finding(name).summary(summary).saw(record).fix(fix).undo(RESTORE));
}

fn remove_voids(name: &str, lookups: &[Lookup]) -> String {
    let void = || lookups.iter().filter(|look| look.void.is_some());
    let own: Vec<&str> = void().filter(|l| l.holder == name).map(|l| l.term.as_str()).collect();
    let foreign: Vec<&str> = void().filter(|l| l.holder != name).map(|l| l.top.as_str()).collect();
    let mut steps = Vec::new();
    if !own.is_empty() {
        let terms = problems::listed(own.into_iter());
        steps.push(format!("Remove from the TXT record of {name}: {terms}."));
    }
    if !foreign.is_empty() {
        let terms = problems::listed(foreign.into_iter());
        steps.push(format!(
            "Ask whoever runs the records behind these terms to mend them, or remove the terms: {terms}."
        ));
    }
    steps.join(" ")
}

/// Every look-up once, with its place in the order of evaluation, how often it is made, and what a
/// term of the record itself costs together with all that it leads to.
fn named(name: &str, lookups: &[Lookup]) -> Vec<String> {
    let mut each: Vec<(usize, &Lookup, usize)> = Vec::new();
    for (n, lookup) in lookups.iter().enumerate() {
        let same = |(_, known, _): &&mut (usize, &Lookup, usize)| {
            known.term == lookup.term && known.holder == lookup.holder
        };
        match each.iter_mut().find(same) {
            Some((_, _, times)) => *times += 1,
            None => each.push((n + 1, lookup, 1)),
        }
    }
    let lines = each.into_iter().map(|(n, lookup, times)| {
        let void = lookup.void.as_ref().map_or(String::new(), |void| format!(" ({void})"));
        let note = if lookup.by_sender { " (depends on the sender)" } else { "" };
        let cost = lookups.iter().filter(|other| other.top == lookup.term).count();
        let count = if lookup.holder == name && cost > 1 {
            format!(", costs {cost} in all")
        } else if times > 1 {
            format!(", {times} times")
        } else {
            String::new()
        };
        format!("{n}. {} in the record of {}{void}{note}{count}", lookup.term, lookup.holder)
    });
    lines.collect()
}
