//! Certificates and chains: what launchready, openssl and sslyze say of each.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::contract::Target;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SanType,
};
use serde_json::{Value, json};

use super::issue::{Signer, authority, life, old, server, sign};
use super::{ADDRESS, Host, PROGRAMS, nginx, probes};
use crate::ledger::{Compared, Said, settle};
use crate::look::{codes, look};
use crate::peer;
use crate::port::free_port;
use crate::support::{has, program};

/// A host with its certificate, in files by the stem of its name.
#[derive(Debug)]
struct Case {
    family: &'static str,
    host: String,
}

struct Writer<'a> {
    folder: &'a Path,
    root: &'a Signer,
    middle: &'a Signer,
    key: &'a KeyPair,
    cases: Vec<Case>,
}

impl Writer<'_> {
    fn host(&self, family: &str) -> String {
        let nth = self.cases.iter().filter(|case| case.family == family).count();
        format!("{}-{nth}.harbor.example", family.replace([' ', '-'], "-").to_ascii_lowercase())
    }

    /// Writes the files of a case: the certificate of the host and what is sent behind it.
    fn put(&mut self, family: &'static str, host: String, leaf: &str, above: &str) {
        self.put_with(family, host, leaf, above, &self.key.serialize_pem());
    }

    fn put_with(&mut self, family: &'static str, host: String, leaf: &str, above: &str, key: &str) {
        let write = |end: &str, text: &str| {
            std::fs::write(self.folder.join(format!("{host}.{end}")), text).unwrap();
        };
        write("pem", &format!("{leaf}{above}"));
        write("leaf", leaf);
        write("above", above);
        write("key", key);
        self.cases.push(Case { family, host });
    }

    /// A certificate from the intermediate, changed, and the whole chain.
    fn leaf(&mut self, family: &'static str, change: impl FnOnce(&mut CertificateParams, &str)) {
        let host = self.host(family);
        let mut params = server(&[&host]);
        change(&mut params, &host);
        let leaf = sign(&params, self.key, Some(self.middle));
        self.put(family, host, &leaf, &self.middle.pem.clone());
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn generate(to: &mut Writer<'_>) {
    to.leaf("good", |_, _| {});
    to.leaf("good", |params, _| life(params, -100, 90));
    to.leaf("expired", |params, _| life(params, -90, -1));
    to.leaf("expired", |params, _| life(params, -900, -500));
    to.leaf("not yet valid", |params, _| life(params, 2, 80));
    to.leaf("long life", |params, _| life(params, -10, 800));
    names(to);
    purposes(to);
    chains(to);
    constraints(to);
    keys(to);
}

fn names(to: &mut Writer<'_>) {
    to.leaf("another name", |params, _| params.subject_alt_names = vec![dns("other.example")]);
    to.leaf("name above", |params, _| params.subject_alt_names = vec![dns("harbor.example")]);
    to.leaf("name below", |params, host| {
        params.subject_alt_names = vec![dns(&format!("www.{host}"))];
    });
    to.leaf("wildcard", |params, _| params.subject_alt_names = vec![dns("*.harbor.example")]);
    to.leaf("wildcard above", |params, _| params.subject_alt_names = vec![dns("*.example")]);
    to.leaf("wildcard below", |params, host| {
        params.subject_alt_names = vec![dns(&format!("*.{host}"))];
    });
    to.leaf("wildcard for everything", |params, _| params.subject_alt_names = vec![dns("*")]);
    to.leaf("wildcard in the middle", |params, host| {
        let (first, _) = host.split_once('.').unwrap();
        params.subject_alt_names = vec![dns(&format!("{first}.*.example"))];
    });
    to.leaf("wildcard as a part", |params, _| {
        params.subject_alt_names = vec![dns("wild*.harbor.example")];
    });
    to.leaf("capitals", |params, host| params.subject_alt_names = vec![dns(&host.to_uppercase())]);
    to.leaf("full stop at the end", |params, host| {
        params.subject_alt_names = vec![dns(&format!("{host}."))];
    });
    to.leaf("name in the subject alone", |params, host| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(DnType::CommonName, host);
    });
    to.leaf("name in the subject beside another", |params, host| {
        params.subject_alt_names = vec![dns("other.example")];
        params.distinguished_name.push(DnType::CommonName, host);
    });
    to.leaf("address for a name", |params, _| {
        params.subject_alt_names = vec![SanType::IpAddress(ADDRESS.parse().unwrap())];
    });
    to.leaf("address beside the name", |params, _| {
        params.subject_alt_names.push(SanType::IpAddress(ADDRESS.parse().unwrap()));
    });
    to.leaf("many names", |params, _| {
        params.subject_alt_names.extend((0..150).map(|n| dns(&format!("shop-{n}.example"))));
    });
}

