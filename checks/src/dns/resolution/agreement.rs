//! Judges whether servers and resolvers say the same, and how long their answers live.

use super::evidence::{Evidence, HostView, Outcome, OutcomeView, SetViews, Ttls};
use super::existence::{servers, words};
use super::{Cx, DISAGREE, RESOLVERS_DISAGREE, TTL};
use crate::contract::{Assessment, Severity, Unseen};
use crate::dns::providers;
use crate::dns::records::RecordSet;

/// Judges differences between servers, then between resolvers, then times to live.
pub(super) fn judge(evidence: &Evidence, cx: &Cx<'_>, broken: bool, out: &mut Assessment) {
    let provider = providers::of_all(evidence.servers.items.iter().map(|s| s.name.as_str()));
    for views in &evidence.sets {
        servers_differ(evidence, views, provider, out);
    }
    for host in &evidence.hosts.items {
        existence_differs(evidence, host, provider, out);
    }
    if evidence.resolvers.len() < 2 {
        out.not_checked(
            Unseen::Noted,
            "agreement of resolvers",
            "fewer than two resolvers are configured",
            "name two of different operators, such as network.resolvers = [\"1.1.1.1\", \"8.8.8.8\"]",
        );
    } else if !broken {
        resolvers_differ(evidence, out);
    }
    ttls(evidence, cx, provider, out);
}

fn servers_differ(evidence: &Evidence, views: &SetViews, provider: &str, out: &mut Assessment) {
    let (zone, kind) = (&evidence.zone, &views.kind);
    if views.answers.total() < 2 {
        return;
    }
    let lines = views
        .answers
        .items
        .iter()
        .map(|view| format!("{}: {}", servers(evidence, &view.by), said(&view.set)));
    let subject = format!("{zone} {kind}");
    out.find(
        DISAGREE
            .finding(&subject)
            .summary(format!(
                "The name servers of {zone} give {} different answers about its {kind} records.",
                views.answers.total()
            ))
            .saw_all(lines)
            .fix(format!(
                "At {provider}, bring the {kind} records of {zone} to the same state on every name \
                 server: publish the zone again where one provider runs them all, or edit the one \
                 that lags behind where there are two."
            ))
            .undo(format!("Put the former {kind} records back, as they are shown above.")),
    );
}

/// The records of an answer on one line.
fn said(set: &RecordSet) -> String {
    match (set.is_empty(), set.lines.cut) {
        (true, _) => "no record".to_owned(),
        (false, 0) => set.lines.items.join(" | "),
        (false, cut) => format!("{} and {cut} more", set.lines.items.join(" | ")),
    }
}

/// Whether some answer with the name and others say that it has no address.
fn differs(views: &[OutcomeView]) -> bool {
    let some = |wanted: bool| {
        views
            .iter()
            .any(|v| (v.outcome == Outcome::Answers) == wanted && v.outcome != Outcome::Fails)
    };
    some(true) && some(false)
}

fn existence_differs(evidence: &Evidence, host: &HostView, provider: &str, out: &mut Assessment) {
    if !differs(&host.servers) {
        return;
    }
    let name = &host.name;
    let lines =
        host.servers.iter().map(|v| format!("{}: {}", servers(evidence, &v.by), words(v.outcome)));
    out.find(
        DISAGREE
            .finding(name)
            .summary(format!(
                "Some name servers of {} know {name}, and others say that it is not there.",
                evidence.zone
            ))
            .saw_all(lines)
            .fix(format!(
                "At {provider}, add the record of {name} on every name server of the zone."
            ))
            .undo(format!("Delete the record of {name} on the name servers that did not have it.")),
    );
}

fn named(evidence: &Evidence, by: &[usize]) -> String {
    let names: Vec<&str> =
        by.iter().filter_map(|index| evidence.resolvers.get(*index)).map(String::as_str).collect();
    names.join(", ")
}

/// A host that only some resolvers find hurts visitors now; records that differ are mostly a change
/// that is still spreading.
fn resolvers_differ(evidence: &Evidence, out: &mut Assessment) {
    let settled = "Wait until the time to live of the old answer has passed and look again; if it \
                   stays so, ask the operator of the resolver that differs whether it filters.";
    for host in evidence.hosts.items.iter().filter(|host| host.declared) {
        let one_fails = host.resolvers.len() > 1;
        let answers = host.resolvers.iter().any(|view| view.outcome == Outcome::Answers);
        if !(one_fails && answers) || differs(&host.servers) {
            continue;
        }
        let name = &host.name;
        out.find(
            RESOLVERS_DISAGREE
                .finding(name)
                .summary(format!("Some resolvers find {name}, and others do not."))
                .saw_all(
                    host.resolvers.iter().map(|v| {
                        format!("resolver {}: {}", named(evidence, &v.by), words(v.outcome))
                    }),
                )
                .fix(settled)
                .undo("Nothing was changed."),
        );
    }
    for views in &evidence.resolver_sets {
        let at_servers = evidence.sets.iter().find(|sets| sets.kind == views.kind);
        let servers_agree = at_servers.is_none_or(|sets| sets.answers.total() < 2);
        if views.answers.total() < 2 || !servers_agree {
            continue;
        }
        let (zone, kind) = (&evidence.zone, &views.kind);
        let lines = views
            .answers
            .items
            .iter()
            .map(|view| format!("resolver {}: {}", named(evidence, &view.by), said(&view.set)));
        out.find(
            RESOLVERS_DISAGREE
                .finding(format!("{zone} {kind}"))
                .at(Severity::Info)
                .summary(format!(
                    "The resolvers give different answers about the {kind} records of {zone}."
                ))
                .saw_all(lines)
                .fix(settled)
                .undo("Nothing was changed."),
        );
    }
}

/// NS records are left out: two days are usual for them. So are hosts on a platform, which chooses
/// the time to live of flattened addresses itself.
fn ttls(evidence: &Evidence, cx: &Cx<'_>, provider: &str, out: &mut Assessment) {
    let zone = &evidence.zone;
    let apex = evidence
        .sets
        .iter()
        .filter(|views| matches!(views.kind.as_str(), "MX" | "TXT" | "CAA"))
        .map(|views| (format!("{zone} {}", views.kind), views.ttl));
    let hosts = evidence.hosts.items.iter().filter_map(|host| {
        let on_platform = host.look.ok().is_some_and(|look| look.platform.is_some());
        (!on_platform).then(|| (host.name.clone(), host.ttl))
    });
    let (least, most) = (cx.options.ttl_least.whole_seconds(), cx.options.ttl_most.whole_seconds());
    let unusual = |ttls: Ttls| i64::from(ttls.least) < least || i64::from(ttls.most) > most;
    let lines: Vec<String> = apex
        .chain(hosts)
        .filter_map(|(what, ttls)| Some((what, ttls.filter(|ttls| unusual(*ttls))?)))
        .map(|(what, ttls)| match ttls {
            Ttls { least: a, most: b } if a == b => format!("{what}: {a} seconds"),
            Ttls { least: a, most: b } => format!("{what}: {a} to {b} seconds"),
        })
        .collect();
    if lines.is_empty() {
        return;
    }
    out.find(
        TTL.finding(zone)
            .summary(format!(
                "{} of the records looked at live shorter than {least} or longer than {most} seconds.",
                lines.len()
            ))
            .saw_all(lines)
            .fix(format!("At {provider}, set the time to live (TTL) of these records to 300 to 3600 seconds."))
            .undo("Set the time to live back to the value that is shown above."),
    );
}
