//! Builds the port to the help desk and the one to the CRM from the settings.

use std::sync::Arc;

use launchready_checks::probe::{Crm, Desk, Missing, ProbeError, Slot};

use super::Reach;
use super::attio::Attio;
use super::freshdesk::Freshdesk;
use super::front::Front;
use super::helpscout::HelpScout;
use super::hubspot::HubSpot;
use super::intercom::Intercom;
use super::pipedrive::Pipedrive;
use super::zendesk::Zendesk;
use crate::config::{AccountSettings, CrmKind, SupportKind};

/// The help desk; `None` where the config names none.
pub(super) fn desk(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Desk>> {
    let table = settings.tables.support.as_ref()?;
    let token = match settings.read(&table.token) {
        Ok(token) => token,
        Err(missing) => return Some(missing.into()),
    };
    let desk: Result<Arc<dyn Desk>, ProbeError> = match table.kind {
        SupportKind::Zendesk => Zendesk::new(table, token, reach).map(arc),
        SupportKind::Intercom => Intercom::new(table, token, reach).map(arc),
        SupportKind::Freshdesk => Freshdesk::new(table, token, reach).map(arc),
        SupportKind::HelpScout => HelpScout::new(table, token, reach).map(arc),
        SupportKind::Front => Front::new(table, token, reach).map(arc),
    };
    Some(desk.map_or_else(|error| unusable(&error, "support"), Slot::ready))
}

/// The CRM; `None` where the config names none.
pub(super) fn crm(settings: &AccountSettings, reach: &Reach) -> Option<Slot<dyn Crm>> {
    let table = settings.tables.crm.as_ref()?;
    let token = match settings.read(&table.token) {
        Ok(token) => token,
        Err(missing) => return Some(missing.into()),
    };
    let crm: Result<Arc<dyn Crm>, ProbeError> = match table.kind {
        CrmKind::HubSpot => HubSpot::new(table, token, reach).map(related),
        CrmKind::Pipedrive => Pipedrive::new(table, token, reach).map(related),
        CrmKind::Attio => Attio::new(table, token, reach).map(related),
    };
    Some(crm.map_or_else(|error| unusable(&error, "crm"), Slot::ready))
}

fn arc<T: Desk + 'static>(desk: T) -> Arc<dyn Desk> {
    Arc::new(desk)
}

fn related<T: Crm + 'static>(crm: T) -> Arc<dyn Crm> {
    Arc::new(crm)
}

/// The config was checked, so an address that is none cannot come here but by its subdomain.
fn unusable<T: ?Sized>(error: &ProbeError, table: &str) -> Slot<T> {
    Missing {
        reason: error.to_string(),
        unlock: format!("correct subdomain or api in [project.{table}]"),
    }
    .into()
}
