//! Answers every port from a written-down world, so that a look can be replayed without a network.
//!
//! A [`World`] is data: zone lines, HTTP answers, TLS and SMTP servers, a registration, files. What
//! is not written down does not exist: a name without records is NXDOMAIN, an address without a
//! server refuses, a URL on a known host is 404.

mod alerting;
mod command;
mod crm;
mod database;
mod desk;
mod dns;
mod figures;
mod files;
mod heartbeats;
mod http;
mod outlying;
mod payments;
mod ports;
mod speed;
mod supabase;
mod tls;
mod trail;
mod zone;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::command::CommandEntry;
pub use self::crm::{ContactWorld, CrmWorld};
pub use self::database::{DatabaseWorld, TableWorld};
pub use self::desk::DeskWorld;
pub use self::figures::FigureEntry;
pub use self::outlying::{AutomationWorld, EdgeWorld, HostingWorld, SeriesWorld};
pub use self::payments::PaymentsWorld;
pub use self::speed::{SpeedEntry, SpeedWorld};
pub use self::supabase::{CallsWorld, PrintsWorld, PublicWorld, SupabaseWorld};
use super::{
    AgentFault, AlertingAnswer, HeartbeatAnswer, HelloAnswer, ProbeError, Probes, ProtocolVersion,
    RegistrationAnswer, Seen, SmtpAnswer, SuiteSet, TargetFault, TlsAnswer,
};

/// A small written-down internet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// Zone lines `name ttl TYPE data`, names in full, one record a line; `;` starts a comment.
    /// A name may begin with `*.`. What resolvers and every name server answer.
    pub dns: String,
    /// Names of zones that are signed and intact: resolvers set AD below them.
    pub signed: Vec<String>,
    /// Faults and special answers, the first that matches wins.
    pub dns_fault: Vec<DnsFault>,
    /// Name servers that answer differently from `dns`.
    pub dns_server: Vec<DnsServer>,
    /// How many resolvers are configured; 2 unless said otherwise.
    pub resolvers: Option<usize>,
    /// HTTP answers; of several that match, the most specific wins, then the first.
    pub http: Vec<HttpEntry>,
    /// TLS servers.
    pub tls: Vec<TlsEntry>,
    /// Mail servers.
    pub smtp: Vec<SmtpEntry>,
    /// What the registry says; absent means no RDAP service.
    pub registration: Option<Seen<RegistrationAnswer>>,
    /// Files by path.
    pub file: Vec<FileEntry>,
    /// Programs on this machine, by what they do; of several that match, the last wins.
    pub command: Vec<CommandEntry>,
    /// Why the git history cannot be read.
    pub no_history: Option<String>,
    /// The agent has no IPv6 route.
    pub no_ipv6: bool,
    /// The account of the payment provider; absent means that none is configured.
    pub payments: Option<PaymentsWorld>,
    /// The project's database; absent means that none is configured.
    pub database: Option<DatabaseWorld>,
    /// The service that measures pages; absent means that none is configured.
    pub speed: Option<SpeedWorld>,
    /// The help desk; absent means that none is configured.
    pub desk: Option<DeskWorld>,
    /// The CRM; absent means that none is configured.
    pub crm: Option<CrmWorld>,
    /// The Supabase project; absent means that none is configured.
    pub supabase: Option<SupabaseWorld>,
    /// What was heard of promised calls; absent means that nobody listens.
    pub heartbeats: Option<Seen<HeartbeatAnswer>>,
    /// What is known of the way of alerts; absent means that no agent has ever watched.
    pub alerting: Option<Seen<AlertingAnswer>>,
    /// The automation service; absent means that none is configured.
    pub automation: Option<AutomationWorld>,
    /// The account at the edge network; absent means that none is configured.
    pub edge: Option<EdgeWorld>,
    /// The account where the site runs; absent means that none is configured.
    pub hosting: Option<HostingWorld>,
    /// What other checks measured.
    pub figure: Vec<FigureEntry>,
    /// Why what other checks measured cannot be read.
    pub figures_fault: Option<String>,
}

/// A fault of resolvers, or of one name server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DnsFault {
    /// The name; absent means every name.
    #[serde(default)]
    pub name: Option<String>,
    /// The type, such as `TXT`; absent means every type.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only this name server; absent means the resolvers.
    #[serde(default)]
    pub server: Option<IpAddr>,
    /// Only this resolver, when asked by `Via::Resolver`.
    #[serde(default)]
    pub resolver: Option<usize>,
    /// `timeout`, `refused` (connection), `servfail`, `nxdomain`, `nodata`, `refuse` (answer
    /// code), `bogus` (SERVFAIL unless CD), `no_network`, `no_resolver`.
    pub fault: String,
}

