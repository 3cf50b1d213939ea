//! Generated DMARC records and the zones around them.

use super::Case;
use super::spf_cases::Writer;
use crate::names::Zone;
use crate::seeds::Random;

/// A kind of record, and records of it; `{d}` is the domain.
const RECORDS: [(&str, &[&str]); 30] = [
    ("bare", &["v=DMARC1", "v=DMARC1;"]),
    (
        "without policy",
        &["v=DMARC1; rua=mailto:dmarc@{d}", "v=DMARC1; sp=reject; rua=mailto:dmarc@{d}"],
    ),
    (
        "capitals",
        &[
            "v=DMARC1; P=Reject; RUA=MAILTO:dmarc@{d}",
            "V=DMARC1; p=REJECT; Sp=None",
            "v=DMARC1; p=reject; ADKIM=S; aspf=R",
        ],
    ),
    ("small version", &["v=dmarc1; p=reject", "v=Dmarc1; p=none"]),
    ("other version", &["v=DMARC2; p=reject", "v=DMARC; p=reject", "v=DMARC10; p=reject"]),
    ("version not first", &["p=reject; v=DMARC1", "rua=mailto:a@{d}; v=DMARC1; p=none"]),
    ("no version", &["p=reject; rua=mailto:dmarc@{d}", "reject"]),
    ("no semicolon after the version", &["v=DMARC1 p=reject", "v=DMARC1, p=reject"]),
    (
        "blanks around",
        &["v = DMARC1 ; p = reject", "v=DMARC1;p=reject;", "v=DMARC1  ;  p=none  ;  "],
    ),
    ("blank before", &[" v=DMARC1; p=reject", "\tv=DMARC1; p=none"]),
    ("tab between", &["v=DMARC1;\tp=reject;\trua=mailto:dmarc@{d}"]),
    ("quoted", &["\"v=DMARC1; p=reject\"", "'v=DMARC1; p=reject'"]),
    ("empty tags", &["v=DMARC1;; p=reject", "v=DMARC1; p=reject;;"]),
    ("tag without value", &["v=DMARC1; p=", "v=DMARC1; p=reject; sp=", "v=DMARC1; p=reject; rua="]),
    (
        "tag without equals",
        &["v=DMARC1; reject", "v=DMARC1; p=reject; strict", "v=DMARC1; p:reject"],
    ),
    ("wrong policy", &["v=DMARC1; p=monitor", "v=DMARC1; p=rejects", "v=DMARC1; p=none reject"]),
    ("wrong policy with reports", &["v=DMARC1; p=monitor; rua=mailto:dmarc@{d}"]),
    ("wrong policy below", &["v=DMARC1; p=reject; sp=quarantin", "v=DMARC1; p=reject; np=no"]),
    (
        "wrong policy below with reports",
        &["v=DMARC1; p=reject; sp=quarantin; rua=mailto:dmarc@{d}"],
    ),
    (
        "tag twice",
        &["v=DMARC1; p=reject; p=none", "v=DMARC1; p=none; rua=mailto:a@{d}; rua=mailto:b@{d}"],
    ),
    ("unknown tag twice", &["v=DMARC1; p=reject; x=1; x=2"]),
    (
        "unknown tag",
        &["v=DMARC1; p=reject; x=1", "v=DMARC1; p=reject; policy=none", "v=DMARC1; p=none; 1a=2"],
    ),
    (
        "removed tag",
        &[
            "v=DMARC1; p=reject; pct=50",
            "v=DMARC1; p=reject; ri=86400; rf=afrf",
            "v=DMARC1; p=quarantine; pct=200",
        ],
    ),
    ("alignment", &["v=DMARC1; p=reject; adkim=s; aspf=s", "v=DMARC1; p=reject; adkim=r"]),
    (
        "wrong alignment",
        &["v=DMARC1; p=reject; adkim=strict", "v=DMARC1; p=reject; aspf=x; adkim=s"],
    ),
    (
        "failure options",
        &["v=DMARC1; p=reject; fo=1", "v=DMARC1; p=reject; fo=d:s", "v=DMARC1; p=reject; fo=1:d:s"],
    ),
    (
        "wrong failure options",
        &["v=DMARC1; p=reject; fo=2", "v=DMARC1; p=reject; fo=1,d", "v=DMARC1; p=reject; fo=any"],
    ),
    (
        "failure options that exclude each other",
        &["v=DMARC1; p=reject; fo=0:1", "v=DMARC1; p=reject; fo=1:1"],
    ),
    (
        "test mode",
        &[
            "v=DMARC1; p=reject; t=y",
            "v=DMARC1; p=quarantine; t=Y",
            "v=DMARC1; p=none; t=y",
            "v=DMARC1; p=reject; t=n",
        ],
    ),
    ("wrong flag", &["v=DMARC1; p=reject; t=yes", "v=DMARC1; p=reject; psd=x"]),
];

