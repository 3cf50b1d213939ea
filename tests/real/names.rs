//! BIND: the registry of `example`, two name servers for `harbor.example`, and a resolver that
//! validates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::port::free_port;
use crate::process::{Ready, Server, run};
use crate::support::program;
use crate::world::World;

/// The programs of BIND that are needed.
pub(crate) const PROGRAMS: [&str; 4] = ["setpriv", "named", "dnssec-keygen", "dnssec-signzone"];

const DOMAIN: &str = "harbor.example";
/// The addresses of the name servers, as the world sees them: the registry's and the project's.
const REGISTRY: &str = "192.0.2.1";
const FIRST: &str = "192.0.2.53";
const SECOND: &str = "198.51.100.53";

/// How the second name server differs from the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Second {
    /// Not at all.
    #[default]
    Alike,
    /// It has an older version of the zone and hands the whole zone to everybody.
    OlderAndOpen,
    /// It does not know the zone.
    Foreign,
    /// It knows no mail server and no `app`.
    Incomplete,
}

/// `harbor.example` and its servers.
#[derive(Debug, Default)]
pub(crate) struct Zone {
    /// Records beside SOA, NS and the servers' addresses.
    pub(crate) records: String,
    pub(crate) second: Second,
    /// The signatures ran out long ago.
    pub(crate) expired: bool,
    /// The registry holds the fingerprint of another key.
    pub(crate) wrong_ds: bool,
}

/// The records of a name server that stand in the zone and at the registry.
fn servers() -> String {
    format!(
        "{DOMAIN}. NS ns1.{DOMAIN}.\n{DOMAIN}. NS ns2.{DOMAIN}.\n\
         ns1.{DOMAIN}. A {FIRST}\nns2.{DOMAIN}. A {SECOND}\n"
    )
}

impl World {
    /// Starts the name servers and the resolver.
    pub(crate) fn names(&mut self, zone: &Zone) {
        let folder = self.new_folder("names");
        // AppArmor confines /usr/sbin/named to the folders of the system; a copy it leaves alone.
        let named = folder.join("named");
        std::fs::copy(program("named").unwrap(), &named).unwrap();
        let signer = Signer { folder: &folder, expired: zone.expired };
        signer.make_keys(DOMAIN);
        let whole = format!("{}{}", servers(), zone.records);
        let first = signer.sign(DOMAIN, "first", 2, &whole);
        let second = match zone.second {
            Second::Alike | Second::Foreign => first.clone(),
            Second::OlderAndOpen => signer.sign(DOMAIN, "second", 1, &whole),
            Second::Incomplete => {
                let without = |line: &&str| !line.contains(" MX ") && !line.starts_with("app ");
                let fewer: Vec<&str> = whole.lines().filter(without).collect();
                signer.sign(DOMAIN, "second", 2, &(fewer.join("\n") + "\n"))
            }
        };
        if zone.wrong_ds {
            signer.make_keys(DOMAIN);
            signer.sign(DOMAIN, "elsewhere", 2, &whole);
        }
        let ds = std::fs::read_to_string(folder.join(format!("dsset-{DOMAIN}."))).unwrap();
        let parent = Signer { folder: &folder, expired: false };
        parent.make_keys("example");
        let above = format!(
            "@ NS a.nic\n@ NS b.nic\na.nic A {REGISTRY}\nb.nic A {REGISTRY}\n{}{ds}",
            servers()
        );
        let above = parent.sign("example", "registry", 1, &above);

        let closed = "allow-transfer { none; };";
        let open = if zone.second == Second::OlderAndOpen { "" } else { closed };
        let own = |file: &Path| primary(DOMAIN, file);
        let foreign = zone.second == Second::Foreign;
        let zones = if foreign { String::new() } else { own(&second) };
        let start = |name: &str, at: &[SocketAddr], config: &str| {
            Server::start(
                &named,
                &["-g", "-n", "1", "-c", &write(&folder, name, at, config)],
                Ready::Says("all zones loaded"),
            )
        };
        let [registry, one, two] = [(); 3].map(|()| free_port());
        let serving = format!("recursion no; {closed}");
        let registry_zones = primary("example", &above);
        let config = format!("{serving} }};\n{registry_zones}");
        self.keep(start("registry", &[registry], &config));
        self.keep(start("one", &[one], &format!("{serving} }};\n{}", own(&first))));
        self.keep(start("two", &[two], &format!("recursion no; {open} }};\n{zones}")));
        for (address, to) in [(REGISTRY, registry), (FIRST, one), (SECOND, two)] {
            self.lead(format!("{address}:53"), to);
        }

        self.resolvers = vec![free_port(), free_port()];
        let forward = |to: SocketAddr| {
            format!("forward only; forwarders {{ {} port {}; }};", to.ip(), to.port())
        };
        let config = format!(
            "recursion yes; dnssec-validation yes; {} }};\n\
             trust-anchors {{ {} }};\nzone \"{DOMAIN}\" {{ type forward; {} }};\n",
            forward(registry),
            parent.anchor("example"),
            // The first alone: what it finds must not depend on whom it happens to ask.
            forward(one),
        );
        self.keep(start("resolver", &self.resolvers.clone(), &config));
    }
}

