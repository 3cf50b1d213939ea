//! Whether the CRM takes the token, and since when it does not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::probe::{AgentFault, Crm, Seen};

/// What the CRM said to the token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Access {
    /// Whether it shows any contact, or why it does not say.
    pub(super) any: Seen<bool>,
    /// When it last took the token, of the looks before this one.
    pub(super) worked_at: Option<Timestamp>,
}

impl Access {
    pub(super) async fn look(crm: &dyn Crm, worked_at: Option<Timestamp>) -> Self {
        Self { any: crm.any().await.into(), worked_at }
    }

    /// The token worked once and is refused at this look.
    pub(super) fn lost(&self) -> Option<(&AgentFault, Timestamp)> {
        let fault = self.any.agent_fault().filter(|fault| {
            matches!(fault, AgentFault::BadCredential(_) | AgentFault::Forbidden(_))
        })?;
        Some((fault, self.worked_at?))
    }
}
