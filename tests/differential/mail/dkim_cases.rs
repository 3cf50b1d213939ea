//! Generated key records: keys from openssl of every size, in every wrapping.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::Case;
use super::spf_cases::Writer;
use crate::names::Zone;
use crate::process::run;

/// The sizes of RSA keys.
const BITS: [&str; 6] = ["512", "768", "1024", "1536", "2048", "3072"];

/// Records around a good key; `@` is the key.
const WRAPPED: [(&str, &[&str]); 19] = [
    (
        "usual",
        &[
            "v=DKIM1; k=rsa; p=@",
            "v=DKIM1;p=@;",
            "k=rsa; p=@",
            "p=@",
            "v=DKIM1; h=sha256; s=email; p=@",
        ],
    ),
    ("blanks", &["v = DKIM1 ; k = rsa ; p = @", "  v=DKIM1; p=@", "v=DKIM1; p=@ ;  "]),
    ("flags", &["v=DKIM1; t=y; p=@", "v=DKIM1; t=s; p=@", "v=DKIM1; t=y:s; p=@"]),
    ("notes", &["v=DKIM1; n=a=20note; p=@", "v=DKIM1; x=1; p=@"]),
    ("hashes", &["v=DKIM1; h=sha1:sha256; p=@"]),
    ("old hash alone", &["v=DKIM1; h=sha1; p=@"]),
    ("services", &["v=DKIM1; s=*; p=@", "v=DKIM1; s=email:other; p=@"]),
    ("another service", &["v=DKIM1; s=other; p=@"]),
    ("version not first", &["k=rsa; v=DKIM1; p=@", "p=@; v=DKIM1"]),
    ("other version", &["v=DKIM2; p=@", "v=dkim1; p=@", "v=DKIM1.0; p=@"]),
    ("other kind", &["v=DKIM1; k=dsa; p=@", "v=DKIM1; k=RSA; p=@", "v=DKIM1; k=rsa-sha256; p=@"]),
    ("tag twice", &["v=DKIM1; p=@; p=@", "v=DKIM1; k=rsa; k=rsa; p=@"]),
    ("no key", &["v=DKIM1; k=rsa", "v=DKIM1;"]),
    ("revoked", &["v=DKIM1; p=", "v=DKIM1; k=rsa; p=;", "p="]),
    ("no tag list", &["v=DKIM1; k=rsa p=@", "v=DKIM1 k=rsa p=@", "v=DKIM1: p=@"]),
    (
        "not base64",
        &["v=DKIM1; p=!!!!", "v=DKIM1; p=-----BEGIN PUBLIC KEY-----", "v=DKIM1; p=TIIB_@"],
    ),
    ("quoted", &["\"v=DKIM1; p=@\"", "v=DKIM1; p=\"@\""]),
    ("empty tags", &["v=DKIM1;; p=@", "; v=DKIM1; p=@"]),
    ("capital tags", &["V=DKIM1; P=@", "v=DKIM1; K=rsa; p=@"]),
];

/// The public key of a new pair, as DER.
fn public(folder: &Path, kind: &[&str]) -> Vec<u8> {
    run("openssl", &[&["genpkey", "-out", "key.pem"], kind].concat(), folder);
    run("openssl", &["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"], folder)
}

pub(super) fn generate(zone: &mut Zone) -> Vec<Case> {
    let folder = tempfile::Builder::new().prefix("launchready-").tempdir().unwrap();
    let mut to = Writer { zone, cases: Vec::new() };
    let mut put = |family: &'static str, records: &[String]| {
        let domain = format!("key-{}", to.name(family));
        to.zone.mx(&domain, &format!("mail.{domain}"));
        for record in records {
            to.zone.txt(&format!("s1._domainkey.{domain}"), record);
        }
        to.case(family, domain, records.join("\n"));
    };
    let mut good = Vec::new();
    for bits in BITS {
        let option = format!("rsa_keygen_bits:{bits}");
        let key = public(folder.path(), &["-algorithm", "RSA", "-pkeyopt", &option]);
        put("sizes", &[format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(&key))]);
        if bits == "2048" {
            good = key;
        }
    }
    let text = STANDARD.encode(&good);
    for (family, records) in WRAPPED {
        for record in records {
            put(family, &[record.replace('@', &text)]);
        }
    }
    // RFC 6376 shows the key of a SubjectPublicKeyInfo; some tools publish the bare one (RFC 8017).
    std::fs::write(folder.path().join("good.der"), &good).unwrap();
    let bare = [
        "rsa",
        "-pubin",
        "-inform",
        "DER",
        "-in",
        "good.der",
        "-RSAPublicKey_out",
        "-outform",
        "DER",
    ];
    let bare = run("openssl", &bare, folder.path());
    put("bare key", &[format!("v=DKIM1; p={}", STANDARD.encode(&bare))]);
    let blanks: Vec<String> =
        text.as_bytes().chunks(64).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
    put("blanks in the key", &[format!("v=DKIM1; p={}", blanks.join(" "))]);
    put("blanks in the key", &[format!("v=DKIM1; p={}", blanks.join("\t"))]);
    put("no padding", &[format!("v=DKIM1; p={}", text.trim_end_matches('='))]);
    for cut in [10, 100, 200] {
        put("cut key", &[format!("v=DKIM1; p={}", STANDARD.encode(&good[..good.len() - cut]))]);
    }
    put(
        "bytes behind the key",
        &[format!("v=DKIM1; p={}", STANDARD.encode([&good[..], b"xyz"].concat()))],
    );
    put("several", &[format!("v=DKIM1; p={text}"), "v=DKIM1; p=".to_owned()]);
    put("another text beside", &[format!("v=DKIM1; p={text}"), "hello".to_owned()]);
    put("absent", &[]);
    put("another text alone", &["hello".to_owned()]);
    curves(folder.path(), &mut put);
    to.cases
}

/// Ed25519 as its 32 bytes (RFC 8463), and what else is published in its name.
fn curves(folder: &Path, put: &mut impl FnMut(&'static str, &[String])) {
    let whole = public(folder, &["-algorithm", "ED25519"]);
    let bytes = &whole[whole.len() - 32..];
    put("ed25519", &[format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(bytes))]);
    put(
        "ed25519 without padding",
        &[format!("v=DKIM1; k=ed25519; p={}", STANDARD_NO_PAD.encode(bytes))],
    );
    put("ed25519 in a wrapping", &[format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(&whole))]);
    put("ed25519 too short", &[format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(&bytes[1..]))]);
    put("ed25519 called rsa", &[format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(bytes))]);
    let curve = public(folder, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    put("curve called rsa", &[format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(&curve))]);
}
