//! Certificates of every kind, good and bad, from an authority that lives for one test.

use std::path::Path;

use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use launchready::clock::{Clock as _, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::process::run;

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct Signer {
    params: CertificateParams,
    pub(super) key: KeyPair,
    pub(super) pem: String,
    pub(super) der: Vec<u8>,
}

/// Sets the life of a certificate in days from today.
pub(super) fn life(params: &mut CertificateParams, from: i64, to: i64) {
    let today = SystemClock.now().to_zoned_datetime(TimeZone::UTC).date();
    let day = |offset: i64| {
        let date = today + offset.days();
        let [month, day] = [date.month(), date.day()].map(|n| u8::try_from(n).unwrap());
        date_time_ymd(i32::from(date.year()), month, day)
    };
    (params.not_before, params.not_after) = (day(from), day(to));
}

/// A certificate of an authority, signed by another or by itself.
pub(super) fn authority(
    name: &str,
    above: Option<&Signer>,
    change: impl FnOnce(&mut CertificateParams),
) -> Signer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = above.is_some();
    life(&mut params, -1000, 3000);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        None => params.self_signed(&key),
        Some(above) => params.signed_by(&key, &Issuer::from_params(&above.params, &above.key)),
    }
    .unwrap();
    Signer { pem: certificate.pem(), der: certificate.der().to_vec(), params, key }
}

/// What the certificate of a server says unless it is changed.
pub(super) fn server(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a shop");
    params.subject_alt_names =
        names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    life(&mut params, -10, 80);
    params
}

/// Signs the certificate of a server; without a signer it signs itself.
pub(super) fn sign(params: &CertificateParams, key: &KeyPair, signer: Option<&Signer>) -> String {
    match signer {
        Some(above) => params.signed_by(key, &Issuer::from_params(&above.params, &above.key)),
        None => params.self_signed(key),
    }
    .unwrap()
    .pem()
}

/// A certificate that openssl signs, because a library of today refuses to: with a short key or an
/// old hash. Leaves `STEM.pem` and `STEM.key` in the folder.
pub(super) fn old(
    folder: &Path,
    stem: &str,
    signer: &Signer,
    (key, hash): (&[&str], &str),
    extensions: &str,
) {
    let file = |end: &str| format!("{stem}.{end}");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("above.pem", &signer.pem);
    write("above.key", &signer.key.serialize_pem());
    write("extensions.cnf", extensions);
    run("openssl", &[&["genpkey", "-out", &file("key")], key].concat(), folder);
    let subject = format!("/CN={stem}");
    run(
        "openssl",
        &["req", "-new", "-key", &file("key"), "-subj", &subject, "-out", "csr.pem"],
        folder,
    );
    let signing = ["x509", "-req", "-in", "csr.pem", "-CA", "above.pem", "-CAkey", "above.key"];
    let more = ["-CAcreateserial", "-days", "80", hash, "-extfile", "extensions.cnf", "-out"];
    run("openssl", &[&signing[..], &more, &[&file("pem")]].concat(), folder);
}
