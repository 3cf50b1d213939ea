//! Generated zones around SPF records that follow the grammar: chains, trees, limits, aliases, strings.

use std::fmt::Write as _;

use super::{Case, spf_syntax};
use crate::names::Zone;
use crate::seeds::Random;

/// Writes cases into a zone: a name of its own for each.
pub(super) struct Writer<'z> {
    pub(super) zone: &'z mut Zone,
    pub(super) cases: Vec<Case>,
}

impl Writer<'_> {
    /// A name for the next case of a family.
    pub(super) fn name(&self, family: &str) -> String {
        let nth = self.cases.iter().filter(|case| case.family == family).count();
        format!("{}-{nth}.com", family.replace([' ', ':', '_'], "-"))
    }

    pub(super) fn case(&mut self, family: &'static str, domain: String, input: String) {
        self.cases.push(Case { family, domain, input });
    }

    /// A domain with this one record, and an address and a mail server.
    pub(super) fn record(&mut self, family: &'static str, record: &str) -> String {
        let domain = self.name(family);
        self.host(&domain);
        self.zone.txt(&domain, record);
        self.case(family, domain.clone(), record.to_owned());
        domain
    }

    fn host(&mut self, domain: &str) {
        self.zone.a(domain);
        self.zone.mx(domain, &format!("mail.{domain}"));
        self.zone.a(&format!("mail.{domain}"));
    }
}

/// A term that needs no other name.
pub(super) fn term(random: &mut Random) -> String {
    let [a, b] = [random.below(250) + 1, random.below(250) + 1];
    match random.below(7) {
        0 => format!("ip4:198.51.{a}.{b}"),
        1 => format!("ip4:203.0.{a}.0/24"),
        2 => format!("ip6:2001:db8:{a:x}::/48"),
        3 => format!("ip6:2001:db8::{a:x}:{b:x}"),
        4 => "a".to_owned(),
        5 => "mx/28".to_owned(),
        _ => "a/24//64".to_owned(),
    }
}

pub(super) fn generate(zone: &mut Zone) -> Vec<Case> {
    let mut to = Writer { zone, cases: Vec::new() };
    let random = &mut Random::new(0x5bf);
    plain(&mut to, random);
    trees(&mut to, random);
    chains(&mut to);
    circles(&mut to);
    presence(&mut to, random);
    voids(&mut to);
    mail_servers(&mut to);
    ends(&mut to);
    strings(&mut to, random);
    aliases(&mut to);
    spf_syntax::generate(&mut to, random);
    to.cases
}

fn plain(to: &mut Writer<'_>, random: &mut Random) {
    for _ in 0..24 {
        let terms: Vec<String> = (0..=random.below(5)).map(|_| term(random)).collect();
        let all = *random.pick(&["-all", "~all"]);
        to.record("plain", &format!("v=spf1 {} {all}", terms.join(" ")));
    }
    for record in
        ["V=SPF1 A MX -ALL", "v=spf1 Ip4:192.0.2.1 mX ~aLL", "v=Spf1 IP6:2001:DB8::1 -All"]
    {
        to.record("capitals", record);
    }
    for record in ["v=spf1  a  mx  -all", "v=spf1 a -all ", "v=spf1 -all   "] {
        to.record("blanks", record);
    }
    for note in ["x-note=abc", "moo.cow-far_out=man:dog/cat", "ra=postmaster", "rr=all rp=100 ra=x"]
    {
        to.record("unknown modifier", &format!("v=spf1 {note} a -all"));
    }
    for term in ["ptr", "ptr:@", "?ptr"] {
        let domain = to.name("ptr");
        to.record("ptr", &format!("v=spf1 {} -all", term.replace('@', &domain)));
    }
    for exp in ["exp=why.@", "exp=%{i}.why.@", "exp=%{c}.why.@"] {
        let domain = to.name("explanation");
        let why = format!("why.{domain}");
        to.zone.txt(&why, "see our page");
        to.record("explanation", &format!("v=spf1 a -all {}", exp.replace('@', &domain)));
    }
    for twice in ["a a", "include:@ include:@", "include:@ +include:@"] {
        let domain = to.name("twice");
        let other = format!("spf.{domain}");
        to.zone.txt(&other, "v=spf1 ip4:192.0.2.0/24 -all");
        to.record("twice", &format!("v=spf1 {} -all", twice.replace('@', &other)));
    }
}

