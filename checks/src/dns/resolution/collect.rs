//! Puts the looks of `dns-resolution` together: three rounds of questions, each asked at once.

use futures_util::future::{OptionFuture, join_all};
use futures_util::join;

use super::caa_look::{Climb, issuer};
use super::evidence::{Evidence, HOSTS, HostView};
use super::hosts::{ask_resolvers, describe};
use super::servers::{HostAtServers, ask_servers};
use super::zone::find_zones;
use crate::contract::{Bounded, CheckError, Target};
use crate::dns::records::shorten;
use crate::probe::{Probes, Seen, look_up_hosts};

/// Looks at the domain from its name servers, the zone above and every resolver.
pub(super) async fn collect(target: &Target, probes: &Probes) -> Result<Evidence, CheckError> {
    let dns = probes.dns.as_ref();
    let names: Vec<String> = target.likely_hosts().into_iter().take(HOSTS).collect();
    let (zones, mut hosts, climb) = join!(
        find_zones(dns, &target.domain),
        look_up_hosts(target, dns),
        Climb::ask(dns, &names),
    );
    let zones = zones?;
    let cut = hosts.len().saturating_sub(HOSTS);
    hosts.truncate(HOSTS);
    let looks = hosts.iter().map(async |host| {
        let caa = climb.from(&host.name);
        let above = host.name.split_once('.').map_or(host.name.as_str(), |(_, rest)| rest);
        let caa_above = climb.from(above);
        let has_caa = [&caa, &caa_above].iter().any(|seen| matches!(seen, Seen::Ok(Some(_))));
        let wanted = has_caa && host.is_there();
        let issuer = wanted.then(|| issuer(probes.tls.as_ref(), &host.name));
        let ((look, bogus), issuer) = join!(describe(dns, host), OptionFuture::from(issuer));
        HostView {
            name: host.name.clone(),
            declared: host.declared,
            look,
            bogus,
            servers: Vec::new(),
            resolvers: Vec::new(),
            alias: None,
            beside: Vec::new(),
            ttl: None,
            caa,
            caa_above,
            issuer,
        }
    });
    let (mut views, servers, resolvers) = join!(
        join_all(looks),
        ask_servers(dns, &zones, &names),
        ask_resolvers(dns, &zones.zone, &names),
    );
    let answers = servers.hosts.into_iter().zip(resolvers.hosts);
    for (view, (at_servers, at_resolvers)) in views.iter_mut().zip(answers) {
        let HostAtServers { outcomes, alias, beside, ttl } = at_servers;
        (view.servers, view.alias, view.beside, view.ttl) = (outcomes, alias, beside, ttl);
        view.resolvers = at_resolvers;
    }
    let found = views.iter().flat_map(|view| [&view.caa, &view.caa_above]);
    let caa_sets = climb.sets(found.filter_map(|seen| seen.ok()?.as_ref()));
    Ok(Evidence {
        zone: zones.zone,
        parent: zones.parent.map(|name| shorten(&name, 120)),
        hosts: Bounded { items: views, cut },
        servers: servers.servers,
        sets: servers.sets,
        delegation: servers.delegation,
        resolvers: resolvers.resolvers,
        resolver_sets: resolvers.sets,
        validation: resolvers.validation,
        signers: servers.signers,
        caa_sets,
    })
}
