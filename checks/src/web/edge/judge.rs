//! Judges the edges of the hosts and the ways around them.

use super::origin::{ADDRESSES, HOSTS};
use super::{EDGE_MISSING, Evidence, Host, ORIGIN_EXPOSED, ORIGIN_REVEALED, Origin};
use crate::contract::{Assessment, Severity, Unseen};
use crate::suffix::registrable;
use crate::vendor::is_below;
use crate::web::walk::End;

pub(super) fn judge(evidence: &Evidence, out: &mut Assessment) {
    for host in &evidence.hosts.items {
        edge(host, out);
    }
    let hosts = &evidence.hosts.items;
    for origin in &evidence.origins.items {
        around(origin, hosts, out);
    }
    if let Some((address, fault)) = evidence.unasked.items.first() {
        let part = format!("whether the server answers around the edge at {address}");
        out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
    }
    left_out(evidence, out);
    if let Some((name, fault)) = evidence.unseen.items.first() {
        let part = "records that may lead around the edge";
        let reason =
            format!("{} names were not looked up, {name} first: {fault}", evidence.unseen.total());
        out.not_checked(Unseen::Condition, part, reason, fault.unlock());
    }
    let fronted = |host: &&Host| host.edge.as_ref().is_some_and(|edge| edge.fronts) && !host.moved;
    for host in hosts.iter().filter(fronted).filter(|host| !host.comparable) {
        // An API without a page has nothing that could be compared.
        let hidden = host.end.as_ref().filter(|end| !matches!(end, End::Page { .. }));
        if let Some((reason, unlock)) = hidden.and_then(End::unread) {
            let part = format!("whether the server of {} answers around the edge", host.name);
            out.not_checked(Unseen::Condition, part, reason, unlock);
        }
    }
}

/// Lists the addresses and hosts beyond the limits of the search for servers.
fn left_out(evidence: &Evidence, out: &mut Assessment) {
    let (addresses, hosts) = (&evidence.more_addresses, &evidence.more_hosts);
    if addresses.total() > 0 {
        let names: Vec<_> = addresses.items.iter().map(ToString::to_string).collect();
        out.not_checked(
            Unseen::Condition,
            format!("whether a server answers around the edge at {}", list(&names, addresses.cut)),
            format!("one run asks {ADDRESSES} addresses beside the edge"),
            "delete the records that nobody needs, or audit the hosts in projects of their own",
        );
    }
    if hosts.total() > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("servers that answer around the edge for {}", list(&hosts.items, hosts.cut)),
            format!("one run looks for the servers of {HOSTS} hosts"),
            "declare these hosts in a project of their own",
        );
    }
}

fn list(names: &[String], more: usize) -> String {
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

fn edge(host: &Host, out: &mut Assessment) {
    let name = &host.name;
    if host.edge.is_some() || host.moved {
        return;
    }
    let part = format!("the edge network of {name}");
    if let Some(fault) = &host.dns_fault {
        out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
        return;
    }
    let Some(end) = &host.end else {
        if host.declared {
            let unlock = "fix what dns-resolution finds first, then run it again";
            out.not_checked(Unseen::Condition, part, "the name has no address", unlock);
        }
        return;
    };
    if let End::NoAnswer { .. } | End::NotSeen { .. } = end {
        if let Some((reason, unlock)) = end.unread() {
            out.not_checked(Unseen::Condition, part, reason, unlock);
        }
        return;
    }
    // Somebody else's service under a name of the project: its vendor decides what stands before it.
    let vendor = host.alias.as_deref().filter(|alias| {
        let own = registrable(name).is_some_and(|domain| is_below(alias, domain));
        !own && !is_below(alias, "amazonaws.com")
    });
    let severity = if vendor.is_some() { Severity::Info } else { Severity::Warning };
    let list = |all: &[std::net::IpAddr]| {
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    out.find(
        EDGE_MISSING
            .finding(name)
            .at(severity)
            .summary(format!("No edge network was seen in front of {name}."))
            .saw(end.line())
            .saw(format!("{name} → {}", list(&host.addresses.items)))
            .saw_all(vendor.map(|alias| format!("{name} is an alias of {alias}")))
            .saw("no header, alias or address of a known edge network")
            .fix(format!(
                "Put one in front of {name}: add the domain to Cloudflare (free plan), let its name \
                 servers answer for it, and set the record of {name} to Proxied with SSL/TLS mode \
                 Full (strict). Hosting at Vercel, Netlify or Cloudflare Pages brings one with it."
            ))
            .undo(format!("Set the record of {name} to DNS only again.")),
    );
}

fn around(origin: &Origin, hosts: &[Host], out: &mut Assessment) {
    let Origin { host, address, proof, url, .. } = origin;
    let edge = hosts.iter().find(|known| known.name == *host).and_then(|known| known.edge.as_ref());
    let edge = edge.map_or("the edge", |edge| edge.name.as_str());
    let records = origin.names.items.iter().map(|name| format!("{name} → {address}"));
    let first = origin.names.items.first().map(String::as_str).unwrap_or_default();
    let command = format!("curl --resolve {host}:443:{address} {url}");
    if !origin.around {
        out.find(
            ORIGIN_REVEALED
                .finding(first)
                .key(host)
                .summary(format!("{first} shows the site of {host}, past {edge}, at {address}."))
                .saw_all(records)
                .saw(format!("{url} at {address} → {proof} as {host}"))
                .fix(format!(
                    "Delete the record {first} if nobody needs it, or set it to Proxied. Then move the \
                     server to a new address, because the old one is known, and let its firewall \
                     accept {edge} alone."
                ))
                .undo(format!("Create the record {first} → {address} again.")),
        );
        return;
    }
    let what = if origin.skips_sign_in {
        format!("The server of {host} at {address} skips the sign-in that {edge} demands.")
    } else {
        format!("The server of {host} answers at {address}, past {edge}.")
    };
    let severity = if origin.skips_sign_in { Severity::Critical } else { Severity::Warning };
    out.find(
        ORIGIN_EXPOSED
            .finding(host)
            .key(&address.to_string())
            .at(severity)
            .summary(what)
            .saw_all(records)
            .saw(format!("{url} at {address} → {proof}"))
            .saw(command)
            .fix(format!(
                "Let the firewall of {address} accept ports 80 and 443 from {edge} alone: for \
                 Cloudflare the ranges at https://www.cloudflare.com/ips/, or, without any open port, \
                 a Cloudflare Tunnel. Then delete the record {first} or set it to Proxied."
            ))
            .undo(format!("Open ports 80 and 443 of {address} to everybody again.")),
    );
}
