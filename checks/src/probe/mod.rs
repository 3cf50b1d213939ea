//! Ports: the only way in which a check reaches the world.
//!
//! Every port is read-only and bounded in size, time and number; the adapters behind them live in
//! the `launchready` crate, and [`replay`] answers them from a written-down world.

mod accounts;
mod alerting;
mod automation;
mod catalogue;
mod certificate;
mod command;
mod crm;
mod database;
mod desk;
mod dns;
mod edge;
mod fault;
mod figures;
mod files;
mod heartbeats;
mod hosting;
mod hosts;
mod http;
mod payments;
mod personal;
mod registration;
pub mod replay;
mod smtp;
mod speed;
mod supabase;
mod tls;
mod trail;

use std::fmt;
use std::sync::Arc;

pub use accounts::{Accounts, Missing, Slot};
pub use alerting::{AlertDrill, Alerting, AlertingAnswer, ChannelDrill, ChannelFacts};
pub use automation::{
    Automation, Credentials, ExpiredCredential, Flow, Run, RunStatus, RunsWalked,
};
pub use catalogue::{
    Catalogue, CatalogueColumn, CatalogueFunction, CatalogueGrant, CataloguePolicy, CatalogueTable,
    CatalogueView, ForeignKey,
};
pub use certificate::{CertificateFacts, KeyKind, SignatureHash, certificate_facts};
pub use command::{Command, CommandAnswer, CommandCall, CommandEnd};
pub use crm::{CONTACT_IDS, Contacts, Crm, Depth};
pub use database::{
    Database, DatabaseFacts, KEYS, Repeated, Row, RowQuery, SqlAnswer, Strays, TableRole,
    TableShape, VisitRow,
};
pub use desk::{Acknowledgement, Conversation, Desk, Listed, Origin, TAGS};
pub use dns::{
    AddressLook, Dns, DnsAnswer, DnsData, DnsQuestion, DnsRecord, Rcode, RecordType, Transfer, Via,
    addresses, txt_strings,
};
pub use edge::{Edge, EdgeRecord, EdgeRecords, EdgeZone};
pub use fault::{AgentFault, ProbeError, Seen, TargetFault};
pub use figures::{Figure, Figures};
pub use files::{FileLook, Files, Folder, SourceFile};
pub use heartbeats::{Away, HeartbeatAnswer, Heartbeats, Promised};
pub use hosting::{Deployment, Deployments, Hosting, Stage, Variable};
pub use hosts::{HostLook, look_up_hosts};
pub use http::{Http, HttpAnswer, HttpRequest, Method, Timings};
pub use payments::{
    Charge, CheckoutSession, Destination, Destinations, EventFilter, EventScope, KeyPower,
    METADATA_KEYS, Money, Payment, PaymentAccount, PaymentEvent, PaymentKey, Payments, Period,
    Reversal, Subscription, Visit, Walked,
};
pub use personal::{Email, RunKey};
pub use registration::{Registration, RegistrationAnswer, RegistrationEvent};
pub use smtp::{Smtp, SmtpAnswer, SmtpQuestion};
pub use speed::{FieldSpeed, LabSpeed, PageSpeed, Speed, lighthouse_report};
pub use supabase::{
    AuthSettings, Backups, BucketLook, EdgeFunction, FunctionCalls, FunctionLogs, FunctionPrints,
    LOG_HOURS, PublicLook, PublicNames, ServiceHealth, Supabase, SupabaseProject, SupabasePublic,
    TokenPower,
};
pub use tls::{
    HelloAnswer, HelloQuestion, ProtocolVersion, SuiteSet, Tls, TlsAnswer, TlsQuestion, Trust,
};
pub use trail::{OWNED, Reversals, Trail};

/// A boxed future, the return type of every port.
pub type Answer<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// The ports that a check is handed.
#[derive(Clone)]
pub struct Probes {
    /// Name servers and resolvers.
    pub dns: Arc<dyn Dns>,
    /// Web servers.
    pub http: Arc<dyn Http>,
    /// TLS handshakes.
    pub tls: Arc<dyn Tls>,
    /// Mail servers.
    pub smtp: Arc<dyn Smtp>,
    /// Registries of domain names.
    pub registration: Arc<dyn Registration>,
    /// Folders on this machine.
    pub files: Arc<dyn Files>,
    /// Programs on this machine.
    pub command: Arc<dyn Command>,
    /// The accounts of the project and its database, where they are configured.
    pub accounts: Accounts,
    /// Calls of jobs to the agent.
    pub heartbeats: Arc<dyn Heartbeats>,
    /// What is known of the way of alerts.
    pub alerting: Arc<dyn Alerting>,
    /// What other checks of the project measured last.
    pub figures: Arc<dyn Figures>,
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes").finish_non_exhaustive()
    }
}
