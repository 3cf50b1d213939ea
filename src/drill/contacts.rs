//! Takes contacts of a drill out of the CRM again.

use launchready_checks::probe::{Depth, Email, ProbeError};
use reqwest::Method;
use std::time::Duration;

use super::{Scene, Undo, UndoState};
use crate::config::CrmKind;
use crate::connect::{Api, Shown, Vendor};

/// What each vendor needs to delete a contact: its address, the path before the id, and how the key is shown.
struct Remover {
    vendor: Vendor,
    address: &'static str,
    path: &'static str,
    permission: &'static str,
}

const fn vendor(name: &'static str, where_to: &'static str) -> Vendor {
    Vendor { name, pace: Duration::from_millis(250), headers: &[], permission: |_| None, where_to }
}

const fn remover(kind: CrmKind) -> Remover {
    match kind {
        CrmKind::HubSpot => Remover {
            vendor: vendor("HubSpot", "https://app.hubspot.com/l/private-apps/"),
            address: "https://api.hubapi.com",
            path: "crm/v3/objects/contacts",
            permission: "crm.objects.contacts.write",
        },
        CrmKind::Pipedrive => Remover {
            vendor: vendor("Pipedrive", "https://app.pipedrive.com/settings/api"),
            address: "https://api.pipedrive.com",
            path: "api/v2/persons",
            permission: "the user may delete people",
        },
        CrmKind::Attio => Remover {
            vendor: vendor("Attio", "https://app.attio.com/settings/developers"),
            address: "https://api.attio.com",
            path: "v2/objects/people/records",
            permission: "record_permission:read-write",
        },
    }
}

/// Why a contact could not be taken back, with the remedy.
pub(super) fn cannot_remove(scene: &Scene<'_>) -> Option<String> {
    let table = scene.accounts.tables.crm.as_ref()?;
    let permission = remover(table.kind).permission;
    let lack = "the contact could not be taken back";
    match &scene.table.crm_token {
        None => Some(format!(
            "{lack}: add crm_token = {{ env = \"NAME\" }} under [project.drill], a key with {permission}"
        )),
        Some(token) => {
            let missing = scene.accounts.read(token).err()?;
            Some(format!("{lack}: {}: {}", missing.reason, missing.unlock))
        }
    }
}

/// Deletes the contacts of the drill's buyer.
pub(super) async fn remove(scene: &Scene<'_>) -> Vec<Undo> {
    let Some(table) = &scene.accounts.tables.crm else { return Vec::new() };
    let crm = match scene.ports.crm.get() {
        Ok(crm) => crm,
        Err(missing) => return vec![left(scene, &missing.reason)],
    };
    let Some(buyer) = Email::new(&scene.buyer()) else { return Vec::new() };
    let found = match crm.contacts(vec![buyer.clone()], Depth::All).await {
        Ok(found) => found.into_iter().next().unwrap_or_default().ids,
        Err(error) => return vec![left(scene, &error.to_string())],
    };
    if found.is_empty() {
        return Vec::new();
    }
    let remover = remover(table.kind);
    let Some(token) = scene.table.crm_token.as_ref() else {
        return vec![left(scene, "there is no crm_token")];
    };
    let token = match scene.accounts.read(token) {
        Ok(token) => token,
        Err(missing) => return vec![left(scene, &missing.reason)],
    };
    let shown = match table.kind {
        CrmKind::Pipedrive => Shown::Header("x-api-token", token),
        CrmKind::HubSpot | CrmKind::Attio => Shown::Bearer(token),
    };
    let base = table.api.as_deref().unwrap_or(remover.address);
    let deleted = async {
        let api = Api::new(remover.vendor, base, shown, scene.reach)?;
        for id in &found {
            let reply =
                api.any(Method::DELETE, &format!("{}/{id}", remover.path), &[], None).await?;
            // One that is gone already is as good.
            if !(200..300).contains(&reply.status) && reply.status != 404 {
                return Err::<_, ProbeError>(api.refused(&reply));
            }
        }
        Ok(found.len())
    };
    match deleted.await {
        Ok(count) => vec![Undo {
            what: format!(
                "{count} contact{} in {}",
                if count == 1 { "" } else { "s" },
                remover.vendor.name
            ),
            state: UndoState::Done,
            how: "deleted".to_owned(),
        }],
        Err(error) => vec![left(scene, &error.to_string())],
    }
}

fn left(scene: &Scene<'_>, why: &str) -> Undo {
    Undo {
        what: "a contact in the CRM".to_owned(),
        state: UndoState::Left,
        how: format!("{why}; search the CRM for {} and delete the contact", scene.buyer()),
    }
}