/// Reports, where nothing else is wrong.
const REPORTS: [(&str, &[&str]); 9] = [
    (
        "reports at home",
        &["mailto:dmarc@{d}", "mailto:dmarc@mail.{d}", "mailto:a@{d},mailto:b@{d}"],
    ),
    ("reports with a size", &["mailto:dmarc@{d}!10m", "mailto:dmarc@{d}!50"]),
    ("reports by web", &["https://{d}/reports", "mailto:dmarc@{d},https://{d}/x"]),
    ("reports without a scheme", &["dmarc@{d}", "mailto:a@{d},dmarc@{d}"]),
    ("reports without an address", &["mailto:", "mailto:dmarc", "mailto:{d}"]),
    ("reports with blanks", &["mailto:a@{d} , mailto:b@{d}", "mailto: a@{d}"]),
    (
        "reports with an empty entry",
        &["mailto:a@{d},", ",mailto:a@{d}", "mailto:a@{d},,mailto:b@{d}"],
    ),
    ("reports after semicolons", &["mailto:a@{d};mailto:b@{d}"]),
    ("reports with parameters", &["mailto:a@{d}?subject=x"]),
];

pub(super) fn generate(zone: &mut Zone) -> Vec<Case> {
    let mut to = Writer { zone, cases: Vec::new() };
    let random = &mut Random::new(0xd3a6c);
    plain(&mut to, random);
    for (family, records) in RECORDS {
        for record in records {
            put(&mut to, family, record);
        }
    }
    for (family, values) in REPORTS {
        for value in values {
            put(&mut to, family, &format!("v=DMARC1; p=reject; rua={value}"));
        }
    }
    outside(&mut to);
    presence(&mut to);
    walks(&mut to);
    to.cases
}

/// A domain with this record at its `_dmarc` name.
fn put(to: &mut Writer<'_>, family: &'static str, record: &str) -> String {
    let domain = to.name(family);
    let record = record.replace("{d}", &domain);
    to.zone.mx(&domain, &format!("mail.{domain}"));
    to.zone.mx(&format!("mail.{domain}"), &format!("mail.{domain}"));
    to.zone.txt(&format!("_dmarc.{domain}"), &record);
    to.case(family, domain.clone(), record);
    domain
}

fn plain(to: &mut Writer<'_>, random: &mut Random) {
    let policies = ["none", "quarantine", "reject"];
    for _ in 0..40 {
        let mut tags = Vec::new();
        for name in ["sp", "np"] {
            if random.below(2) == 0 {
                tags.push(format!("{name}={}", random.pick(&policies)));
            }
        }
        for name in ["adkim", "aspf"] {
            if random.below(3) == 0 {
                tags.push(format!("{name}={}", random.pick(&["r", "s"])));
            }
        }
        if random.below(3) > 0 {
            tags.push("rua=mailto:dmarc@{d}".to_owned());
        }
        if random.below(4) == 0 {
            tags.push("t=y".to_owned());
        }
        let policy = format!("p={}", random.pick(&policies));
        let at = if random.below(3) == 0 { random.below(tags.len() + 1) } else { 0 };
        tags.insert(at, policy);
        put(to, "plain", &format!("v=DMARC1; {}", tags.join("; ")));
    }
}

/// Reports to another organisation, which has to agree.
fn outside(to: &mut Writer<'_>) {
    let consents: [(&str, Option<&str>); 6] = [
        ("reports outside without consent", None),
        ("reports outside with consent", Some("v=DMARC1")),
        ("reports outside with consent", Some("v=DMARC1;")),
        ("reports outside with another text", Some("v=spf1 -all")),
        ("reports outside with a small version", Some("v=dmarc1")),
        ("reports outside with its own address", Some("v=DMARC1; rua=mailto:x@other.com")),
    ];
    for (nth, (family, consent)) in consents.into_iter().enumerate() {
        let other = format!("collector-{nth}.net");
        let domain = put(to, family, &format!("v=DMARC1; p=reject; rua=mailto:x@{other}"));
        to.zone.mx(&other, &format!("mail.{other}"));
        if let Some(consent) = consent {
            to.zone.txt(&format!("{domain}._report._dmarc.{other}"), consent);
        }
    }
    let family = "reports outside with consent for everybody";
    put(to, family, "v=DMARC1; p=reject; rua=mailto:x@everybody.net");
    to.zone.mx("everybody.net", "mail.everybody.net");
    to.zone.txt("*._report._dmarc.everybody.net", "v=DMARC1");
    let family = "reports outside with two consents";
    let domain = put(to, family, "v=DMARC1; p=reject; rua=mailto:x@twice.net");
    to.zone.mx("twice.net", "mail.twice.net");
    for consent in ["v=DMARC1", "v=DMARC1; p=none"] {
        to.zone.txt(&format!("{domain}._report._dmarc.twice.net"), consent);
    }
}

