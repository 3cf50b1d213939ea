//! Records that break the grammar of SPF in one place, and macros of every kind (RFC 7208 §7, §12).

use super::spf_cases::{Writer, term};
use crate::seeds::Random;

/// A kind of breach, and terms that are one.
const BREACHES: [(&str, &[&str]); 24] = [
    ("all with a value", &["-all:x", "all/24", "-all:"]),
    ("include without a name", &["include", "include:", "include/24"]),
    ("exists without a name", &["exists", "exists:"]),
    ("empty name", &["a:", "mx:", "ptr:"]),
    ("short address", &["ip4:192.0.2", "ip4:192.0", "ip4:"]),
    ("wrong address", &["ip4:192.0.2.256", "ip4:x.0.2.1", "ip6:2001:db8::g", "ip6:::1::2"]),
    ("leading zeros in an address", &["ip4:192.0.02.1", "ip4:192.000.2.1"]),
    ("other family", &["ip4:2001:db8::1", "ip6:192.0.2.1"]),
    ("address in the name of a", &["a:192.0.2.1", "mx:192.0.2.1", "include:192.0.2.1"]),
    ("long prefix", &["ip4:192.0.2.0/33", "ip6:2001:db8::/129", "a/33", "a//129", "mx/24//129"]),
    ("leading zeros in a prefix", &["ip4:192.0.2.0/024", "a/024", "ip6:2001:db8::/032"]),
    ("wrong prefix", &["a/24/64", "a/x", "ip4:192.0.2.0/", "ip4:192.0.2.0//24", "mx/-1"]),
    ("prefix of ptr", &["ptr/24", "ptr:mail.com/24"]),
    ("prefix of include", &["include:spf.mail.com/24"]),
    ("colon for equals", &["redirect:mail.com", "exp:why.mail.com"]),
    ("empty modifier", &["redirect=", "exp="]),
    ("qualifier of a modifier", &["-redirect=mail.com", "+x=y", "~exp=why.mail.com"]),
    (
        "unknown mechanism",
        &["ipv4:192.0.2.1", "ip:192.0.2.1", "includes:mail.com", "foo", "foo:bar", "ip4"],
    ),
    ("wrong name of a modifier", &["1up=x", "=x", "x y=z", "a/b=c"]),
    ("single label", &["a:localhost", "include:mail", "mx:com.", "exists:museum"]),
    ("wrong last label", &["a:mail.123", "include:mail.-com", "exists:mail.com-", "a:mail.c_m"]),
    ("commas", &["ip4:192.0.2.1,ip4:192.0.2.2", "a,mx", "include:a.com,b.com"]),
    ("double qualifier", &["--all", "+-a", "~~all"]),
    ("full stop or semicolon", &["-all.", "a;", "-all;"]),
];

/// Bytes that may not stand in a record.
const BYTES: [(&str, &[&[u8]]); 2] = [
    ("control characters", &[b"v=spf1 a\tmx -all", b"v=spf1 a\x07 -all", b"v=spf1 a\rmx -all"]),
    (
        "not ascii",
        &[b"v=spf1 a:m\xc3\xbcller.com -all", b"v=spf1 a\xa0mx -all", b"v=spf1 \xe2\x80\x9ca -all"],
    ),
];

/// Macros that are one, and that are none.
const RIGHT: [&str; 12] = [
    "%{i}",
    "%{ir}.%{v}",
    "%{d2}",
    "%{s}",
    "%{l1r-}",
    "%{o}",
    "%{h}",
    "%{I}",
    "%{dR}",
    "%{d10}",
    "%{l+-_/=,.}",
    "x%%y%-z%_",
];
const WRONG: [&str; 12] =
    ["%", "%x", "%{", "%{}", "%{x}", "%{d0}", "%{d2r", "%(d)", "%{dx}", "%{d1r!}", "%{c}", "%{r}"];

pub(super) fn generate(to: &mut Writer<'_>, random: &mut Random) {
    for (family, terms) in BREACHES {
        for breach in terms {
            // A term of two words would be two terms; the first of them is the breach.
            let (before, after) = (term(random), term(random));
            let record = match random.below(3) {
                0 => format!("v=spf1 {breach} {after} -all"),
                1 => format!("v=spf1 {before} {breach} {after} -all"),
                _ => format!("v=spf1 {before} {breach} -all"),
            };
            to.record(family, &record);
        }
    }
    for (family, records) in BYTES {
        for record in records {
            let domain = to.name(family);
            to.zone.a(&domain);
            to.zone.strings(&domain, &[record]);
            to.case(family, domain, format!("{:?}", String::from_utf8_lossy(record)));
        }
    }
    for record in [
        "v=spf1 redirect=x.com redirect=y.com",
        "v=spf1 redirect=x.com a redirect=x.com",
        "v=spf1 exp=x.com exp=y.com -all",
    ] {
        to.record("modifier twice", record);
    }
    to.record("modifier twice around all", "v=spf1 exp=x.com -all exp=y.com");
    for breach in ["foo", "ip4:192.0.2.256", "include:", "a/33", "redirect="] {
        to.record("breach after all", &format!("v=spf1 a -all {breach}"));
    }
    for glued in ["v=spf1 ip4:192.0.2.1-all", "v=spf1 a~all", "v=spf1 mx?all"] {
        to.record("all without a blank", glued);
    }
    for breach in ["foo", "ip4:192.0.2.256", "include:", "a/33"] {
        let domain = to.name("breach below");
        let below = format!("below.{domain}");
        to.zone.txt(&below, &format!("v=spf1 {breach} -all"));
        to.record("breach below", &format!("v=spf1 include:{below} -all"));
    }
    macros(to);
}

fn macros(to: &mut Writer<'_>) {
    for (family, join, end) in [
        ("macro in exists", "exists:", " -all"),
        ("macro in include", "include:", " -all"),
        ("macro in a", "a:", " -all"),
        ("macro in redirect", "redirect=", ""),
    ] {
        for right in RIGHT {
            let domain = to.name(family);
            to.record(family, &format!("v=spf1 {join}{right}.{domain}{end}"));
        }
    }
    for (family, join, end) in
        [("wrong macro", "exists:", " -all"), ("wrong macro in a redirect", "redirect=", "")]
    {
        for wrong in WRONG {
            let domain = to.name(family);
            to.record(family, &format!("v=spf1 {join}{wrong}.{domain}{end}"));
        }
    }
    for (family, modifier) in [
        ("macro in an unknown modifier", "note=%{d}"),
        ("wrong macro in an unknown modifier", "note=%x"),
    ] {
        to.record(family, &format!("v=spf1 {modifier} a -all"));
    }
    // What the macro becomes leads to a record.
    let domain = to.name("macro that leads to a record");
    to.zone.txt(&format!("{domain}.spf.{domain}"), "v=spf1 ip4:192.0.2.1 -all");
    to.record("macro that leads to a record", &format!("v=spf1 include:%{{d}}.spf.{domain} -all"));
}
