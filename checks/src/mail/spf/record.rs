//! SPF records: which texts are one, and their terms (RFC 7208 §4.5, §4.6.1, §5, §6).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::domain_spec::{DomainSpec, macro_string};

/// What a match means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mail) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "+",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        })
    }
}

/// The kinds of term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mail) enum Kind {
    All,
    Include,
    A,
    Mx,
    Ptr,
    Ip4,
    Ip6,
    Exists,
    Redirect,
    Exp,
    Unknown,
}

impl Kind {
    /// The names of the mechanisms.
    const MECHANISMS: [(&'static str, Self); 8] = [
        ("all", Self::All),
        ("include", Self::Include),
        ("a", Self::A),
        ("mx", Self::Mx),
        ("ptr", Self::Ptr),
        ("ip4", Self::Ip4),
        ("ip6", Self::Ip6),
        ("exists", Self::Exists),
    ];

    /// Whether evaluating it takes a look-up that counts (§4.6.4).
    pub(super) const fn counts(self) -> bool {
        use Kind::{A, Exists, Include, Mx, Ptr, Redirect};
        matches!(self, A | Exists | Include | Mx | Ptr | Redirect)
    }

    pub(super) const fn is_mechanism(self) -> bool {
        !matches!(self, Self::Redirect | Self::Exp | Self::Unknown)
    }
}

/// One term that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mail) struct Term {
    /// As it is written.
    pub(in crate::mail) text: String,
    pub(in crate::mail) kind: Kind,
    pub(in crate::mail) qualifier: Qualifier,
    pub(super) domain: Option<DomainSpec>,
    /// The prefix length is 0: it matches every address of a family.
    pub(super) matches_everybody: bool,
}

/// A term that breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) term: String,
    /// What is wrong with it, as a sentence without a full stop.
    pub(super) problem: String,
}

/// A record, with everything in it that could be understood and everything that could not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::mail) struct Record {
    pub(in crate::mail) terms: Vec<Term>,
    pub(super) errors: Vec<SyntaxError>,
}

/// Whether a text is an SPF record: the version and then a blank or the end (§4.5).
pub(in crate::mail) fn is_record(text: &str) -> bool {
    let (Some(version), Some(rest)) = (text.get(..6), text.get(6..)) else { return false };
    version.eq_ignore_ascii_case("v=spf1") && (rest.is_empty() || rest.starts_with(' '))
}

impl Record {
    /// Reads a text for which [`is_record`] holds.
    pub(in crate::mail) fn parse(text: &str) -> Self {
        let mut record = Self::default();
        for word in text.get(6..).unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
            match term(word) {
                Ok(term) => {
                    let kind = term.kind;
                    let once = matches!(kind, Kind::Redirect | Kind::Exp);
                    if once && record.terms.iter().any(|other| other.kind == kind) {
                        record.error(word, "it may stand in a record only once");
                    } else {
                        record.terms.push(term);
                    }
                }
                Err(problem) => record.error(word, problem),
            }
        }
        record
    }

    fn error(&mut self, term: &str, problem: impl Into<String>) {
        self.errors.push(SyntaxError { term: term.to_owned(), problem: problem.into() });
    }

    /// The mechanisms that can be reached: all of them up to and with the first `all`.
    pub(in crate::mail) fn mechanisms(&self) -> impl Iterator<Item = &Term> {
        let end = self.all_at().map_or(self.terms.len(), |at| at + 1);
        self.terms.iter().take(end).filter(|term| term.kind.is_mechanism())
    }

    /// The `redirect` that is followed: none where there is an `all` (§5.1).
    pub(in crate::mail) fn redirect(&self) -> Option<&Term> {
        if self.all_at().is_some() {
            return None;
        }
        self.terms.iter().find(|term| term.kind == Kind::Redirect)
    }

    pub(super) fn all_at(&self) -> Option<usize> {
        self.terms.iter().position(|term| term.kind == Kind::All)
    }

    /// The names that the record includes or redirects to, as far as they stand there plainly.
    pub(in crate::mail) fn names(&self, current: &str) -> Vec<String> {
        let wanted = |kind| matches!(kind, Kind::Include | Kind::Redirect);
        self.terms
            .iter()
            .filter(|term| wanted(term.kind))
            .filter_map(|term| term.domain.as_ref())
            .filter_map(|domain| match domain.expand(current, current) {
                super::domain_spec::Expanded::Name(name) => Some(name),
                _ => None,
            })
            .collect()
    }
}

