//! Reads one DMARC policy record (RFC 9989 sections 4.7 and 4.8).

/// What the owner asks receivers to do with mail that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mail) enum Policy {
    /// Deliver it.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    fn read(value: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| value.eq_ignore_ascii_case(policy.as_str()))
    }

    /// The word in the record.
    pub(in crate::mail) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// The `psd` tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::mail) enum Psd {
    /// `y`: a public suffix.
    Yes,
    /// `n`: an organisational domain.
    No,
    /// `u` or absent.
    #[default]
    Undeclared,
}

/// A defect of a record that is a DMARC record all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mail) enum Problem {
    /// A part between two semicolons that is no `name=value`.
    NoTag(String),
    /// A tag that stands twice, which makes a tag list invalid (RFC 6376 section 3.2).
    Repeated(String),
    /// `p`, `sp` or `np` with a value that is no policy.
    NoPolicy { tag: &'static str, value: String },
    /// Another tag with a value that is not defined; the default counts instead.
    NoValue { tag: &'static str, value: String },
    /// A tag that is in no registry; receivers skip it.
    Unknown(String),
    /// A tag that RFC 9989 removed.
    Removed { tag: &'static str, value: String },
    /// A size limit on a report address, which RFC 9989 removed.
    SizeLimit(String),
    /// An entry of `rua` to which no report is sent, and why.
    NoReportAddress { entry: String, why: &'static str },
    /// `p` is not the second tag, as RFC 7489 wants it.
    PolicyNotFirst,
}

/// A DMARC record.
#[allow(clippy::struct_excessive_bools, reason = "each is a tag of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::mail) struct Record {
    /// `p` as it is written, if it is valid.
    pub(in crate::mail) policy: Option<Policy>,
    /// `sp`, if it is valid.
    pub(in crate::mail) subdomains: Option<Policy>,
    /// `np`, if it is valid.
    pub(in crate::mail) nonexistent: Option<Policy>,
    /// `adkim=s`.
    pub(in crate::mail) strict_dkim: bool,
    /// `aspf=s`.
    pub(in crate::mail) strict_spf: bool,
    /// `psd`.
    pub(in crate::mail) psd: Psd,
    /// `t=y`.
    pub(in crate::mail) testing: bool,
    /// The removed `pct`, where it is a number from 0 to 100.
    pub(in crate::mail) percent: Option<u8>,
    /// Whether there is a `rua` tag.
    pub(in crate::mail) asks_for_reports: bool,
    /// The domains of its valid addresses.
    pub(in crate::mail) report_hosts: Vec<String>,
    /// What is wrong with it.
    pub(in crate::mail) problems: Vec<Problem>,
}

/// What a TXT record at a `_dmarc` name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mail) enum Kind {
    /// It begins with the version tag.
    Dmarc,
    /// It was meant as one, and receivers ignore it, with the reason.
    Broken(&'static str),
    /// Anything else.
    Other,
}

/// The most tags that are read; a record has eleven at most.
const TAGS_READ: usize = 64;

/// Whether a record is a DMARC record: the first tag is `v`, its value exactly `DMARC1`.
pub(in crate::mail) fn kind(text: &str) -> Kind {
    let first = text.split(';').next().unwrap_or_default();
    if let Some((name, value)) = first.split_once('=')
        && name.trim_end_matches(BLANK).eq_ignore_ascii_case("v")
        && value.trim_matches(BLANK) == "DMARC1"
    {
        return Kind::Dmarc;
    }
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = dense.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| bare.starts_with(prefix));
    if !starts(&["v=dmarc", "v:dmarc", "dmarc1", "p=none", "p=quarantine", "p=reject"]) {
        return Kind::Other;
    }
    let version = first.split_once('=').map(|(_, value)| value.trim_matches(BLANK));
    Kind::Broken(if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "it has a blank or a quotation mark in front of v=DMARC1"
    } else if !starts(&["v=dmarc"]) {
        "it does not begin with v=DMARC1"
    } else if version.is_some_and(|version| version.eq_ignore_ascii_case("DMARC1")) {
        "DMARC1 has to be written in capitals"
    } else if version.is_some_and(|version| version.starts_with("DMARC1")) {
        "there is no semicolon after v=DMARC1"
    } else {
        "its version is not DMARC1"
    })
}

const BLANK: [char; 2] = [' ', '\t'];

/// The tags that RFC 9989 removed from RFC 7489.
const REMOVED: [&str; 3] = ["pct", "rf", "ri"];

impl Record {
    /// Reads the tags after the version of a record that [`kind`] calls one.
    pub(in crate::mail) fn read(text: &str) -> Self {
        let mut record = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for part in text.split(';').skip(1).take(TAGS_READ) {
            let part = part.trim_matches(BLANK);
            if part.is_empty() {
                continue;
            }
            let printable = part.chars().all(|c| c.is_ascii_graphic() || BLANK.contains(&c));
            let tag = part.split_once('=').map(|(name, value)| {
                (name.trim_matches(BLANK).to_ascii_lowercase(), value.trim_matches(BLANK))
            });
            match tag {
                Some((name, value)) if printable && is_tag_name(&name) && !value.is_empty() => {
                    if seen.contains(&name) {
                        record.problems.push(Problem::Repeated(name));
                        continue;
                    }
                    if name == "p" && !seen.is_empty() {
                        record.problems.push(Problem::PolicyNotFirst);
                    }
                    record.read_tag(&name, value);
                    seen.push(name);
                }
                _ => record.problems.push(Problem::NoTag(part.to_owned())),
            }
        }
        record
    }

