//! The port to resolvers and name servers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use futures_util::join;
use serde::{Deserialize, Serialize};

use super::{AgentFault, Answer, ProbeError, TargetFault};

/// The record types that checks ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are those of the standards")]
pub enum RecordType {
    A,
    Aaaa,
    Caa,
    Cname,
    Dnskey,
    Ds,
    Mx,
    Ns,
    Ptr,
    Rrsig,
    Soa,
    Tlsa,
    Txt,
}

impl RecordType {
    /// Every type, with its name in zone files.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::A, "A"),
        (Self::Aaaa, "AAAA"),
        (Self::Caa, "CAA"),
        (Self::Cname, "CNAME"),
        (Self::Dnskey, "DNSKEY"),
        (Self::Ds, "DS"),
        (Self::Mx, "MX"),
        (Self::Ns, "NS"),
        (Self::Ptr, "PTR"),
        (Self::Rrsig, "RRSIG"),
        (Self::Soa, "SOA"),
        (Self::Tlsa, "TLSA"),
        (Self::Txt, "TXT"),
    ];

    /// The name in zone files.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("TYPE", |(_, name)| name)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RecordType {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind).ok_or(())
    }
}

/// Who is asked.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The configured resolvers, through the audit's shared cache.
    #[default]
    Resolvers,
    /// One configured resolver by its index, past the cache, for comparing them.
    Resolver(usize),
    /// A name server by its address, without asking for recursion.
    Server(IpAddr),
}

/// A question to a resolver or a name server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DnsQuestion {
    /// Lower-case name without a trailing dot.
    pub name: String,
    /// The type asked for.
    pub kind: RecordType,
    /// Who is asked.
    pub via: Via,
    /// Asks for signatures with the answer (DO).
    pub dnssec: bool,
    /// Asks a validating resolver not to validate (CD).
    pub checking_disabled: bool,
}

impl DnsQuestion {
    /// A plain question to the configured resolvers.
    pub fn new(name: impl Into<String>, kind: RecordType) -> Self {
        Self {
            name: name.into(),
            kind,
            via: Via::Resolvers,
            dnssec: false,
            checking_disabled: false,
        }
    }

    /// Asks somebody else.
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// Asks for signatures (DO), and with `checking_disabled` (CD) not to validate them.
    #[must_use]
    pub fn signed(mut self, checking_disabled: bool) -> Self {
        self.dnssec = true;
        self.checking_disabled = checking_disabled;
        self
    }
}

/// The response code of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Rcode {
    /// The name exists; without records of the type the answer is empty.
    NoError,
    /// The name does not exist.
    NxDomain,
    /// The server failed, which is also how a validating resolver reports a broken signature.
    ServFail,
    /// The server refuses to answer, for instance for a zone that is not its own.
    Refused,
    /// Any other code.
    Other(u16),
}

/// One resource record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// Lower-case owner name without a trailing dot.
    pub name: String,
    /// Seconds.
    pub ttl: u32,
    /// The data.
    pub data: DnsData,
}

/// The data of a record. Names are lower-case without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the fields are those of the standards")]
pub enum DnsData {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Caa {
        critical: bool,
        tag: String,
        value: String,
    },
    Cname(String),
    /// `key_tag` is computed from the record; `public_key` is base64.
    Dnskey {
        flags: u16,
        algorithm: u8,
        key_tag: u16,
        public_key: String,
    },
    /// `digest` is lower-case hexadecimal.
    Ds {
        key_tag: u16,
        algorithm: u8,
        digest_type: u8,
        digest: String,
    },
    Mx {
        preference: u16,
        exchange: String,
    },
    Ns(String),
    Ptr(String),
    /// Times are Unix seconds.
    Rrsig {
        covered: String,
        algorithm: u8,
        key_tag: u16,
        signer: String,
        inception: i64,
        expiration: i64,
    },
    Soa {
        mname: String,
        rname: String,
        serial: u32,
        refresh: i64,
        retry: i64,
        expire: i64,
        minimum: u32,
    },
    Tlsa {
        usage: u8,
        selector: u8,
        matching: u8,
        data: String,
    },
    /// The character strings one by one; bytes outside ASCII are kept as U+0080 to U+00FF.
    Txt(Vec<String>),
    /// A type that no check asks for.
    Other(u16),
}

/// What a resolver or name server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsAnswer {
    /// The response code.
    pub rcode: Rcode,
    /// The server calls itself an authority for the name (AA).
    pub authoritative: bool,
    /// The resolver has validated the signatures (AD).
    pub authenticated: bool,
    /// The answer section, aliases included.
    pub answers: Vec<DnsRecord>,
    /// The authority section.
    pub authority: Vec<DnsRecord>,
}

impl DnsAnswer {
    /// The data of the records of one type in the answer section, aliases left out.
    pub fn of<'a, T>(&'a self, pick: impl Fn(&'a DnsData) -> Option<T>) -> Vec<T> {
        self.answers.iter().filter_map(|record| pick(&record.data)).collect()
    }

