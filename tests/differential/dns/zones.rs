//! Zones below `example`, each signed, unsigned or broken in its own way; BIND serves and resolves them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::names::serve;
use crate::port::free_port;
use crate::process::{Server, run};

/// Where the zone above is asked, and the zones themselves, as the world sees them.
pub(super) const PARENT: &str = "192.0.2.1";
pub(super) const SERVER: &str = "203.0.113.53";
/// Where second name servers are asked: one like the first, that of the zone above, a resolver, and
/// nobody.
pub(super) const SECOND: &str = "198.51.100.1";
pub(super) const STRANGER: &str = "198.51.100.2";
pub(super) const FORWARDER: &str = "198.51.100.3";
pub(super) const NOBODY: &str = "198.51.100.4";

/// How a zone is made.
#[derive(Debug, Clone, Copy)]
struct Kind {
    family: &'static str,
    /// The arguments of `dnssec-keygen`; empty for a zone without signatures.
    key: &'static [&'static str],
    /// More arguments of `dnssec-signzone`.
    sign: &'static [&'static str],
    /// The DS records that the zone above holds.
    ds: Ds,
    /// Changes the signed zone.
    spoil: Option<fn(&str) -> String>,
    /// The records at `www`.
    www: &'static str,
    /// The address of the second name server.
    second: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ds {
    Right,
    None,
    /// The fingerprint of another key.
    Wrong,
    /// The right one and that of another key.
    Both,
    /// Of an algorithm that nobody knows.
    Unknown,
}

const CURVE: &[&str] = &["-a", "ECDSAP256SHA256"];
const WWW: &str = "www A 192.0.2.80\n";

const fn kind(family: &'static str) -> Kind {
    Kind { family, key: CURVE, sign: &[], ds: Ds::Right, spoil: None, www: WWW, second: SECOND }
}

fn kinds() -> Vec<Kind> {
    // Times are fixed, and -P keeps the signer from holding them against the present.
    const PAST: &[&str] = &["-P", "-s", "20250101000000", "-e", "20250131000000"];
    const FUTURE: &[&str] = &["-P", "-s", "20900101000000", "-e", "20910101000000"];
    vec![
        kind("signed"),
        Kind { sign: &["-3", "abcd", "-H", "0"], ..kind("signed with hashed names") },
        Kind { key: &["-a", "ED25519"], ..kind("signed with ed25519") },
        Kind { key: &["-a", "ECDSAP384SHA384"], ..kind("signed with a longer curve") },
        Kind { key: &["-a", "RSASHA256", "-b", "2048"], ..kind("signed with rsa") },
        Kind { key: &["-a", "RSASHA1", "-b", "2048"], ..kind("signed with an old hash") },
        Kind { key: &[], ds: Ds::None, ..kind("unsigned") },
        Kind { ds: Ds::None, ..kind("signed and not told above") },
        Kind { sign: PAST, ..kind("signatures run out") },
        Kind { sign: FUTURE, ..kind("signatures not valid yet") },
        Kind { ds: Ds::Wrong, ..kind("fingerprint of another key") },
        Kind { ds: Ds::Both, ..kind("two fingerprints") },
        Kind { ds: Ds::Unknown, ..kind("fingerprint of an unknown algorithm") },
        Kind { key: &[], ..kind("fingerprint and no key") },
        Kind {
            spoil: Some(|zone| zone.replace("192.0.2.10", "192.0.2.11")),
            ..kind("address changed")
        },
        Kind {
            spoil: Some(|zone| zone.replace("hostmaster.", "postmaster.")),
            ..kind("head changed")
        },
        Kind { spoil: Some(|zone| without(zone, "A")), ..kind("address without signature") },
        Kind { spoil: Some(|zone| without(zone, "DNSKEY")), ..kind("keys without signature") },
        Kind { spoil: Some(|zone| without(zone, "SOA")), ..kind("head without signature") },
        Kind {
            spoil: Some(|zone| zone.replace("192.0.2.80", "192.0.2.81")),
            ..kind("host changed")
        },
        Kind { www: "", ..kind("no such name") },
        Kind {
            www: "",
            sign: &["-3", "abcd", "-H", "0"],
            ..kind("no such name with hashed names")
        },
        Kind { www: "www TXT \"x\"\n", ..kind("no address") },
        Kind { www: "deep.www A 192.0.2.80\n", ..kind("empty name") },
        Kind { www: "www CNAME @\n", ..kind("alias") },
        Kind {
            www: "www CNAME a\na CNAME b\nb CNAME c\nc A 192.0.2.80\n",
            ..kind("chain of aliases")
        },
        Kind { www: "www CNAME gone\n", ..kind("alias to nowhere") },
        Kind { www: "www CNAME a\na TXT \"x\"\n", ..kind("alias to a name without an address") },
        Kind { www: "www CNAME a\na CNAME www\n", ..kind("circle of aliases") },
        Kind { www: "www CNAME www.unsigned.example.\n", ..kind("alias to an unsigned zone") },
        Kind { www: "* A 192.0.2.80\n", ..kind("wildcard") },
        Kind { key: &[], ds: Ds::None, www: "", ..kind("unsigned without such a name") },
        Kind {
            key: &[],
            ds: Ds::None,
            www: "www CNAME gone\n",
            ..kind("unsigned alias to nowhere")
        },
        Kind { second: STRANGER, ..kind("second server of somebody else") },
        Kind { second: FORWARDER, ..kind("second server that only forwards") },
        Kind { second: NOBODY, ..kind("second server that is not there") },
    ]
}