/// Whether a word is by itself a mechanism that SPF knows, or one of its modifiers.
pub(super) fn is_term(word: &str) -> bool {
    term(word).is_ok_and(|term| term.kind != Kind::Unknown)
}

fn term(word: &str) -> Result<Term, String> {
    if let Some(c) = word.chars().find(|c| !('\x21'..='\x7e').contains(c)) {
        return Err(format!("the character U+{:04X} is not allowed", u32::from(c)));
    }
    match word.split_once('=') {
        Some((name, value)) if is_modifier_name(name) => modifier(word, name, value),
        _ => mechanism(word),
    }
}

/// `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`.
fn is_modifier_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn modifier(word: &str, name: &str, value: &str) -> Result<Term, String> {
    let (kind, domain) = match name.to_ascii_lowercase().as_str() {
        "redirect" => (Kind::Redirect, Some(DomainSpec::parse(value)?)),
        "exp" => (Kind::Exp, Some(DomainSpec::parse(value)?)),
        _ => {
            macro_string(value)?;
            (Kind::Unknown, None)
        }
    };
    let text = word.to_owned();
    Ok(Term { text, kind, qualifier: Qualifier::Pass, domain, matches_everybody: false })
}

fn mechanism(word: &str) -> Result<Term, String> {
    let mut body = word.chars();
    let (qualifier, body) = match body.next() {
        Some('+') => (Qualifier::Pass, body.as_str()),
        Some('-') => (Qualifier::Fail, body.as_str()),
        Some('~') => (Qualifier::SoftFail, body.as_str()),
        Some('?') => (Qualifier::Neutral, body.as_str()),
        _ => (Qualifier::Pass, word),
    };
    let split = body.find([':', '/']).unwrap_or(body.len());
    let (name, argument) = body.split_at_checked(split).unwrap_or((body, ""));
    let known = Kind::MECHANISMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let kind = known.map(|(_, kind)| *kind).ok_or_else(|| unknown(name))?;
    let (domain, matches_everybody) = match kind {
        Kind::All | Kind::Ptr if argument.is_empty() => (None, false),
        Kind::All => return Err("nothing may stand behind the word all".to_owned()),
        Kind::Include | Kind::Exists => {
            let domain = argument.strip_prefix(':').ok_or("a domain is missing")?;
            (Some(DomainSpec::parse(domain)?), false)
        }
        Kind::Ptr => {
            let domain = argument.strip_prefix(':').ok_or("ptr takes no prefix length")?;
            (Some(DomainSpec::parse(domain)?), false)
        }
        Kind::A | Kind::Mx => {
            let (domain, shortest) = dual_prefix(argument)?;
            let domain = match domain.strip_prefix(':') {
                Some(name) => Some(DomainSpec::parse(name)?),
                None if domain.is_empty() => None,
                None => return Err("the prefix length cannot be read".to_owned()),
            };
            (domain, shortest == 0)
        }
        _ => (None, network(kind, argument)? == 0),
    };
    Ok(Term { text: word.to_owned(), kind, qualifier, domain, matches_everybody })
}

fn unknown(name: &str) -> String {
    let meant = match name.to_ascii_lowercase().as_str() {
        "ip" | "ipv4" => "ip4",
        "ipv6" => "ip6",
        "includes" | "inlcude" | "incude" => "include",
        "redirect" => return "redirect is written with = and not with a colon".to_owned(),
        _ => return format!("SPF knows no {name:?}"),
    };
    format!("SPF knows no {name:?}, only {meant:?}")
}