    /// The addresses in the answer section.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.of(|data| match data {
            DnsData::A(address) => Some(IpAddr::V4(*address)),
            DnsData::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        })
    }

    /// The targets of the aliases in the answer section, in order.
    pub fn aliases(&self) -> Vec<&str> {
        self.of(|data| if let DnsData::Cname(target) = data { Some(target.as_str()) } else { None })
    }

    /// The TXT records, each with its strings joined without a blank.
    pub fn texts(&self) -> Vec<String> {
        self.of(|data| if let DnsData::Txt(strings) = data { Some(strings.concat()) } else { None })
    }
}

/// The TXT records of an answer, each as its list of strings.
pub fn txt_strings(answer: &DnsAnswer) -> Vec<&[String]> {
    answer.of(|data| if let DnsData::Txt(strings) = data { Some(strings.as_slice()) } else { None })
}

/// What a name server said to a request for the whole zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// It refused, as it should.
    Refused,
    /// It sent at least this many records; the adapter stops reading early.
    Open {
        /// Records seen before the adapter stopped.
        records: usize,
    },
}

/// Asks resolvers and name servers.
///
/// Time-outs (default 3 s, two tries), TCP after truncation, and the shared cache are the
/// adapter's. An answer code such as NXDOMAIN or SERVFAIL is an answer, never an error.
pub trait Dns: fmt::Debug + Send + Sync {
    /// Asks one question.
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>>;

    /// Asks a name server for the whole zone over TCP.
    fn transfer(&self, zone: String, server: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>>;

    /// The configured resolvers, for `Via::Resolver` and for messages.
    fn resolvers(&self) -> Vec<String>;
}

/// The addresses of a name, and how they were come by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLook {
    /// IPv4 first, each family in the order of the answer.
    pub addresses: Vec<IpAddr>,
    /// The targets of the aliases on the way, in order.
    pub aliases: Vec<String>,
    /// The code of the answer; with `NoError` and no address the name has none.
    pub rcode: Rcode,
}

/// Every A and AAAA answer for a name from the configured resolvers.
///
/// # Errors
/// A fault when neither question was answered, or when one was not and the other holds no address.
pub async fn addresses(dns: &dyn Dns, name: &str) -> Result<AddressLook, ProbeError> {
    let (v4, v6) = join!(
        dns.lookup(DnsQuestion::new(name, RecordType::A)),
        dns.lookup(DnsQuestion::new(name, RecordType::Aaaa)),
    );
    let (first, second) = match (v4, v6) {
        (Ok(a), Ok(b)) => (a, Some(b)),
        // Half an answer is one where it holds an address, or says that there is no such name at all.
        (Ok(one), Err(error)) | (Err(error), Ok(one)) => {
            if one.addresses().is_empty() && one.rcode == Rcode::NoError {
                return Err(error);
            }
            (one, None)
        }
        (Err(error), Err(_)) => return Err(error),
    };
    let mut addresses = first.addresses();
    let mut rcode = first.rcode;
    let mut aliases: Vec<String> = first.aliases().into_iter().map(str::to_owned).collect();
    if let Some(second) = second {
        addresses.extend(second.addresses());
        if aliases.is_empty() {
            aliases = second.aliases().into_iter().map(str::to_owned).collect();
        }
        rcode = joint_code(rcode, second.rcode, addresses.is_empty());
    }
    Ok(AddressLook { addresses, aliases, rcode })
}

/// The code that stands for both answers. With an address nothing has failed. Without one, a failure
/// for one family outweighs an empty answer for the other: a validating resolver keeps back an address
/// whose signature is wrong, and says of the other family that there is none.
fn joint_code(first: Rcode, second: Rcode, is_empty: bool) -> Rcode {
    let is_failure = |code: &Rcode| !matches!(code, Rcode::NoError | Rcode::NxDomain);
    let failure = [first, second].into_iter().find(is_failure).filter(|_| is_empty);
    failure.unwrap_or(if second == Rcode::NoError { second } else { first })
}

impl AddressLook {
    /// The addresses, or the fault that there are none.
    ///
    /// # Errors
    /// [`TargetFault::Unresolvable`] when the name has no address.
    pub fn require(self, name: &str) -> Result<Self, ProbeError> {
        if self.addresses.is_empty() {
            let code = match self.rcode {
                Rcode::NoError => "no address records".to_owned(),
                Rcode::NxDomain => "NXDOMAIN".to_owned(),
                Rcode::ServFail => "SERVFAIL".to_owned(),
                Rcode::Refused => "REFUSED".to_owned(),
                Rcode::Other(code) => format!("answer code {code}"),
            };
            return Err(TargetFault::Unresolvable(format!("{name}: {code}")).into());
        }
        Ok(self)
    }
}

impl From<&AddressLook> for Vec<IpAddr> {
    fn from(look: &AddressLook) -> Self {
        look.addresses.clone()
    }
}

impl AgentFault {
    /// No resolver answered a question about `name`.
    pub fn no_resolver(name: &str) -> Self {
        Self::NoResolver(format!("asked for {name}"))
    }
}