    fn read_tag(&mut self, name: &str, value: &str) {
        match name {
            "p" => self.policy = self.read_policy("p", value),
            "sp" => self.subdomains = self.read_policy("sp", value),
            "np" => self.nonexistent = self.read_policy("np", value),
            "adkim" => self.strict_dkim = self.read_letter("adkim", value, "rs") == Some('s'),
            "aspf" => self.strict_spf = self.read_letter("aspf", value, "rs") == Some('s'),
            "t" => self.testing = self.read_letter("t", value, "ny") == Some('y'),
            "psd" => {
                self.psd = match self.read_letter("psd", value, "uyn") {
                    Some('y') => Psd::Yes,
                    Some('n') => Psd::No,
                    _ => Psd::Undeclared,
                }
            }
            "rua" => self.read_reports(value),
            // Failure reports are sent by few, and no finding rests on their address.
            "ruf" => {}
            "fo" => {
                if !is_failure_options(value) {
                    self.problems.push(Problem::NoValue { tag: "fo", value: value.to_owned() });
                }
            }
            _ => match REMOVED.into_iter().find(|removed| *removed == name) {
                Some(tag) => {
                    if tag == "pct" {
                        self.percent = value.parse().ok().filter(|percent| *percent <= 100);
                    }
                    self.problems.push(Problem::Removed { tag, value: value.to_owned() });
                }
                None => self.problems.push(Problem::Unknown(name.to_owned())),
            },
        }
    }

    fn read_policy(&mut self, tag: &'static str, value: &str) -> Option<Policy> {
        let policy = Policy::read(value);
        if policy.is_none() {
            self.problems.push(Problem::NoPolicy { tag, value: value.to_owned() });
        }
        policy
    }

    fn read_letter(&mut self, tag: &'static str, value: &str, known: &str) -> Option<char> {
        let mut chars = value.chars();
        let letter = chars.next().map(|c| c.to_ascii_lowercase()).filter(|c| known.contains(*c));
        let letter = letter.filter(|_| chars.next().is_none());
        if letter.is_none() {
            self.problems.push(Problem::NoValue { tag, value: value.to_owned() });
        }
        letter
    }

    fn read_reports(&mut self, value: &str) {
        self.asks_for_reports = true;
        for entry in value.split(',').map(|entry| entry.trim_matches(BLANK)) {
            let (address, size) =
                entry.split_once('!').map_or((entry, None), |(a, s)| (a, Some(s)));
            if size.is_some() {
                self.problems.push(Problem::SizeLimit(entry.to_owned()));
            }
            match report_host(address) {
                Ok(host) if self.report_hosts.contains(&host) => {}
                Ok(host) => self.report_hosts.push(host),
                Err(why) => {
                    self.problems.push(Problem::NoReportAddress { entry: entry.to_owned(), why });
                }
            }
        }
    }

    /// The policy for the domain of the record itself: `none` where `p` is missing (RFC 9989
    /// section 4.7).
    pub(in crate::mail) fn own_policy(&self) -> Policy {
        self.policy.unwrap_or(Policy::None)
    }

    /// The policy for names below an organisational domain: `np` for names that do not exist,
    /// else `sp`, else `p`.
    pub(in crate::mail) fn policy_below(&self, exists: bool) -> Policy {
        let below = if exists { self.subdomains } else { self.nonexistent.or(self.subdomains) };
        below.unwrap_or_else(|| self.own_policy())
    }

    /// Whether `p`, `sp` or `np` has a value that is no policy: then the record counts as
    /// `p=none`, and without a report address not at all (RFC 9989 section 4.10.1).
    pub(in crate::mail) fn has_invalid_policy(&self) -> bool {
        self.problems.iter().any(|problem| matches!(problem, Problem::NoPolicy { .. }))
    }

    /// Whether a receiver acts on the record at all.
    pub(in crate::mail) fn counts(&self) -> bool {
        !self.has_invalid_policy() || !self.report_hosts.is_empty()
    }
}

/// Whether a value of `fo` counts: of `0`, `1`, `d` and `s` each at most once, and not both `0` and `1`
/// (sections 4.7 and 4.8).
fn is_failure_options(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let options: Vec<&str> = lower.split(':').map(|option| option.trim_matches(BLANK)).collect();
    let once = |option: &&str| options.iter().filter(|other| *other == option).count() == 1;
    options.iter().all(|option| ["0", "1", "d", "s"].contains(option) && once(option))
        && !(options.contains(&"0") && options.contains(&"1"))
}

/// `1*ALPHA`; digits are let through, because an unknown tag is to be skipped.
fn is_tag_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The domain of a `mailto:` address.
fn report_host(entry: &str) -> Result<String, &'static str> {
    let Some((scheme, address)) = entry.split_once(':') else {
        return Err("it lacks the mailto: in front of the address");
    };
    if !scheme.eq_ignore_ascii_case("mailto") {
        return Err("receivers only send reports to mailto: addresses");
    }
    let address = address.split('?').next().unwrap_or_default();
    let no_address = "it is no mail address";
    let (local, host) = address.rsplit_once('@').ok_or(no_address)?;
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_name = host.len() <= 253 && host.contains('.') && host.split('.').all(label);
    if local.is_empty() || local.contains([' ', '@']) || !is_name {
        return Err(no_address);
    }
    Ok(host)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
