//! Reads the list of what was handed over, the orders, and the CRM.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Sync;
use super::access::Access;
use super::compare::{Compared, compare};
use super::declined::{Declined, Known, LastLook, declined};
use super::table::{Attempts, read};
use crate::contract::{CheckError, LookCx, Target};
use crate::crm::orders::orders;
use crate::probe::{ProbeError, Probes, Seen};

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The CRM, in the word of the config.
    pub(super) crm: Option<String>,
    /// The list of what was handed over; nothing where the config names none.
    pub(super) attempts: Seen<Option<Attempts>>,
    /// The orders against it; nothing where there are no orders, or nothing to look for them in.
    pub(super) compared: Seen<Option<Compared>>,
    /// Failed payments that no order knows of; nothing where there is no payment provider, no CRM, or no
    /// list of orders.
    pub(super) declined: Seen<Option<Declined>>,
    /// The CRM itself; nothing where none is configured.
    pub(super) access: Option<Access>,
}

/// What is remembered between looks.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Carry {
    /// When the CRM last took the token.
    worked_at: Option<Timestamp>,
    /// Orders that the CRM has been seen to know.
    known: BTreeSet<String>,
    /// The failed payments of the last minutes.
    declined: Option<LastLook>,
}

/// Looks.
pub(super) async fn look(
    look: &LookCx<'_, Sync>,
    target: &Target,
    probes: &Probes,
) -> Result<(Evidence, Carry), CheckError> {
    let (now, options, accounts) = (look.now, look.options, &probes.accounts);
    let mut carry = look.carry.clone().unwrap_or_default();
    let crm = accounts.crm.get();
    let list = read(accounts, now, options).await;
    if let (Ok(None), Err(missing)) = (&list, &crm)
        && accounts.database.optional().is_none()
    {
        return Err(missing.clone().into());
    }
    let access = match &crm {
        Ok(crm) => Some(Access::look(*crm, carry.worked_at).await),
        Err(_) => None,
    };
    // What the CRM shows counts only where it takes the token.
    let usable = access.as_ref().is_some_and(|access| access.any.ok().is_some());
    if usable {
        carry.worked_at = Some(now);
    }
    let mut told = Ok(None);
    let compared = match &list {
        Err(error) => Err(error.clone()),
        Ok(list) => {
            let handed = list.as_ref().and_then(|list| list.orders.as_ref());
            let found = orders(accounts, now, options.window, options.settle).await;
            match found {
                Err(error) => Err(error),
                Ok(None) => Ok(None),
                Ok(Some(found)) => {
                    let asked = crm.as_ref().ok().copied().filter(|_| usable);
                    if let (Some(crm), Some(payments)) = (asked, accounts.payments.optional()) {
                        let among = Known::of(&found.all);
                        let last = &mut carry.declined;
                        let seen = declined(payments, crm, (&among, now, options), last).await;
                        told = seen.map(Some);
                    }
                    compare(found, handed, asked, &mut carry.known).await.map(Some)
                }
            }
        }
    };
    let evidence = Evidence {
        crm: target.accounts.crm.clone(),
        attempts: Seen::from(list.map(|list| list.map(|list| list.attempts))),
        compared: Seen::from(compared),
        declined: Seen::from(told),
        access,
    };
    nothing(&evidence)?;
    Ok((evidence, carry))
}

/// Fails where no part was seen, so that the run says why and passes nothing.
fn nothing(evidence: &Evidence) -> Result<(), CheckError> {
    let error =
        |fault: Option<ProbeError>| fault.map_or(Ok(()), |fault| Err(CheckError::unseen(fault)));
    let lost = evidence.access.as_ref().is_some_and(|access| access.lost().is_some());
    let seen = matches!(&evidence.attempts, Seen::Ok(Some(_)))
        || matches!(&evidence.compared, Seen::Ok(Some(_)))
        || evidence.access.as_ref().is_some_and(|access| access.any.ok().is_some());
    if seen || lost {
        return Ok(());
    }
    error(why(&evidence.attempts))?;
    error(why(&evidence.compared))?;
    error(evidence.access.as_ref().and_then(|access| why(&access.any)))?;
    Err(CheckError::skipped(
        "there is neither a CRM nor a table of what was handed to one",
        "add [project.crm], or name your table under [project.database.crm_sync]",
    ))
}

fn why<T>(seen: &Seen<T>) -> Option<ProbeError> {
    match seen {
        Seen::Ok(_) => None,
        Seen::Target(fault) => Some(fault.clone().into()),
        Seen::Agent(fault) => Some(fault.clone().into()),
    }
}
