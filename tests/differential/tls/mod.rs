//! `tls-certificate` and `tls-protocol` against openssl and sslyze: all look at the same nginx.

mod certificates;
mod issue;
mod versions;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use launchready::clock::{Clock as _, SystemClock};
use launchready::probe::{ConnectTo, Dialer, Judge, Network, TlsProbe, provider};
use launchready_checks::probe::Probes;
use launchready_checks::probe::replay::{Replay, World};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::process::{Ready, Server, is_root};
use crate::support::program;

/// The programs that are needed.
const PROGRAMS: [&str; 3] = ["setpriv", "nginx", "openssl"];
/// An address that every connection is diverted from.
const ADDRESS: &str = "203.0.113.7";

/// Ports that lead to one address on this machine, trusting one root; names resolve as `dns` says.
fn probes(to: SocketAddr, root: &[u8], dns: String) -> Probes {
    let connect_to = vec![ConnectTo::new("*:*", &to.to_string()).unwrap()];
    let dialer = Arc::new(Dialer::new(&Network { connect_to, ..Network::default() }));
    let world = World { dns, ..World::default() };
    let others = Replay::new(world, SystemClock.now()).unwrap().probes();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec())).unwrap();
    let judge = Arc::new(Judge::new(Arc::new(roots), Arc::new(provider())));
    let clock = Arc::new(SystemClock);
    let (dns, http) = (Arc::clone(&others.dns), Arc::clone(&others.http));
    Probes { tls: Arc::new(TlsProbe::new(dns, dialer, http, judge, clock)), ..others }
}

/// A server block: where it listens, its name, certificate and key by stem, and more.
struct Host {
    at: SocketAddr,
    name: String,
    stem: String,
    more: String,
}

/// Starts nginx with files from a folder.
fn nginx(folder: &Path, hosts: &[Host]) -> Server {
    let user = if is_root() { "user root;" } else { "" };
    let mut text = format!(
        "{user}daemon off;\nworker_processes 1;\nerror_log stderr notice;\npid nginx.pid;\n\
         events {{ worker_connections 512; }}\nhttp {{ access_log off;\n\
         server_names_hash_bucket_size 256;\nclient_body_temp_path temp; proxy_temp_path temp;\n\
         fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;\n"
    );
    for Host { at, name, stem, more } in hosts {
        _ = writeln!(
            text,
            "server {{ listen {at} ssl; server_name {name}; ssl_certificate {stem}.pem; \
             ssl_certificate_key {stem}.key; {more} return 204; }}"
        );
    }
    let config = folder.join("nginx.conf");
    std::fs::write(&config, text + "}\n").unwrap();
    // Debian's OpenSSL refuses to serve short keys, old hashes and old versions unless told so.
    let openssl = folder.join("openssl.cnf");
    std::fs::write(
        &openssl,
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n\
         MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n",
    )
    .unwrap();
    let [folder, config, nginx] =
        [folder, &config, &program("nginx").unwrap()].map(|path| path.to_str().unwrap().to_owned());
    let conf = format!("OPENSSL_CONF={}", openssl.display());
    let arguments = [&conf, &nginx, "-e", "stderr", "-p", &folder, "-c", &config];
    Server::start(&program("env").unwrap(), &arguments, Ready::Says("start worker process "))
}