/// Includes within includes, of which some need more than ten look-ups.
fn trees(to: &mut Writer<'_>, random: &mut Random) {
    for _ in 0..30 {
        let domain = to.name("include tree");
        let mut left = 2 + random.below(12);
        let mut open = vec![domain.clone()];
        let mut number = 0;
        let mut input = String::new();
        while let Some(name) = open.pop() {
            let mut record = "v=spf1".to_owned();
            for _ in 0..=random.below(3) {
                if left == 0 {
                    break;
                }
                left -= 1;
                number += 1;
                let below = format!("s{number}.{domain}");
                _ = write!(
                    record,
                    " {} include:{below}",
                    random.pick(&["ip4:192.0.2.7", "?ip6:2001:db8::7"])
                );
                open.push(below);
            }
            record.push_str(if name == domain { " ~all" } else { " -all" });
            to.zone.txt(&name, &record);
            _ = writeln!(input, "{name} {record}");
        }
        to.case("include tree", domain, input);
    }
}

fn chains(to: &mut Writer<'_>) {
    for (family, join) in [("include chain", "include:"), ("redirect chain", "redirect=")] {
        for length in [1, 2, 5, 9, 10, 11, 12] {
            let domain = to.name(family);
            let name = |n: usize| if n == 0 { domain.clone() } else { format!("r{n}.{domain}") };
            for n in 0..length {
                let end = if join == "include:" { " -all" } else { "" };
                to.zone.txt(&name(n), &format!("v=spf1 {join}{}{end}", name(n + 1)));
            }
            to.zone.txt(&name(length), "v=spf1 ip4:192.0.2.1 -all");
            to.case(family, domain, format!("{length} links of {join}"));
        }
    }
}

fn circles(to: &mut Writer<'_>) {
    for (family, join) in [("include circle", "include:"), ("redirect circle", "redirect=")] {
        for length in 1..=4 {
            let domain = to.name(family);
            let name = |n: usize| match n % length {
                0 => domain.clone(),
                n => format!("r{n}.{domain}"),
            };
            for n in 0..length {
                let end = if join == "include:" { " -all" } else { "" };
                to.zone.txt(&name(n), &format!("v=spf1 {join}{}{end}", name(n + 1)));
            }
            to.case(family, domain, format!("a circle of {length} by {join}"));
        }
    }
}

/// No record, several, and texts that only look like one.
fn presence(to: &mut Writer<'_>, random: &mut Random) {
    for text in
        ["hello", "v=spf10 -all", "v=spf1-all", " v=spf1 -all", "spf1 -all", "v=spf2.0/pra -all"]
    {
        to.record("no record", text);
    }
    to.record("version and tab", "v=spf1\t-all");
    for number in 2..=4 {
        let domain = to.name("several records");
        for n in 0..number {
            to.zone.txt(&domain, &format!("v=spf1 ip4:192.0.2.{n} {} -all", term(random)));
        }
        to.case("several records", domain, format!("{number} records"));
    }
    let domain = to.record("one record among texts", "v=spf1 a -all");
    to.zone.txt(&domain, "verification=123");
    to.zone.txt(&domain, "v=spf10 +all");
    for join in ["include:", "redirect="] {
        for (what, family) in [
            ("two", "several records below"),
            ("none", "no record below"),
            ("absent", "no name below"),
        ] {
            let domain = to.name(family);
            let below = format!("below.{domain}");
            match what {
                "two" => {
                    to.zone.txt(&below, "v=spf1 ip4:192.0.2.1 -all");
                    to.zone.txt(&below, "v=spf1 ip4:192.0.2.2 -all");
                }
                "none" => to.zone.a(&below),
                _ => {}
            }
            to.record(
                family,
                &format!("v=spf1 a {join}{below}{}", if join == "include:" { " -all" } else { "" }),
            );
        }
    }
}

/// Look-ups that come back empty, up to past the limit of two.
fn voids(to: &mut Writer<'_>) {
    for (family, join) in [("void a", "a:"), ("void mx", "mx:"), ("void exists", "exists:")] {
        for number in 0..=4 {
            for exists in [false, true] {
                let domain = to.name(family);
                let mut record = "v=spf1".to_owned();
                for n in 0..number {
                    let name = format!("v{n}.{domain}");
                    // A name that exists without such a record is as void as one that does not.
                    if exists {
                        to.zone.txt(&name, "nothing");
                    }
                    _ = write!(record, " {join}{name}");
                }
                to.zone.txt(&domain, &format!("{record} -all"));
                to.case(family, domain, format!("{record} -all, the names exist: {exists}"));
            }
        }
    }
}

