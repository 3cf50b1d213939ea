//! Hosts that have no address to look at.

use crate::contract::{Assessment, Unseen};
use crate::probe::{Seen, TargetFault};

/// A host of which a part may stay unseen.
pub(super) struct Part<'a> {
    /// The host.
    pub(super) host: &'a str,
    /// It is the apex or was declared; else it is the usual `www`, which may be missing.
    pub(super) declared: bool,
    /// The part, in words that finish "Not checked: …".
    pub(super) words: String,
    /// What it means that we could not look, and that the host gave nothing to look at.
    pub(super) unseen: (Unseen, Unseen),
}

impl Part<'_> {
    /// Notes it as not checked; `ours` when the cause is this machine or its network.
    pub(super) fn note(self, ours: bool, reason: String, unlock: String, out: &mut Assessment) {
        let unseen = if !self.declared {
            Unseen::Noted
        } else if ours {
            self.unseen.0
        } else {
            self.unseen.1
        };
        out.not_checked(unseen, self.words, reason, unlock);
    }

    /// Notes a host without an address and says whether it was one.
    pub(super) fn note_unresolved(&self, addresses: &Seen<usize>, out: &mut Assessment) -> bool {
        let host = self.host;
        let again =
            Part { host, declared: self.declared, words: self.words.clone(), unseen: self.unseen };
        match addresses {
            Seen::Ok(0) | Seen::Target(TargetFault::Unresolvable(_)) if !self.declared => {}
            Seen::Ok(0) => again.note(
                false,
                format!("{host} has no address"),
                format!("add an A or CNAME record for {host}, or take it out of `hosts`"),
                out,
            ),
            Seen::Target(fault) => {
                let unlock = format!("correct the name servers of {host}, then run it again");
                again.note(false, fault.to_string(), unlock, out);
            }
            Seen::Agent(fault) => {
                again.note(true, fault.to_string(), fault.unlock().to_owned(), out);
            }
            Seen::Ok(_) => return false,
        }
        true
    }
}
