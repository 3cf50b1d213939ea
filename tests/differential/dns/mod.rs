//! `dns-resolution` against delv, which validates every signature by itself, and dig.

mod zones;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use launchready::clock::{Clock as _, SystemClock};
use launchready::probe::{ConnectTo, Dialer, DnsProbe, Network};
use launchready_checks::contract::{Assessment, Target};
use launchready_checks::probe::Probes;
use launchready_checks::probe::replay::{Replay, World};

use self::zones::{FORWARDER, NOBODY, PARENT, SECOND, SERVER, STRANGER, Zones};
use crate::ledger::{Compared, Said, settle};
use crate::look::{codes, look};
use crate::support::{has, program};

/// The programs that are needed.
const PROGRAMS: [&str; 6] = ["setpriv", "named", "dnssec-keygen", "dnssec-signzone", "delv", "dig"];

/// Which server stands behind an address.
fn servers(zones: &Zones) -> [(&'static str, SocketAddr); 6] {
    [
        (PARENT, zones.parent),
        (SERVER, zones.child),
        (SECOND, zones.child),
        (STRANGER, zones.parent),
        (FORWARDER, zones.resolver),
        (NOBODY, zones.nobody),
    ]
}

fn probes(zones: &Zones) -> Probes {
    let rule = |(from, to): (&str, SocketAddr)| {
        ConnectTo::new(&format!("{from}:53"), &to.to_string()).unwrap()
    };
    let network = Network {
        resolvers: vec![zones.resolver],
        connect_to: servers(zones).map(rule).to_vec(),
        ..Network::default()
    };
    let dialer = Arc::new(Dialer::new(&network));
    let others = Replay::new(World::default(), SystemClock.now()).unwrap().probes();
    Probes { dns: Arc::new(DnsProbe::new(&network, dialer)), ..others }
}

/// What delv says of the addresses of a name.
fn delv(zones: &Zones, name: &str, kind: &str) -> String {
    let output = Command::new(program("delv").unwrap())
        .args(["-a", zones.anchors.to_str().unwrap(), "+root=example", "+cdflag", "+multiline"])
        .args(["-p", &zones.resolver.port().to_string(), "@127.0.0.1", name, kind])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Whether a name server answers for a zone with authority, as dig sees it.
fn dig(zones: &Zones, zone: &str, server: &str) -> (bool, String) {
    let (_, at) = servers(zones).into_iter().find(|(address, _)| *address == server).unwrap();
    let output = Command::new(program("dig").unwrap())
        .args(["+norecurse", "+tries=1", "+time=2", "-p", &at.port().to_string()])
        .args([&format!("@{}", at.ip()), zone, "SOA"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let flags = text.lines().find(|line| line.contains("flags:")).unwrap_or_default();
    let sound =
        text.contains("status: NOERROR") && flags.contains(" aa") && flags.contains("ANSWER: 1");
    (sound, flags.to_owned())
}

fn trust(text: &str) -> &'static str {
    if text.contains("resolution failed") && !text.contains("ncache") {
        "broken"
    } else if text.contains("fully validated") {
        "secure"
    } else if text.contains("unsigned answer") {
        "unsigned"
    } else {
        "nothing"
    }
}

fn existence(text: &str) -> &'static str {
    if text.contains("ncache nxdomain") {
        "no name"
    } else if text.contains("ncache nxrrset") {
        "no address"
    } else if text.contains("resolution failed") {
        "broken"
    } else if text.lines().any(|line| line.contains("IN A") || line.contains("IN\tA")) {
        "address"
    } else {
        "no address"
    }
}

fn theirs(zones: &Zones, zone: &str, second: &str) -> (Said, String) {
    let apex = delv(zones, zone, "SOA");
    let address = delv(zones, zone, "A");
    let host = delv(zones, &format!("www.{zone}"), "A");
    // The zone is as sound as the worst of what stands at its head.
    let trust = [trust(&apex), trust(&address)];
    let trust = if trust.contains(&"broken") { "broken" } else { trust[0] };
    let (sound, flags) = dig(zones, zone, second);
    let said = Said::from([
        ("signatures", trust.to_owned()),
        ("host", existence(&host).to_owned()),
        ("second server", sound_or_lame(sound)),
    ]);
    (said, format!("{apex}{address}{host}{flags}"))
}

fn sound_or_lame(sound: bool) -> String {
    if sound { "sound" } else { "lame" }.to_owned()
}

fn ours(seen: &Assessment, zone: &str) -> Said {
    let codes = codes(seen);
    let signatures = if codes.contains("dnssec-broken") {
        "broken"
    } else if codes.contains("dnssec-unsigned") {
        "unsigned"
    } else {
        "secure"
    };
    let host = format!("www.{zone}");
    let finding = seen.findings.iter().find(|finding| {
        finding.subject == host
            && ["dns-host-unresolvable", "dns-alias-loop"].contains(&finding.code.as_str())
    });
    let existence = match finding {
        None => "address",
        Some(finding) if finding.summary.contains("NXDOMAIN") => "no name",
        Some(finding) if finding.summary.contains("no address record") => "no address",
        Some(_) => "broken",
    };
    let second = format!("ns2.{zone}");
    let lame = seen.findings.iter().any(|f| f.code == "dns-server-lame" && f.subject == second);
    let mut said = Said::from([
        ("signatures", signatures.to_owned()),
        ("second server", sound_or_lame(!lame)),
    ]);
    // Where the signatures are broken, that is said and not what becomes of each host.
    if signatures != "broken" {
        said.insert("host", existence.to_owned());
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zones_are_judged_as_delv_judges_them() {
    if !has("zones", &PROGRAMS) {
        return;
    }
    let zones = Zones::start();
    let probes = probes(&zones);
    let mut compared = Vec::new();
    for (family, zone, second) in &zones.cases {
        let target = Target {
            domain: zone.clone(),
            hosts: vec![format!("www.{zone}")],
            ..Target::default()
        };
        let seen = look("dns-resolution", &target, &probes, SystemClock.now()).await.unwrap();
        let (peer, said) = theirs(&zones, zone, second);
        compared.push(Compared {
            family: (*family).to_owned(),
            input: format!(
                "{:?}\n{said}",
                seen.findings.iter().map(|f| (&f.code, &f.summary)).collect::<Vec<_>>()
            ),
            ours: ours(&seen, zone),
            peer,
        });
    }
    settle("dns-resolution", "delv", &compared);
}
