//! The names of a crowd: each project's zone is made when it is first asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{SUFFIX, Template, domain, project_of};
use crate::dns::{Kin, Responders};
use crate::error::LabError;
use crate::gate::Gate;
use crate::kept::locked;
use crate::listener::Servers;

/// Makes and keeps the zones.
#[derive(Debug)]
pub(super) struct Registrar {
    projects: usize,
    /// By the number of the project; 0 holds what lies above them all.
    kin: Mutex<BTreeMap<usize, Arc<Kin>>>,
}

impl Registrar {
    pub(super) fn new(projects: usize) -> Self {
        Self { projects, kin: Mutex::default() }
    }

    fn make(number: usize, name: &str) -> Result<Kin, LabError> {
        let template = Template::read(name)?;
        let mut above = template.above;
        let mut own = Vec::new();
        if number > 0 {
            let label = name.strip_suffix(SUFFIX).unwrap_or(name).trim_end_matches('.');
            let delegation = ["ns1", "ns2"].map(|ns| format!("{label} 86400 NS {ns}.{SUFFIX}."));
            above.entry(SUFFIX.to_owned()).or_default().extend(delegation);
            own.push((name.to_owned(), template.zone.records));
        }
        Kin::new(&own, &above.into_iter().collect::<Vec<_>>())
    }
}

impl Responders for Registrar {
    fn kin(&self, name: &str) -> Option<Arc<Kin>> {
        let found = project_of(&name.to_ascii_lowercase(), self.projects);
        let (number, name) = found.unwrap_or_else(|| (0, domain(0)));
        if let Some(kin) = locked(&self.kin).get(&number) {
            return Some(Arc::clone(kin));
        }
        match Self::make(number, &name) {
            Ok(kin) => {
                let kin = Arc::new(kin);
                locked(&self.kin).insert(number, Arc::clone(&kin));
                Some(kin)
            }
            Err(error) => {
                tracing::warn!(%error, name, "no zone for a project");
                None
            }
        }
    }
}

/// A closed port of the resolver.
pub(super) async fn resolver(
    registrar: &Arc<Registrar>,
    servers: &mut Servers,
) -> Result<Gate, LabError> {
    crate::dns::resolver_of(Arc::clone(registrar), servers).await
}

/// A closed port of the name server of the projects, or of what lies above them.
pub(super) async fn authority(
    registrar: &Arc<Registrar>,
    above: bool,
    servers: &mut Servers,
) -> Result<Gate, LabError> {
    crate::dns::authority_of(Arc::clone(registrar), above, servers).await
}