fn mail_servers(to: &mut Writer<'_>) {
    for number in [1, 9, 10, 11, 14] {
        let domain = to.name("mail servers");
        for n in 0..number {
            to.zone.mx(&domain, &format!("m{n}.{domain}"));
            to.zone.a(&format!("m{n}.{domain}"));
        }
        to.zone.txt(&domain, "v=spf1 mx -all");
        to.case("mail servers", domain, format!("mx with {number} mail servers"));
    }
    let domain = to.name("null mx");
    to.zone.add(&domain, "MX 0 .");
    to.zone.txt(&domain, "v=spf1 mx -all");
    to.case("null mx", domain, "mx with a null MX".to_owned());
}

/// Every end that a record can have, by itself and at the end of a redirect.
fn ends(to: &mut Writer<'_>) {
    for end in ["+all", "all", "?all", "~all", "-all", ""] {
        to.record("end", format!("v=spf1 a {end}").trim_end());
        let domain = to.name("end of a redirect");
        let below = format!("below.{domain}");
        to.zone.txt(&below, format!("v=spf1 ip4:192.0.2.1 {end}").trim_end());
        to.record("end of a redirect", &format!("v=spf1 redirect={below}"));
        let domain = to.name("end of an include");
        let below = format!("below.{domain}");
        to.zone.txt(&below, format!("v=spf1 ip4:192.0.2.1 {end}").trim_end());
        to.record("end of an include", &format!("v=spf1 include:{below} -all"));
    }
    for open in ["ip4:0.0.0.0/0", "ip6:::/0", "a/0", "mx/0"] {
        to.record("open network", &format!("v=spf1 {open} -all"));
    }
    for after in ["mx", "ip4:192.0.2.1", "-all", "+all", "include:gone.example"] {
        to.record("terms after all", &format!("v=spf1 a -all {after}"));
    }
    for (first, last) in [("-all ", ""), ("", " -all")] {
        let domain = to.name("redirect beside all");
        let record = format!("v=spf1 {first}redirect=gone.{domain}{last}");
        to.record("redirect beside all", &record);
    }
}

/// A record in several strings, which receivers join without a blank.
fn strings(to: &mut Writer<'_>, random: &mut Random) {
    let mut put = |family: &'static str, parts: &[&str]| {
        let domain = to.name(family);
        to.host(&domain);
        to.zone.strings(&domain, parts);
        to.case(family, domain, format!("{parts:?}"));
    };
    put("strings with a blank", &["v=spf1 a ", "mx -all"]);
    put("strings with a blank", &["v=spf1 a", " mx -all"]);
    put("strings within a term", &["v=spf1 ip4:192.0.", "2.1 -all"]);
    put("strings within a term", &["v=sp", "f1 a -all"]);
    put("strings without a blank", &["v=spf1 a", "mx -all"]);
    put("strings without a blank", &["v=spf1 ip4:192.0.2.1", "ip4:192.0.2.2 -all"]);
    put("strings without a blank", &["v=spf1 mx", "-all"]);
    for count in [3, 20, 26, 40] {
        let terms: Vec<String> = (0..count)
            .map(|_| format!("ip4:198.51.{}.{}", random.below(256), random.below(256)))
            .collect();
        to.record("length", &format!("v=spf1 {} -all", terms.join(" ")));
    }
}

/// Names that are an alias.
fn aliases(to: &mut Writer<'_>) {
    for record in
        ["v=spf1 include:alias.@ -all", "v=spf1 redirect=alias.@", "v=spf1 a:alias.@ -all"]
    {
        let domain = to.name("alias");
        to.zone.add(&format!("alias.{domain}"), &format!("CNAME real.{domain}."));
        to.zone.txt(&format!("real.{domain}"), "v=spf1 ip4:192.0.2.1 -all");
        to.zone.a(&format!("real.{domain}"));
        to.record("alias", &record.replace('@', &domain));
    }
    for record in ["v=spf1 include:alias.@ -all", "v=spf1 a:alias.@ -all"] {
        let domain = to.name("alias to nowhere");
        to.zone.add(&format!("alias.{domain}"), &format!("CNAME gone.{domain}."));
        to.record("alias to nowhere", &record.replace('@', &domain));
    }
}
