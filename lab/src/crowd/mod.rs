//! Many small healthy projects behind a few listeners, for load tests.

mod config;
mod names;
mod sites;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use self::names::Registrar;
pub(crate) use self::sites::CrowdSites;
use crate::error::LabError;
use crate::gate::Gate;
use crate::listener::{ClosedPort, Servers};
use crate::plan::SitePlan;
use crate::web::{Clock, Place};
use crate::{CertificateAuthority, data};

/// The data of every project.
const TEMPLATE: &str = include_str!("../../scenarios/crowd.toml");
/// The suffix of every project's domain.
const SUFFIX: &str = "crowd.example";

/// How a crowd is started.
#[derive(Debug, Clone)]
pub struct CrowdOptions {
    /// The time around which certificates are made.
    pub now: Timestamp,
    /// The folder into which `ca.pem` is written; it is made when it is missing.
    pub dir: PathBuf,
    /// How often the agent looks.
    pub every: Duration,
    /// Timed requests of each look of `web-uptime`; its own default is 20.
    pub uptime_samples: u32,
    /// The ids of the checks that look; every other one is switched off.
    pub checks: Vec<String>,
    /// How long every answer takes.
    pub delay: Duration,
}

impl CrowdOptions {
    /// A look of ten checks every five minutes with one timed request, answered at once.
    pub fn new(now: Timestamp, dir: impl Into<PathBuf>) -> Self {
        Self {
            now,
            dir: dir.into(),
            every: Duration::from_mins(5),
            uptime_samples: 1,
            checks: config::LOOKS.map(str::to_owned).to_vec(),
            delay: Duration::ZERO,
        }
    }
}

/// A running crowd. Dropping it ends its servers.
#[derive(Debug)]
pub struct Crowd {
    projects: usize,
    options: CrowdOptions,
    ca: PathBuf,
    gates: Vec<Gate>,
    servers: Servers,
    places: Places,
}

/// Where everything listens.
#[derive(Debug)]
struct Places {
    resolver: SocketAddr,
    /// Of the projects.
    names: SocketAddr,
    /// Of what lies above them.
    above: SocketAddr,
    http: SocketAddr,
    https: SocketAddr,
    nowhere: ClosedPort,
}

/// The data of one project, with `{name}` in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    zone: Lines,
    above: BTreeMap<String, Vec<String>>,
    site: SitePlan,
    www: SitePlan,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    records: Vec<String>,
}

impl Template {
    fn read(name: &str) -> Result<Self, LabError> {
        let filled = TEMPLATE.replace("{name}", name);
        data::read("the crowd", &filled)
    }
}

impl Crowd {
    /// Starts a crowd of so many projects. It has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// A check that does not exist, a loopback that cannot be listened on, or a file that cannot be written.
    pub async fn start(projects: usize, options: CrowdOptions) -> Result<Self, LabError> {
        Template::read(&domain(1))?;
        if let Some(id) = options.checks.iter().find(|id| !config::ids().any(|each| each == **id)) {
            return Err(LabError::NoCheck(id.clone()));
        }
        let authority = CertificateAuthority::new(options.now)?;
        let clock = Clock::new(options.now, 1.0);
        let sites = Arc::new(CrowdSites::new(projects, authority.clone()));
        let mut servers = Servers::new(options.delay);
        let registrar = Arc::new(Registrar::new(projects));
        let resolver = names::resolver(&registrar, &mut servers).await?;
        let own = names::authority(&registrar, false, &mut servers).await?;
        let above = names::authority(&registrar, true, &mut servers).await?;
        let gate = |tls: bool| {
            let place = Place::crowd(Arc::clone(&sites), clock);
            Gate::new(options.delay, move |link| {
                let place = place.clone();
                async move { if tls { place.tls(link).await } else { place.plain(link).await } }
            })
        };
        let (http, https) = (gate(false)?, gate(true)?);
        let places = Places {
            resolver: resolver.address(),
            names: own.address(),
            above: above.address(),
            http: http.address(),
            https: https.address(),
            nowhere: ClosedPort::new()?,
        };
        let mut gates = vec![resolver, own, above, http, https];
        gates.iter_mut().try_for_each(Gate::open)?;
        let ca = authority.write_root(&options.dir)?;
        Ok(Self { projects, options, ca, gates, servers, places })
    }

    /// A config for the agent that looks at every project.
    pub fn config_toml(&self) -> String {
        config::render(self.projects, &self.options, &self.ca, &self.places)
    }

    /// The domains of the projects.
    pub fn domains(&self) -> impl Iterator<Item = String> + use<> {
        (1..=self.projects).map(domain)
    }

    /// The resolver.
    pub const fn resolver(&self) -> SocketAddr {
        self.places.resolver
    }

    /// The web server without TLS.
    pub const fn http(&self) -> SocketAddr {
        self.places.http
    }

    /// The web server with TLS.
    pub const fn https(&self) -> SocketAddr {
        self.places.https
    }

    /// The root that the certificates lead to.
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// Ends every server and waits until its sockets are closed.
    pub async fn stop(mut self) {
        for gate in &mut self.gates {
            gate.close().await;
        }
        self.servers.stop().await;
    }
}

/// The domain of a project, counted from 1.
fn domain(number: usize) -> String {
    format!("p{number:04}.{SUFFIX}")
}

/// The project to which a host name belongs.
fn project_of(host: &str, projects: usize) -> Option<(usize, String)> {
    let label = host.trim_end_matches('.').strip_suffix(SUFFIX)?.strip_suffix('.')?;
    let label = label.rsplit_once('.').map_or(label, |(_, last)| last);
    let number: usize = label.strip_prefix('p')?.parse().ok()?;
    let name = domain(number);
    let own = name.strip_suffix(SUFFIX)?.strip_suffix('.')? == label;
    (own && (1..=projects).contains(&number)).then_some((number, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_belongs_to_its_project_and_others_to_none() {
        for host in ["p0007.crowd.example", "www.p0007.crowd.example.", "a.b.p0007.crowd.example"] {
            assert_eq!(project_of(host, 9).map(|(number, _)| number), Some(7), "{host}");
        }
        for host in [
            "crowd.example",
            "p7.crowd.example",
            "p0010.crowd.example",
            "p0000.crowd.example",
            "p+007.crowd.example",
            "ns1.crowd.example",
            "p0007.example",
        ] {
            assert_eq!(project_of(host, 9), None, "{host}");
        }
        assert_eq!(domain(12_345), "p12345.crowd.example");
    }
}