fn primary(name: &str, file: &Path) -> String {
    format!("zone \"{name}\" {{ type primary; file \"{}\"; }};\n", file.display())
}

/// Writes the config of one server; `config` begins inside the options.
fn write(folder: &Path, name: &str, at: &[SocketAddr], config: &str) -> String {
    let listen = |at: &SocketAddr| format!("listen-on port {} {{ {}; }};", at.port(), at.ip());
    let listen = at.iter().map(listen).collect::<Vec<_>>().join(" ");
    let own = folder.join(format!("{name}.d"));
    std::fs::create_dir(&own).unwrap();
    let text = format!(
        "controls {{ }};\noptions {{ directory \"{}\"; pid-file none; session-keyfile none; \
         lock-file none; notify no; empty-zones-enable no; listen-on-v6 {{ none; }}; {listen} {config}",
        own.display()
    );
    let path = folder.join(format!("{name}.conf"));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

struct Signer<'a> {
    folder: &'a Path,
    expired: bool,
}

impl Signer<'_> {
    /// Makes a key for keys and a key for records, in place of the former ones.
    fn make_keys(&self, zone: &str) {
        for file in std::fs::read_dir(self.folder).unwrap().map_while(Result::ok) {
            if file.file_name().to_string_lossy().starts_with(&format!("K{zone}.")) {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
        let key = ["-q", "-a", "ECDSAP256SHA256"];
        run("dnssec-keygen", &[&key[..], &[zone]].concat(), self.folder);
        run("dnssec-keygen", &[&key[..], &["-f", "KSK", zone]].concat(), self.folder);
    }

    /// Signs a zone with the keys of its name; leaves its DS records in `dsset-ZONE.`.
    fn sign(&self, zone: &str, stem: &str, serial: u32, records: &str) -> PathBuf {
        let text = format!(
            "$ORIGIN {zone}.\n$TTL 3600\n\
             @ SOA ns1 hostmaster {serial} 7200 3600 1209600 3600\n{records}"
        );
        let (plain, signed) = (format!("{stem}.zone"), format!("{stem}.signed"));
        std::fs::write(self.folder.join(&plain), text).unwrap();
        // -P: it is not held against the present time, which would end in an error.
        let life = ["-P", "-s", "20250101000000", "-e", "20250131000000"];
        let life = if self.expired { &life[..] } else { &[] };
        let start = ["-S", "-q", "-o", zone, "-f", &signed];
        run("dnssec-signzone", &[&start[..], life, &[&plain]].concat(), self.folder);
        self.folder.join(signed)
    }

    /// The DS records of a zone as a trust anchor.
    fn anchor(&self, zone: &str) -> String {
        let set = std::fs::read_to_string(self.folder.join(format!("dsset-{zone}."))).unwrap();
        let anchors = set.lines().map(|line| {
            let (_, data) = line.split_once(" DS ").unwrap();
            let mut fields = data.split_whitespace();
            let [tag, algorithm, kind] = [(); 3].map(|()| fields.next().unwrap());
            let digest: String = fields.collect();
            format!("{zone}. static-ds {tag} {algorithm} {kind} \"{digest}\"; ")
        });
        anchors.collect()
    }
}
