//! Which addresses of which hosts are looked at, and texts that stay short in evidence.

use std::net::IpAddr;

use crate::probe::{AgentFault, HostLook, Seen, TargetFault};

/// Bytes of the text of a fault.
pub(super) const TEXT_BYTES: usize = 200;

/// Host and address pairs, the first address of every host before the second of any; and how many
/// more there are.
pub(super) fn pairs(hosts: &[HostLook], limit: usize) -> (Vec<(&HostLook, IpAddr)>, usize) {
    let addresses = |host: &HostLook| host.look.ok().map_or(0, |look| look.addresses.len());
    let most = hosts.iter().map(addresses).max().unwrap_or(0);
    let mut pairs = Vec::new();
    for nth in 0..most.min(limit) {
        for host in hosts.iter().take(limit) {
            let address = host.look.ok().and_then(|look| look.addresses.get(nth));
            if let Some(address) = address.filter(|_| pairs.len() < limit) {
                pairs.push((host, *address));
            }
        }
    }
    let all: usize = hosts.iter().map(addresses).sum();
    let cut = all.saturating_sub(pairs.len());
    (pairs, cut)
}

/// An answer or a fault whose text is short.
pub(super) fn bounded<T>(seen: Seen<T>) -> Seen<T> {
    let cut = |text: &mut String| *text = short(text, TEXT_BYTES);
    match seen {
        Seen::Ok(value) => Seen::Ok(value),
        Seen::Target(mut fault) => {
            match &mut fault {
                TargetFault::Unresolvable(text)
                | TargetFault::Refused(text)
                | TargetFault::TimedOut(text)
                | TargetFault::Tls(text)
                | TargetFault::Malformed(text)
                | TargetFault::TooLarge(text)
                | TargetFault::PrivateAddress(text) => cut(text),
            }
            Seen::Target(fault)
        }
        Seen::Agent(mut fault) => {
            match &mut fault {
                AgentFault::NoNetwork(text)
                | AgentFault::NoResolver(text)
                | AgentFault::BadCredential(text)
                | AgentFault::Forbidden(text)
                | AgentFault::RateLimited(text)
                | AgentFault::TurnedAway(text)
                | AgentFault::ClockOff(text)
                | AgentFault::TimeLimit(text)
                | AgentFault::Misconfigured(text)
                | AgentFault::Refused(text)
                | AgentFault::Bug(text) => cut(text),
                AgentFault::NoIpv6 | AgentFault::PortBlocked(_) => {}
            }
            Seen::Agent(fault)
        }
    }
}

/// The beginning of a text in at most `bytes` bytes, without what JSON has to escape.
pub(super) fn short(text: &str, bytes: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = match c {
            '"' | '\\' => '\'',
            c if c.is_control() => '?',
            c => c,
        };
        if out.len() + c.len_utf8() > bytes {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{AddressLook, Rcode};

    #[test]
    fn every_host_is_seen_once_before_any_is_seen_twice() {
        let host = |name: &str, addresses: &[&str]| HostLook {
            name: name.to_owned(),
            declared: true,
            look: Seen::Ok(AddressLook {
                addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
                aliases: Vec::new(),
                rcode: Rcode::NoError,
            }),
        };
        let hosts = [
            host("a", &["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
            host("b", &[]),
            host("c", &["192.0.2.4", "192.0.2.5"]),
        ];
        let (pairs, cut) = pairs(&hosts, 3);
        let seen: Vec<String> = pairs.iter().map(|(h, a)| format!("{} {a}", h.name)).collect();
        assert_eq!(seen, ["a 192.0.2.1", "c 192.0.2.4", "a 192.0.2.2"]);
        assert_eq!(cut, 2);
    }
}
