//! A certificate authority of OpenSSL: a root, an intermediate, and certificates for servers.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use launchready::clock::{Clock as _, SystemClock};

use crate::process::run;

const CONFIG: &str = "
[req]
distinguished_name = subject
[subject]
[ca]
default_ca = issuing
[issuing]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

/// Keys on the usual curve.
const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// An authority with its files in a folder.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
    now: Timestamp,
}

/// Where the intermediate is published.
pub(crate) const PUBLISHED: &str = "issuer.test";

/// The certificate of a server and its key.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The certificate alone.
    pub(crate) leaf: PathBuf,
    /// The certificate and the intermediate, as a server must send it.
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    /// Makes the root and the intermediate.
    pub(crate) fn new(folder: &Path) -> Self {
        let folder = folder.join("authority");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("ca.cnf"), CONFIG).unwrap();
        std::fs::write(folder.join("index.txt"), "").unwrap();
        let authority = Self { folder, now: SystemClock.now() };
        let root = ["req", "-x509", "-config", "ca.cnf", "-extensions", "authority"];
        let names = ["-subj", "/CN=Harbor Root", "-keyout", "root.key", "-out", "root.pem"];
        authority.openssl(&[&root[..], &KEY, &["-days", "3650"], &names].concat());
        authority.request("issuing", "Harbor Issuing");
        authority.sign("issuing", "root", ["ca.cnf", "authority"], (-30, 1000));
        let published = ["x509", "-in", "issuing.pem", "-outform", "DER", "-out", "issuing.der"];
        authority.openssl(&published);
        authority
    }

    /// The root's certificate.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// The intermediate as it is published.
    pub(crate) fn published(&self) -> PathBuf {
        self.folder.join("issuing.der")
    }

    /// A certificate of 90 days, as public authorities give them today.
    pub(crate) fn issue(&self, names: &[&str]) -> Certificate {
        self.issue_for(names, (-10, 80))
    }

    /// A certificate from some day to another, counted from today.
    pub(crate) fn issue_for(&self, names: &[&str], days: (i64, i64)) -> Certificate {
        let stem = names[0];
        self.request(stem, names[0]);
        let named: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let extensions = format!(
            "[server]\nbasicConstraints = critical, CA:FALSE\n\
             keyUsage = critical, digitalSignature\nextendedKeyUsage = serverAuth\n\
             authorityKeyIdentifier = keyid\n\
             authorityInfoAccess = caIssuers;URI:http://{PUBLISHED}/issuing.der\nsubjectAltName = {}\n",
            named.join(", ")
        );
        let file = format!("{stem}.ext");
        std::fs::write(self.folder.join(&file), extensions).unwrap();
        self.sign(stem, "issuing", [&file, "server"], days);
        let path = |name: &str| self.folder.join(name);
        let pem = |path: &Path| std::fs::read_to_string(path).unwrap();
        let (leaf, chain) = (path(&format!("{stem}.pem")), path(&format!("{stem}.chain.pem")));
        std::fs::write(&chain, pem(&leaf) + &pem(&path("issuing.pem"))).unwrap();
        Certificate { leaf, chain, key: path(&format!("{stem}.key")) }
    }

    fn request(&self, stem: &str, name: &str) {
        let (key, request) = (format!("{stem}.key"), format!("{stem}.csr"));
        let subject = format!("/CN={name}");
        let start = ["req", "-new", "-config", "ca.cnf", "-subj", &subject];
        self.openssl(&[&start[..], &KEY, &["-keyout", &key, "-out", &request]].concat());
    }

    fn sign(&self, stem: &str, issuer: &str, extensions: [&str; 2], days: (i64, i64)) {
        let day = |days: i64| {
            let at = self.now + SignedDuration::from_hours(24 * days);
            at.strftime("%Y%m%d%H%M%SZ").to_string()
        };
        let [file, section] = extensions;
        let (certificate, key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let (from, to) = (day(days.0), day(days.1));
        let (request, out) = (format!("{stem}.csr"), format!("{stem}.pem"));
        let start = ["ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", &certificate];
        let signer = ["-keyfile", &key, "-in", &request, "-out", &out];
        let life = ["-startdate", &from, "-enddate", &to, "-extfile", file, "-extensions", section];
        self.openssl(&[&start[..], &signer, &life].concat());
    }

    fn openssl(&self, arguments: &[&str]) {
        run("openssl", arguments, &self.folder);
    }
}

/// A public key for DKIM as RFC 6376 publishes it: base64 of its DER form.
pub(crate) fn signing_key(folder: &Path) -> String {
    use base64::Engine as _;
    let key = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    run("openssl", &[&key[..], &["-out", "dkim.key"]].concat(), folder);
    let public = ["pkey", "-in", "dkim.key", "-pubout", "-outform", "DER"];
    base64::engine::general_purpose::STANDARD.encode(run("openssl", &public, folder))
}