fn purposes(to: &mut Writer<'_>) {
    to.leaf("for clients alone", |params, _| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    to.leaf("for both", |params, _| {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    });
    to.leaf("for no purpose", |params, _| params.extended_key_usages.clear());
    to.leaf("for every purpose", |params, _| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    });
    to.leaf("host that is an authority", |params, _| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
}

fn chains(to: &mut Writer<'_>) {
    let (root, middle) = (to.root, to.middle);
    for family in [
        "missing intermediate",
        "root in the chain",
        "chain in another order",
        "certificate twice",
        "stranger in the chain",
    ] {
        let host = to.host(family);
        let leaf = sign(&server(&[&host]), to.key, Some(middle));
        let stranger = authority("A Stranger", None, |_| {});
        let above = match family {
            "missing intermediate" => String::new(),
            "root in the chain" => format!("{}{}", middle.pem, root.pem),
            "chain in another order" => format!("{}{}", root.pem, middle.pem),
            "certificate twice" => format!("{leaf}{}", middle.pem),
            _ => format!("{}{}", stranger.pem, middle.pem),
        };
        to.put(family, host, &leaf, &above);
    }
    let host = to.host("straight from the root");
    let leaf = sign(&server(&[&host]), to.key, Some(root));
    to.put("straight from the root", host, &leaf, "");
    let stranger = authority("A Stranger", None, |_| {});
    let host = to.host("unknown root");
    let leaf = sign(&server(&[&host]), to.key, Some(&stranger));
    to.put("unknown root", host.clone(), &leaf, "");
    let host = to.host("unknown root");
    let leaf = sign(&server(&[&host]), to.key, Some(&stranger));
    to.put("unknown root", host, &leaf, &stranger.pem);
    // The name of the root that is trusted, and another key.
    let twin = authority("The Root", None, |_| {});
    let host = to.host("root of the same name");
    let leaf = sign(&server(&[&host]), to.key, Some(&twin));
    to.put("root of the same name", host, &leaf, &twin.pem);
    for is_authority in [false, true] {
        let host = to.host("signed by itself");
        let mut params = server(&[&host]);
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let leaf = sign(&params, to.key, None);
        to.put("signed by itself", host, &leaf, "");
    }
    let host = to.host("signed by itself and expired");
    let mut params = server(&[&host]);
    life(&mut params, -90, -1);
    let leaf = sign(&params, to.key, None);
    to.put("signed by itself and expired", host, &leaf, "");
}

/// Chains whose intermediate is the defect.
fn constraints(to: &mut Writer<'_>) {
    let root = to.root;
    let mut below = |family: &'static str, change: &dyn Fn(&mut CertificateParams)| {
        let middle = authority("Another Intermediate", Some(root), change);
        let host = to.host(family);
        let leaf = sign(&server(&[&host]), to.key, Some(&middle));
        to.put(family, host, &leaf, &middle.pem);
    };
    below("intermediate expired", &|params| life(params, -1000, -1));
    below("intermediate not yet valid", &|params| life(params, 2, 1000));
    below("intermediate ends first", &|params| life(params, -1000, 40));
    below("intermediate that is no authority", &|params| params.is_ca = IsCa::ExplicitNoCa);
    below("intermediate without a role", &|params| params.is_ca = IsCa::NoCa);
    below("intermediate that may not sign", &|params| {
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
    });
    below("intermediate for clients alone", &|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let subtree = |name: &str| GeneralSubtree::DnsName(name.to_owned());
    let constraint = |permitted: &[&str], excluded: &[&str]| NameConstraints {
        permitted_subtrees: permitted.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: excluded.iter().map(|name| subtree(name)).collect(),
    };
    below("name permitted", &|params| {
        params.name_constraints = Some(constraint(&["harbor.example"], &[]));
    });
    below("name not permitted", &|params| {
        params.name_constraints = Some(constraint(&["other.example"], &[]));
    });
    below("name excluded", &|params| {
        params.name_constraints = Some(constraint(&[], &["harbor.example"]));
    });
    // An authority that may only sign hosts, and has signed another one.
    let first = authority("Short Intermediate", Some(root), |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let second = authority("Intermediate Below", Some(&first), |_| {});
    let host = to.host("path too long");
    let leaf = sign(&server(&[&host]), to.key, Some(&second));
    to.put("path too long", host, &leaf, &format!("{}{}", second.pem, first.pem));
    let third = authority("Deep Intermediate", Some(to.middle), |_| {});
    let host = to.host("two intermediates");
    let leaf = sign(&server(&[&host]), to.key, Some(&third));
    to.put("two intermediates", host, &leaf, &format!("{}{}", third.pem, to.middle.pem));
}

fn keys(to: &mut Writer<'_>) {
    for (family, kind) in [("long curve", &PKCS_ECDSA_P384_SHA384), ("rsa", &PKCS_RSA_SHA256)] {
        let host = to.host(family);
        let key = KeyPair::generate_for(kind).unwrap();
        let leaf = sign(&server(&[&host]), &key, Some(to.middle));
        to.put_with(family, host, &leaf, &to.middle.pem.clone(), &key.serialize_pem());
    }
    let leaf_extensions = |host: &str| {
        format!(
            "subjectAltName=DNS:{host}\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n\
                 basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\n"
        )
    };
    let rsa = |bits: &'static str| vec!["-algorithm", "RSA", "-pkeyopt", bits];
    let curve = |name: &'static str| vec!["-algorithm", "EC", "-pkeyopt", name];
    for (family, key, hash) in [
        ("short rsa key", rsa("rsa_keygen_bits:1024"), "-sha256"),
        ("short rsa key", rsa("rsa_keygen_bits:1536"), "-sha256"),
        ("short curve", curve("ec_paramgen_curve:P-224"), "-sha256"),
        ("old hash", rsa("rsa_keygen_bits:2048"), "-sha1"),
        ("old hash and short key", rsa("rsa_keygen_bits:1024"), "-sha1"),
    ] {
        let host = to.host(family);
        old(to.folder, &host, to.middle, (&key, hash), &leaf_extensions(&host));
        let read =
            |end: &str| std::fs::read_to_string(to.folder.join(format!("{host}.{end}"))).unwrap();
        let (leaf, key) = (read("pem"), read("key"));
        to.put_with(family, host, &leaf, &to.middle.pem.clone(), &key);
    }
}

fn files(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// What `openssl verify` says, at the level of security that browsers ask for.
fn openssl(folder: &Path, host: &str) -> Said {
    let output = Command::new(program("openssl").unwrap())
        .args(["verify", "-CAfile", &files(folder, "root.pem"), "-no-CApath", "-no-CAstore"])
        .args(["-untrusted", &files(folder, &format!("{host}.pem"))])
        .args(["-purpose", "sslserver", "-auth_level", "2", "-x509_strict"])
        .args(["-verify_hostname", host, &files(folder, &format!("{host}.leaf"))])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let code = text.split_once("error ").and_then(|(_, rest)| rest.split(' ').next());
    let reason = match code {
        None if output.status.success() => return Said::from([("verdict", "good".to_owned())]),
        Some("10") => "expired",
        Some("9") => "not yet valid",
        Some("62") => "name",
        // No path to the root, or one that its certificates do not allow.
        Some("18" | "19" | "20" | "21" | "24" | "25" | "26" | "47" | "48" | "79") => "chain",
        Some("66" | "67") => "short key",
        Some("68") => "old hash",
        _ => text.lines().find(|line| line.contains("error ")).unwrap_or("unreadable"),
    };
    Said::from([("verdict", "bad".to_owned()), ("reason", reason.to_owned())])
}

fn ours(codes: &std::collections::BTreeSet<&str>) -> Said {
    let words = [
        ("certificate-expired", "expired"),
        ("certificate-not-yet-valid", "not yet valid"),
        ("certificate-name-mismatch", "name"),
        ("certificate-untrusted", "chain"),
        ("certificate-chain-incomplete", "chain"),
        ("certificate-key-weak", "short key"),
        ("certificate-signature-weak", "old hash"),
        ("certificate-handshake-failed", "handshake"),
    ];
    let mut reasons: Vec<&str> =
        words.iter().filter(|(code, _)| codes.contains(code)).map(|(_, word)| *word).collect();
    reasons.dedup();
    if reasons.is_empty() {
        return Said::from([("verdict", "good".to_owned())]);
    }
    Said::from([("verdict", "bad".to_owned()), ("reason", reasons.join(", "))])
}

fn sslyze(answer: &Value) -> Said {
    let good =
        answer["trusted"].as_bool().unwrap_or(false) && !answer["sha1"].as_bool().unwrap_or(false);
    Said::from([("verdict", if good { "good" } else { "bad" }.to_owned())])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_judged_as_openssl_and_sslyze_judge_them() {
    let test = "certificates";
    if !has(test, &PROGRAMS) || !peer::has(test, "sslyze") {
        return;
    }
    let folder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
    let root = authority("The Root", None, |_| {});
    let middle = authority("The Intermediate", Some(&root), |_| {});
    let key = KeyPair::generate().unwrap();
    let mut to = Writer {
        folder: folder.path(),
        root: &root,
        middle: &middle,
        key: &key,
        cases: Vec::new(),
    };
    generate(&mut to);
    let cases = to.cases;
    std::fs::write(folder.path().join("root.pem"), &root.pem).unwrap();
    let at = free_port();
    let hosts: Vec<Host> = cases
        .iter()
        .map(|case| Host {
            at,
            name: case.host.clone(),
            stem: case.host.clone(),
            more: String::new(),
        })
        .collect();
    let _server = nginx(folder.path(), &hosts);

    let mut dns = String::new();
    for case in &cases {
        _ = writeln!(dns, "{} 60 A {ADDRESS}", case.host);
    }
    let probes = probes(at, &root.der, dns);
    let names: Vec<&str> = cases.iter().map(|case| case.host.as_str()).collect();
    let question = json!({
        "root": files(folder.path(), "root.pem"), "port": at.port(), "hosts": names,
        "what": "certificates",
    });
    let answers = peer::ask("sslyze", "tls.py", &question);
    let (mut by_openssl, mut by_sslyze) = (Vec::new(), Vec::new());
    for case in &cases {
        let host = &case.host;
        let target = Target { domain: host.clone(), ..Target::default() };
        let seen = look("tls-certificate", &target, &probes, SystemClock.now()).await.unwrap();
        let ours = ours(&codes(&seen));
        let (verified, answer) = (openssl(folder.path(), host), &answers[host.as_str()]);
        let input = format!("{host}\n{:?}\n{verified:?}\n{answer}", codes(&seen));
        let compared = |peer: Said| {
            Compared::with_reasons(case.family.to_owned(), input.clone(), ours.clone(), peer)
        };
        by_openssl.push(compared(verified));
        by_sslyze.push(compared(sslyze(answer)));
    }
    settle("tls-certificate", "openssl", &by_openssl);
    settle("tls-certificate", "sslyze", &by_sslyze);
}