/// A name server that answers differently.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsServer {
    /// Its address.
    pub address: Option<IpAddr>,
    /// Zone lines that replace, for this server, all records of the same name and type. A line
    /// `name 0 TYPE -` removes them.
    pub dns: String,
    /// It answers without authority.
    pub lame: bool,
    /// It hands out this many records to a zone transfer.
    pub transfer: Option<usize>,
}

/// One HTTP answer.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpEntry {
    /// Absolute URL, exactly; or ending in `*` for a prefix.
    pub url: String,
    /// Only this method; absent means GET and HEAD.
    pub method: Option<String>,
    /// Only when asked at this address.
    pub address: Option<IpAddr>,
    /// Only when the request has these headers with these values.
    pub when: BTreeMap<String, String>,
    /// The status; 200 unless said otherwise.
    pub status: Option<u16>,
    /// Lines `name: value`.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
    /// The body is this many bytes long, filled up with blanks.
    pub body_bytes: Option<usize>,
    /// Milliseconds to the first byte; a list is used answer by answer and then repeats.
    pub first_byte_ms: Vec<f64>,
    /// Fails instead: `refused`, `timeout`, `tls`, `malformed`, `too_large`, `unresolvable`,
    /// `private`, `no_network`, `rate_limited`.
    pub fault: Option<String>,
    /// Answers only the n-th matching request and later ones (counting from 1).
    pub from_request: Option<usize>,
    /// Whether a browser would trust the connection; trusted unless said otherwise.
    pub trust: Option<super::Trust>,
}

/// One TLS server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsEntry {
    /// The name in SNI.
    pub host: String,
    /// Only at this address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// The port; 443 unless said otherwise.
    #[serde(default = "https_port")]
    pub port: u16,
    /// Only when these signatures are offered.
    #[serde(default)]
    pub ecdsa: Option<bool>,
    /// The handshake; `address` and `handshake_ms` may be left out.
    pub answer: Option<PartialTls>,
    /// Fails instead, as in [`HttpEntry::fault`].
    #[serde(default)]
    pub fault: Option<String>,
    /// What a hand-made `ClientHello` is answered; versions that are not named are rejected.
    #[serde(default)]
    pub hello: Vec<HelloEntry>,
}

const fn https_port() -> u16 {
    443
}

/// A handshake whose address and time are filled in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of TlsAnswer")]
pub struct PartialTls {
    pub version: ProtocolVersion,
    #[serde(default)]
    pub suite: Option<String>,
    pub chain: Vec<super::CertificateFacts>,
    pub trust: super::Trust,
    #[serde(default)]
    pub revoked: Option<bool>,
}

/// The answer to one hand-made ClientHello.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HelloEntry {
    /// The version offered.
    pub version: ProtocolVersion,
    /// Only for this set of suites; absent means every set.
    #[serde(default)]
    pub suites: Option<SuiteSet>,
    /// The answer.
    pub answer: Seen<HelloAnswer>,
}

/// One mail server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpEntry {
    /// Its address.
    pub address: IpAddr,
    /// What it says.
    pub answer: Seen<PartialSmtp>,
}

/// What a mail server says, with the handshake in short.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of SmtpAnswer")]
pub struct PartialSmtp {
    pub banner: String,
    pub extensions: Vec<String>,
    #[serde(default)]
    pub starttls: Option<Seen<PartialTls>>,
}

/// One file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path relative to the folder.
    pub path: String,
    /// The commit that holds this version; absent for the file as it stands.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether git knows the file; absent for a folder without git.
    #[serde(default)]
    pub tracked: Option<bool>,
    /// Its text.
    pub text: String,
}

/// A world that answers, and counts what it was asked.
#[derive(Debug)]
pub struct Replay {
    world: World,
    zone: zone::Zone,
    servers: BTreeMap<IpAddr, zone::Zone>,
    asked: Mutex<BTreeMap<String, usize>>,
    now: Timestamp,
}

impl Replay {
    /// A replay of `world` at the time `now`.
    ///
    /// # Errors
    /// The first zone line that cannot be read.
    pub fn new(world: World, now: Timestamp) -> Result<Self, String> {
        let zone = zone::Zone::parse(&world.dns)?;
        let mut servers = BTreeMap::new();
        for server in &world.dns_server {
            let address = server.address.ok_or("dns_server without an address")?;
            servers.insert(address, zone.overridden_by(&zone::Zone::parse(&server.dns)?));
        }
        Ok(Self { world, zone, servers, asked: Mutex::new(BTreeMap::new()), now })
    }

