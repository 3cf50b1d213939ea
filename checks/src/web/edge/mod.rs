//! `web-edge`: see `edge.md`.

mod account;
mod judge;
mod look;
mod origin;
mod webhook;

use std::net::IpAddr;
use std::time::Duration;

use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::account::Account;
use self::webhook::Hook;
use super::site::Site;
use super::walk::End;
use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    Schedule, Target, Vantage,
};
use crate::probe::{AgentFault, Probes};

const EDGE_MISSING: FindingSpec = FindingSpec::warning(
    "edge-missing",
    "Nothing stands between the internet and the server",
    "A flood of requests, which anybody can rent for a few dollars, or a crowd from one good post \
     takes the shop down for everybody.",
);
const ORIGIN_EXPOSED: FindingSpec = FindingSpec::warning(
    "origin-exposed",
    "The server answers around its edge network",
    "Whoever knows the address of the server goes around the protection, the limits and the access \
     rules of the edge, and can take the shop down directly.",
);
const ORIGIN_REVEALED: FindingSpec = FindingSpec::warning(
    "origin-revealed",
    "A DNS record gives the server's address away",
    "The edge network hides the server, and this record shows where it stands: an attacker looks it \
     up and attacks there.",
);
const WEBHOOK_BLOCKED: FindingSpec = FindingSpec::warning(
    "webhook-blocked-at-edge",
    "The edge network keeps webhooks out",
    "Payment providers solve no puzzles and follow no redirects: the customer has paid, and the \
     product never hears of it.",
);

const UNENCRYPTED: FindingSpec = FindingSpec::critical(
    "edge-origin-unencrypted",
    "The edge network speaks to the server without encryption",
    "The padlock in the browser is a lie: names, passwords and orders travel from the edge to your server \
     readable for everybody on the way.",
);
const UNVERIFIED: FindingSpec = FindingSpec::warning(
    "edge-origin-unverified",
    "The edge network accepts any certificate from the server",
    "Whoever stands between the edge and your server can pretend to be it, and reads and changes \
     everything.",
);
const HTTPS_OPTIONAL: FindingSpec = FindingSpec::warning(
    "edge-https-optional",
    "The edge network lets pages be read without encryption",
    "A visitor who types the name without https is served in the open, and everybody in the same network \
     can read and change what is shown.",
);
const DEVELOPMENT_MODE: FindingSpec = FindingSpec::warning(
    "edge-development-mode",
    "The edge network is in development mode",
    "Nothing is cached, so that each visitor of a launch costs the server a full answer.",
);
const DNSSEC_PENDING: FindingSpec = FindingSpec::warning(
    "edge-dnssec-pending",
    "DNSSEC was begun and not finished",
    "The zone is signed, and no resolver checks it: the protection that you switched on is not there.",
);
const PAUSED: FindingSpec = FindingSpec::warning(
    "edge-paused",
    "The edge network is paused",
    "Every request goes straight to the server: no protection, no cache, and everybody sees its address.",
);

/// Whether an edge network protects the hosts, and whether anything leads around it.
#[derive(Debug)]
pub struct Edge;

/// Options of `web-edge`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Labels below the domain that may lead to the server, beside the usual ones; at most 20.
    #[schemars(length(max = 20))]
    pub origin_names: Vec<String>,
}

/// The hosts with their edges, servers that answer around them, and the webhooks.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    hosts: Bounded<Host>,
    origins: Bounded<Origin>,
    /// Addresses beside the edge that could not be asked.
    unasked: Bounded<(IpAddr, AgentFault)>,
    /// Addresses beside the edge that are too many for one run.
    more_addresses: Bounded<IpAddr>,
    /// Hosts behind an edge that are too many for one run.
    more_hosts: Bounded<String>,
    /// Names beside the edge that no resolver answered.
    unseen: Bounded<(String, AgentFault)>,
    webhooks: Bounded<Hook>,
    /// What the account at the edge network says.
    #[serde(default)]
    account: Account,
}

/// The most addresses and the most hosts that evidence names of those left out.
const LEFT_OUT: usize = 8;

/// One host of the project.
#[derive(Debug, Serialize, Deserialize)]
struct Host {
    name: String,
    declared: bool,
    addresses: Bounded<IpAddr>,
    alias: Option<String>,
    /// Absent when the name has no address or could not be looked up.
    end: Option<End>,
    dns_fault: Option<AgentFault>,
    /// It only leads to another host.
    moved: bool,
    edge: Option<Recognised>,
    /// There is a page to compare with, or a sign-in demanded by the edge.
    comparable: bool,
}

/// A platform, and what gave it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Recognised {
    name: String,
    sign: String,
    /// It passes requests on to a server of the project's own.
    fronts: bool,
}

/// A server that shows an edge's page at an address beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Origin {
    /// The host behind the edge.
    host: String,
    url: String,
    address: IpAddr,
    /// The records that lead to the address.
    names: Bounded<String>,
    /// It answers for the host's own name; else only for that of the record.
    around: bool,
    /// What proves that it is the same site.
    proof: String,
    /// The edge demands a sign-in and this address does not.
    skips_sign_in: bool,
}

impl Check for Edge {
    const META: CheckMeta = CheckMeta {
        id: "web-edge",
        area: Area::Web,
        title: "Edge network",
        vantage: Vantage::Outside,
        findings: &[
            EDGE_MISSING,
            ORIGIN_EXPOSED,
            ORIGIN_REVEALED,
            WEBHOOK_BLOCKED,
            UNENCRYPTED,
            UNVERIFIED,
            HTTPS_OPTIONAL,
            DEVELOPMENT_MODE,
            DNSSEC_PENDING,
            PAUSED,
        ],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../edge.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let site = Site::of(target);
        let (http, dns) = (&*probes.http, &*probes.dns);
        let names = origin::names(&site, &look.options.origin_names);
        let (visited, (siblings, unseen), webhooks, account) = join!(
            look::hosts(http, dns, &site, target),
            origin::look_up(dns, names),
            webhook::ask(http, &site, target),
            account::ask(probes, target),
        );
        let search = origin::find(http, &visited, &siblings).await;
        let hosts = visited.into_iter().map(|visited| visited.facts);
        let evidence = Evidence {
            hosts: Bounded::keep(hosts, look::HOSTS),
            origins: Bounded::keep(search.origins, 24),
            unasked: Bounded::keep(search.unasked, 8),
            more_addresses: Bounded::keep(search.more_addresses, LEFT_OUT),
            more_hosts: Bounded::keep(search.more_hosts, LEFT_OUT),
            unseen,
            webhooks,
            account,
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        judge::judge(evidence, &mut out);
        account::judge(evidence, &mut out);
        webhook::judge(&evidence.webhooks, cx.target, &mut out);
        let saw = |host: &Host| host.edge.is_some() || host.end.as_ref().is_some_and(End::answered);
        out.unless_seen(evidence.hosts.items.iter().any(saw));
        Site::of(cx.target).note_cut(&mut out);
        out
    }
}