/// Takes `/24`, `//64` or `/24//64` off the end; also the shorter of the lengths.
fn dual_prefix(argument: &str) -> Result<(&str, u8), String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (rest, six) = match argument.rsplit_once("//") {
        Some((rest, number)) if digits(number) => (rest, Some(prefix(number, 128)?)),
        _ => (argument, None),
    };
    let (rest, four) = match rest.rsplit_once('/') {
        Some((before, number)) if digits(number) => (before, Some(prefix(number, 32)?)),
        _ => (rest, None),
    };
    Ok((rest, four.unwrap_or(32).min(six.unwrap_or(128))))
}

/// A decimal prefix length without leading zeros.
fn prefix(text: &str, most: u8) -> Result<u8, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let number = text.parse::<u8>().ok().filter(|number| plain && *number <= most);
    number.ok_or_else(|| format!("{text:?} is no prefix length from 0 to {most}"))
}

/// The network of `ip4` or `ip6`; gives the prefix length.
fn network(kind: Kind, argument: &str) -> Result<u8, String> {
    let value = argument.strip_prefix(':').ok_or("an address is missing")?;
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (value, None),
    };
    let (is_one, most) = match kind {
        Kind::Ip4 => (address.parse::<Ipv4Addr>().is_ok(), 32),
        _ => (address.parse::<Ipv6Addr>().is_ok(), 128),
    };
    if !is_one {
        let family = if kind == Kind::Ip4 { "IPv4" } else { "IPv6" };
        return Err(format!("{address:?} is no full {family} address"));
    }
    length.map_or(Ok(most), |length| prefix(length, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> usize {
        Record::parse(text).errors.len()
    }

    #[test]
    fn only_the_exact_version_makes_a_record() {
        for right in ["v=spf1", "V=SpF1 -all", "v=spf1 "] {
            assert!(is_record(right), "{right}");
        }
        for wrong in ["v=spf10", "v=spf1-all", " v=spf1", "v=spf", "\"v=spf1 -all\"", "v=spf\u{e9}"]
        {
            assert!(!is_record(wrong), "{wrong}");
        }
    }

    #[test]
    fn records_that_work_are_read_without_an_error() {
        for right in [
            "v=spf1",
            "v=spf1  a/24//64  mx:mail.harbor.com -all ",
            "v=spf1 include:%{d}._spf.test redirect=_spf.harbor.com x-note=a:b",
            "v=spf1 ip6:::1.1.1.1/0 IP4:192.0.2.0/24 exists:%{i}._spf.harbor.com ?all",
            "v=spf1 moo.cow-far_out=man:dog/cat exp=why.harbor.com ~all",
        ] {
            assert_eq!(errors(right), 0, "{right}");
        }
    }

    #[test]
    fn each_breach_of_the_grammar_is_one_error() {
        for wrong in [
            "v=spf1 -all.",
            "v=spf1 all:x",
            "v=spf1 include",
            "v=spf1 include:",
            "v=spf1 ptr/0",
            "v=spf1 a/33",
            "v=spf1 a//129",
            "v=spf1 a/24/64",
            "v=spf1 ip4:1.2.3",
            "v=spf1 ip4:1.2.3.4/032",
            "v=spf1 ip4:1.2.3.4//32",
            "v=spf1 ip6::CAFE::BABE",
            "v=spf1 redirect:harbor.com",
            "v=spf1 redirect=a.com redirect=b.com",
            "v=spf1 exp= -all",
            "v=spf1 =all",
            "v=spf1 1up=x",
            "v=spf1 moo.cow/x=y",
            "v=spf1 ipv4:192.0.2.1",
            "v=spf1 a:ctrl.com\rptr",
            "v=spf1 foo=%abc",
        ] {
            assert_eq!(errors(wrong), 1, "{wrong}");
        }
    }

    #[test]
    fn nothing_behind_all_is_reached() {
        let record = Record::parse("v=spf1 a -all mx redirect=_spf.harbor.com");
        assert_eq!(record.mechanisms().count(), 2);
        assert!(record.redirect().is_none());
    }

    proptest::proptest! {
        #[test]
        fn hostile_text_never_panics(text in "[ -~\u{80}\r\n]{0,120}") {
            let record = Record::parse(&format!("v=spf1 {text}"));
            proptest::prop_assert!(record.terms.len() + record.errors.len() <= text.len());
        }
    }
}