/// The zone without the signatures over one type; they may go on over several lines.
fn without(zone: &str, kind: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in zone.lines() {
        if line.contains(&format!("RRSIG\t{kind} ")) {
            skips = !line.contains(')');
            // A signature in brackets goes on until they are closed.
            skips &= line.contains('(');
            continue;
        }
        if skips {
            skips = !line.contains(')');
            continue;
        }
        _ = writeln!(kept, "{line}");
    }
    kept
}

/// The running servers.
#[derive(Debug)]
pub(super) struct Zones {
    _servers: Vec<Server>,
    _folder: tempfile::TempDir,
    pub(super) parent: SocketAddr,
    pub(super) child: SocketAddr,
    pub(super) resolver: SocketAddr,
    /// The fingerprint of the key of `example`, as delv reads it.
    pub(super) anchors: PathBuf,
    /// Where nobody listens.
    pub(super) nobody: SocketAddr,
    /// Each zone with what kind it is, and where its second name server is asked.
    pub(super) cases: Vec<(&'static str, String, &'static str)>,
}

impl Zones {
    pub(super) fn start() -> Self {
        let holder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
        let folder = holder.path();
        let mut above = String::new();
        let mut zones = String::new();
        let mut forwards = String::new();
        let mut cases = Vec::new();
        let [parent, child, resolver, nobody] = [(); 4].map(|()| free_port());
        for kind in kinds() {
            let zone = format!("{}.example", kind.family.replace(' ', "-"));
            let (file, ds) = make(folder, &zone, &kind);
            let servers = format!(
                "{zone}. NS ns1.{zone}.\n{zone}. NS ns2.{zone}.\n\
                 ns1.{zone}. A {SERVER}\nns2.{zone}. A {}\n",
                kind.second
            );
            above.push_str(&servers);
            above.push_str(&ds);
            zones.push_str(&primary(&zone, &file));
            _ = writeln!(
                forwards,
                "zone \"{zone}\" {{ type forward; forward only; forwarders {{ {} port {}; }}; }};",
                child.ip(),
                child.port()
            );
            cases.push((kind.family, zone, kind.second));
        }
        keys(folder, "example", CURVE);
        let head = format!("@ NS a.nic\n@ NS b.nic\na.nic A {PARENT}\nb.nic A {PARENT}\n{above}");
        let registry = sign(folder, "example", &head, &[]);
        let anchor = anchor(&std::fs::read_to_string(folder.join("dsset-example.")).unwrap());
        let anchors = folder.join("anchors");
        std::fs::write(&anchors, &anchor).unwrap();
        let start = |name: &str, at: SocketAddr, options: &str, rest: &str| {
            let config = format!(
                "controls {{ }};\noptions {{ directory \"{}\"; pid-file none; session-keyfile none; \
                 lock-file none; notify no; empty-zones-enable no; listen-on-v6 {{ none; }};\n\
                 listen-on port {} {{ {}; }}; {options} }};\n{rest}",
                own(folder, name).display(),
                at.port(),
                at.ip()
            );
            let path = folder.join(format!("{name}.conf"));
            std::fs::write(&path, config).unwrap();
            serve(folder, &path)
        };
        let closed = "recursion no; allow-transfer { none; };";
        let ask = format!(
            "recursion yes; dnssec-validation yes; forward only; forwarders {{ {} port {}; }};",
            parent.ip(),
            parent.port()
        );
        let servers = vec![
            start("registry", parent, closed, &primary("example", &registry)),
            start("zones", child, closed, &zones),
            start("resolver", resolver, &ask, &format!("{anchor}{forwards}")),
        ];
        Self { _servers: servers, _folder: holder, parent, child, resolver, nobody, anchors, cases }
    }
}

