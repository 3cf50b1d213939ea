//! The web sites of a crowd: each is made, with its certificate, when it is first asked for.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use rustls::server::NoServerSessionStorage;

use super::{Template, project_of};
use crate::CertificateAuthority;
use crate::error::LabError;
use crate::kept::locked;
use crate::web::Site;

/// Makes and keeps the sites.
#[derive(Debug)]
pub(crate) struct CrowdSites {
    projects: usize,
    authority: CertificateAuthority,
    answers: Arc<AtomicU64>,
    sites: Mutex<HashMap<String, Arc<Site>>>,
}

impl CrowdSites {
    pub(super) fn new(projects: usize, authority: CertificateAuthority) -> Self {
        Self { projects, authority, answers: Arc::default(), sites: Mutex::default() }
    }

    /// The site of a host; `None` when no project has it.
    pub(crate) fn site(&self, host: &str) -> Option<Arc<Site>> {
        if let Some(site) = locked(&self.sites).get(host) {
            return Some(Arc::clone(site));
        }
        let (_, name) = project_of(host, self.projects)?;
        let www = match host.strip_suffix(&name)? {
            "" => false,
            "www." => true,
            _ => return None,
        };
        match self.make(host, &name, www) {
            Ok(site) => {
                let site = Arc::new(site);
                locked(&self.sites).insert(host.to_owned(), Arc::clone(&site));
                Some(site)
            }
            Err(error) => {
                tracing::warn!(%error, host, "no site for a project");
                None
            }
        }
    }

    fn make(&self, host: &str, name: &str, www: bool) -> Result<Site, LabError> {
        let template = Template::read(name)?;
        let plan = if www { template.www } else { template.site };
        let (pki, now) = (self.authority.pki(), self.authority.now());
        let mut site = Site::new(host, &plan, pki, now, Arc::clone(&self.answers))?;
        if let Some(tls) = &mut site.tls {
            // A memory of sessions for each of thousands of hosts would cost more than it saves.
            let config = Arc::make_mut(&mut tls.config);
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(site)
    }
}
