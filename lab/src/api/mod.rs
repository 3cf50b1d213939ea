//! Fakes of outside systems that a founder has accounts at: exact in paging, limits and errors, and with
//! a state that is part of the world.
//!
//! Every fake has a port of its own. In the project's table of a scenario `lab:NAME` stands for its
//! address.

mod attio;
mod cloudflare;
mod customers;
mod flows;
mod freshdesk;
mod front;
mod helpscout;
mod hosting;
mod hubspot;
mod intercom;
mod made;
mod make;
mod n8n;
mod pagespeed;
mod people;
mod pipedrive;
mod rate;
mod requests;
mod server;
mod stripe;
mod supabase;
mod zapier;
mod zendesk;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::LabError;
use crate::listener::Servers;
use crate::live::Live;
use crate::plan::Plan;

pub use people::PEOPLE;
pub use requests::{Form, forms};
pub use server::Asked;

/// What a fake is asked.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The pairs of the query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Headers by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
    /// The time of the account.
    pub(crate) now: Timestamp,
    /// The time that its machine shows.
    pub(crate) shown: Timestamp,
}

impl Ask<'_> {
    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The token of `Authorization: Bearer`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

/// What a fake answers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        Self { status, headers: vec![kind], body: body.to_string() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// One outside system.
pub(crate) trait Api: fmt::Debug + Send + Sync {
    fn answer(&self, ask: &Ask<'_>) -> Reply;
}

/// How a fake is made from its table of the world.
type Make = fn(&toml::Table, Timestamp) -> Result<Arc<dyn Api>, serde_json::Error>;

/// Every fake.
const FAKES: &[(&str, Make)] = &[
    ("attio", attio::make),
    ("cloudflare", cloudflare::make),
    ("freshdesk", freshdesk::make),
    ("front", front::make),
    ("helpscout", helpscout::make),
    ("hubspot", hubspot::make),
    ("intercom", intercom::make),
    ("make", make::make),
    ("n8n", n8n::make),
    ("netlify", hosting::netlify),
    ("vercel", hosting::vercel),
    ("pagespeed", pagespeed::make),
    ("pipedrive", pipedrive::make),
    ("stripe", stripe::make),
    ("supabase", supabase::make),
    ("zapier", zapier::make),
    ("zendesk", zendesk::make),
];

/// Every fake with its faults, by name.
pub(crate) type Apis = BTreeMap<String, Arc<server::Served>>;

/// Makes the fakes of a plan.
pub(crate) fn build(plan: &Plan, now: Timestamp) -> Result<Apis, LabError> {
    let mut apis = Apis::new();
    for (name, plan) in &plan.api {
        let (_, make) = FAKES
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| LabError::Plan(format!("there is no fake of {name}")))?;
        let table = crate::template::fill_table(&plan.table, now);
        let api = make(&table, now).map_err(|source| LabError::Data {
            part: format!("api.{name}"),
            source: Box::new(source),
        })?;
        apis.insert(name.clone(), Arc::new(server::Served::new(api, plan.fault.clone())));
    }
    Ok(apis)
}

/// Starts a port for each fake that there is, whether or not the present world has it.
pub(crate) async fn start(
    live: &Arc<Live>,
    servers: &mut Servers,
) -> Result<BTreeMap<String, SocketAddr>, LabError> {
    let mut addresses = BTreeMap::new();
    for (name, _) in FAKES {
        addresses.insert((*name).to_owned(), server::start(name, live, servers).await?);
    }
    Ok(addresses)
}