fn own(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(format!("{name}.d"));
    std::fs::create_dir(&path).unwrap();
    path
}

fn primary(name: &str, file: &Path) -> String {
    format!("zone \"{name}\" {{ type primary; file \"{}\"; }};\n", file.display())
}

/// Makes a zone; gives its file and the DS records for the zone above.
fn make(folder: &Path, zone: &str, kind: &Kind) -> (PathBuf, String) {
    let records = format!(
        "@ NS ns1\n@ NS ns2\nns1 A {SERVER}\nns2 A {}\n@ A 192.0.2.10\n@ MX 10 @\n{}",
        kind.second, kind.www
    );
    // The fingerprint of a key that the zone does not have.
    let other = || {
        keys(folder, zone, CURVE);
        sign(folder, zone, &records, &[]);
        let set = std::fs::read_to_string(folder.join(format!("dsset-{zone}."))).unwrap();
        forget(folder, zone);
        set
    };
    let stray =
        matches!(kind.ds, Ds::Wrong | Ds::Both) || (kind.key.is_empty() && kind.ds == Ds::Right);
    let stray = if stray { other() } else { String::new() };
    if kind.key.is_empty() {
        let file = folder.join(format!("{zone}.signed"));
        std::fs::write(&file, text(zone, &records)).unwrap();
        return (file, stray);
    }
    keys(folder, zone, kind.key);
    let file = sign(folder, zone, &records, kind.sign);
    if let Some(spoil) = kind.spoil {
        let signed = std::fs::read_to_string(&file).unwrap();
        let spoilt = spoil(&signed);
        assert_ne!(signed, spoilt, "{}", kind.family);
        std::fs::write(&file, spoilt).unwrap();
    }
    let right = std::fs::read_to_string(folder.join(format!("dsset-{zone}."))).unwrap();
    let ds = match kind.ds {
        Ds::Right => right,
        Ds::None => String::new(),
        Ds::Wrong => stray,
        Ds::Both => stray + &right,
        Ds::Unknown => format!("{zone}. DS 12345 200 2 {}\n", "ab".repeat(32)),
    };
    (file, ds)
}

fn text(zone: &str, records: &str) -> String {
    format!("$ORIGIN {zone}.\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\n{records}")
}

fn keys(folder: &Path, zone: &str, kind: &[&str]) {
    run("dnssec-keygen", &[&["-q"], kind, &[zone]].concat(), folder);
    run("dnssec-keygen", &[&["-q"], kind, &["-f", "KSK", zone]].concat(), folder);
}

fn forget(folder: &Path, zone: &str) {
    for file in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
        if file.file_name().to_string_lossy().starts_with(&format!("K{zone}.")) {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
}

/// Signs with the keys of the zone's name; leaves its DS records in `dsset-ZONE.`.
fn sign(folder: &Path, zone: &str, records: &str, more: &[&str]) -> PathBuf {
    let (plain, signed) = (format!("{zone}.zone"), format!("{zone}.signed"));
    std::fs::write(folder.join(&plain), text(zone, records)).unwrap();
    let start = ["-S", "-q", "-o", zone, "-f", &signed];
    run("dnssec-signzone", &[&start[..], more, &[&plain]].concat(), folder);
    folder.join(signed)
}

/// The DS records of `example` as trust anchors.
fn anchor(set: &str) -> String {
    let anchors = set.lines().map(|line| {
        let (_, data) = line.split_once(" DS ").unwrap();
        let mut fields = data.split_whitespace();
        let [tag, algorithm, kind] = [(); 3].map(|()| fields.next().unwrap());
        let digest: String = fields.collect();
        format!("example. static-ds {tag} {algorithm} {kind} \"{digest}\"; ")
    });
    format!("trust-anchors {{ {} }};\n", anchors.collect::<String>())
}
