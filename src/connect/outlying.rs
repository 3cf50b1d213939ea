//! The ports to what stands around the product: automations, the edge network, the host.

use std::sync::Arc;

use launchready_checks::probe::{Automation, Edge, Hosting, ProbeError, Slot};

use super::reach::Reach;
use super::{Cloudflare, Make, N8n, Netlify, Vercel, Zapier};
use crate::config::{
    AccountSettings, AutomationKind, AutomationTable, EdgeKind, HostingKind, Secret,
};

/// The automation service, where one is configured.
pub(super) fn automation(
    settings: &AccountSettings,
    reach: &Reach,
) -> Option<Slot<dyn Automation>> {
    let table = settings.tables.automation.as_ref()?;
    Some(match settings.read(&table.token) {
        Ok(token) => match service(table, token, reach) {
            Ok(port) => Slot::ready(port),
            Err(error) => {
                Slot::missing(error.to_string(), "correct project.automation in the config")
            }
        },
        Err(missing) => missing.into(),
    })
}

fn service(
    table: &AutomationTable,
    token: Secret,
    reach: &Reach,
) -> Result<Arc<dyn Automation>, ProbeError> {
    let address = table.api.as_deref();
    Ok(match table.kind {
        AutomationKind::N8n => Arc::new(N8n::new(token, address.unwrap_or_default(), reach)?),
        AutomationKind::Make => {
            let team = table.team.clone().unwrap_or_default();
            Arc::new(Make::new(token, address.unwrap_or_default(), team, reach)?)
        }
        AutomationKind::Zapier => Arc::new(Zapier::new(token, address, reach)?),
    })
}

/// The edge network, where one is configured.
pub(super) fn edge(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Edge>> {
    let table = settings.tables.edge.as_ref()?;
    let made = |token| match table.kind {
        EdgeKind::Cloudflare => Cloudflare::new(token, table.api.as_deref(), reach),
    };
    Some(match settings.read(&table.token) {
        Ok(token) => match made(token) {
            Ok(port) => Slot::ready(Arc::new(port) as Arc<dyn Edge>),
            Err(error) => Slot::missing(error.to_string(), "correct project.edge in the config"),
        },
        Err(missing) => missing.into(),
    })
}

/// Where the site runs, where that is configured.
pub(super) fn hosting(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Hosting>> {
    let table = settings.tables.hosting.as_ref()?;
    let (api, site) = (table.api.as_deref(), table.site.clone());
    let made = |token| -> Result<Arc<dyn Hosting>, ProbeError> {
        Ok(match table.kind {
            HostingKind::Vercel => {
                Arc::new(Vercel::new(token, api, site, table.team.clone(), reach)?)
            }
            HostingKind::Netlify => Arc::new(Netlify::new(token, api, site, reach)?),
        })
    };
    Some(match settings.read(&table.token) {
        Ok(token) => match made(token) {
            Ok(port) => Slot::ready(port),
            Err(error) => Slot::missing(error.to_string(), "correct project.hosting in the config"),
        },
        Err(missing) => missing.into(),
    })
}