    /// The ports of this replay.
    pub fn probes(self) -> Probes {
        Self::shared(Arc::new(self))
    }

    /// The ports of a replay that the caller keeps, to ask it what was asked.
    pub fn shared(replay: Arc<Self>) -> Probes {
        Probes {
            accounts: Self::accounts(&replay),
            dns: Arc::<Self>::clone(&replay),
            http: Arc::<Self>::clone(&replay),
            tls: Arc::<Self>::clone(&replay),
            smtp: Arc::<Self>::clone(&replay),
            registration: Arc::<Self>::clone(&replay),
            files: Arc::<Self>::clone(&replay),
            command: Arc::<Self>::clone(&replay),
            heartbeats: Arc::<Self>::clone(&replay),
            alerting: Arc::<Self>::clone(&replay),
            figures: replay,
        }
    }

    /// How often each question was asked, keyed `GET https://…`, `TXT name`, `TLS host`, ….
    pub fn asked(&self) -> BTreeMap<String, usize> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }

    /// Counts a question and says how often it was asked, this time included.
    fn count(&self, key: String) -> usize {
        self.asked.lock().map_or(1, |mut asked| {
            let times = asked.entry(key).or_default();
            *times += 1;
            *times
        })
    }
}

/// The fault that a word of a fixture stands for.
fn fault(word: &str, what: &str) -> ProbeError {
    let what = what.to_owned();
    match word {
        "refused" => TargetFault::Refused(what).into(),
        "timeout" => TargetFault::TimedOut(what).into(),
        "tls" => TargetFault::Tls(what).into(),
        "malformed" => TargetFault::Malformed(what).into(),
        "too_large" => TargetFault::TooLarge(what).into(),
        "unresolvable" => TargetFault::Unresolvable(what).into(),
        "private" => TargetFault::PrivateAddress(what).into(),
        "no_network" => AgentFault::NoNetwork(what).into(),
        "no_resolver" => AgentFault::NoResolver(what).into(),
        "port_blocked" => AgentFault::PortBlocked(25).into(),
        "rate_limited" => AgentFault::RateLimited(what).into(),
        "time_limit" => AgentFault::TimeLimit(what).into(),
        "bad_credential" => AgentFault::BadCredential(what).into(),
        "forbidden" => AgentFault::Forbidden(what).into(),
        "clock_off" => AgentFault::ClockOff(what).into(),
        "misconfigured" => AgentFault::Misconfigured(what).into(),
        other => AgentFault::Bug(format!("the fixture names an unknown fault {other:?}")).into(),
    }
}

fn tls_answer(partial: PartialTls, address: IpAddr) -> TlsAnswer {
    TlsAnswer {
        address,
        version: partial.version,
        suite: partial.suite.unwrap_or_else(|| "TLS_AES_128_GCM_SHA256".to_owned()),
        chain: partial.chain,
        trust: partial.trust,
        revoked: partial.revoked,
        handshake_ms: 20.0,
    }
}

impl super::Registration for Replay {
    fn domain(&self, name: String) -> super::Answer<'_, Result<RegistrationAnswer, ProbeError>> {
        self.count(format!("RDAP {name}"));
        let suffix = name.rsplit('.').next().unwrap_or_default().to_owned();
        let answer = match self.world.registration.clone() {
            None => Ok(RegistrationAnswer::NoService { suffix }),
            Some(Seen::Ok(answer)) => Ok(answer),
            Some(Seen::Target(fault)) => Err(fault.into()),
            Some(Seen::Agent(fault)) => Err(fault.into()),
        };
        Box::pin(async move { answer })
    }
}

impl super::Smtp for Replay {
    fn greet(
        &self,
        question: super::SmtpQuestion,
    ) -> super::Answer<'_, Result<SmtpAnswer, ProbeError>> {
        self.count(format!("SMTP {}", question.host));
        let found = self.world.smtp.iter().find(|entry| entry.address == question.address);
        let answer = match found.map(|entry| entry.answer.clone()) {
            None => Err(fault("refused", &question.address.to_string())),
            Some(Seen::Target(fault)) => Err(fault.into()),
            Some(Seen::Agent(fault)) => Err(fault.into()),
            Some(Seen::Ok(partial)) => Ok(SmtpAnswer {
                banner: partial.banner,
                extensions: partial.extensions,
                starttls: partial
                    .starttls
                    .map(|seen| seen.map(|partial| tls_answer(partial, question.address))),
            }),
        };
        Box::pin(async move { answer })
    }
}