/// Several records, records elsewhere, and texts that are none.
fn presence(to: &mut Writer<'_>) {
    let domain = put(to, "several records", "v=DMARC1; p=reject");
    to.zone.txt(&format!("_dmarc.{domain}"), "v=DMARC1; p=none");
    let domain = put(to, "another text beside", "v=DMARC1; p=reject");
    to.zone.txt(&format!("_dmarc.{domain}"), "verification=123");
    let domain = put(to, "a broken record beside", "v=DMARC1; p=reject");
    to.zone.txt(&format!("_dmarc.{domain}"), "v=DMARC2; p=none");
    let domain = put(to, "spf text beside", "v=DMARC1; p=reject");
    to.zone.txt(&format!("_dmarc.{domain}"), "v=spf1 -all");
    put(to, "spf text alone", "v=spf1 -all");
    put(to, "another text alone", "verification=123");
    let domain = put(to, "record at the domain too", "v=DMARC1; p=reject");
    to.zone.txt(&domain, "v=DMARC1; p=none");
    for exists in [false, true] {
        let domain = to.name("record at the domain alone");
        to.zone.mx(&domain, &format!("mail.{domain}"));
        to.zone.txt(&domain, "v=DMARC1; p=none");
        if exists {
            to.zone.a(&format!("_dmarc.{domain}"));
        }
        to.case("record at the domain alone", domain, format!("_dmarc exists: {exists}"));
    }
    let domain = to.name("no record");
    to.zone.mx(&domain, &format!("mail.{domain}"));
    to.case("no record", domain, String::new());
    let domain = to.name("alias");
    to.zone.mx(&domain, &format!("mail.{domain}"));
    to.zone.add(&format!("_dmarc.{domain}"), &format!("CNAME real.{domain}."));
    to.zone.txt(&format!("real.{domain}"), "v=DMARC1; p=reject; rua=mailto:x@everybody.net");
    to.case("alias", domain, "an alias of a record".to_owned());
    let domain = to.name("strings");
    to.zone.mx(&domain, &format!("mail.{domain}"));
    to.zone.strings(
        &format!("_dmarc.{domain}"),
        &["v=DMARC1; p=rej", "ect; rua=mailto:x@everybody.net"],
    );
    to.case("strings", domain, "a record in two strings".to_owned());
}

/// Domains whose record stands further up.
fn walks(to: &mut Writer<'_>) {
    let ways: [(&str, &[(usize, &str)]); 9] = [
        ("record above", &[(1, "v=DMARC1; p=reject")]),
        ("record two above", &[(2, "v=DMARC1; p=reject")]),
        ("records at both", &[(1, "v=DMARC1; p=none"), (2, "v=DMARC1; p=reject")]),
        ("organisation declared", &[(1, "v=DMARC1; p=reject; psd=n"), (2, "v=DMARC1; p=none")]),
        ("suffix declared", &[(1, "v=DMARC1; p=reject"), (2, "v=DMARC1; p=none; psd=y")]),
        ("suffix declared and nothing below", &[(2, "v=DMARC1; p=reject; psd=y")]),
        ("several records above", &[(1, "v=DMARC1; p=reject"), (1, "v=DMARC1; p=none")]),
        ("faulty record above", &[(1, "v=DMARC1; p=monitor"), (2, "v=DMARC1; p=reject")]),
        ("own record and one above", &[(0, "v=DMARC1; p=none"), (2, "v=DMARC1; p=reject")]),
    ];
    for (family, records) in ways {
        for labels in ["shop.mail", "a.b.c.d.e.f.g.shop.mail"] {
            let apex = to.name(family);
            let domain = format!("{labels}.{apex}");
            to.zone.mx(&domain, &format!("mail.{apex}"));
            let below: Vec<&str> = domain.rsplit('.').collect();
            for (up, record) in records {
                // Counted from the two labels that stand nearest to the apex.
                let kept = if *up == 0 { below.len() } else { 4 - up };
                let name: Vec<&str> = below[..kept].iter().rev().copied().collect();
                to.zone.txt(&format!("_dmarc.{}", name.join(".")), record);
            }
            to.case(family, domain, format!("{labels}: {records:?}"));
        }
    }
}
