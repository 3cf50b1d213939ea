//! Answers the port to the help desk from a written-down world.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{
    Acknowledgement, Answer, Conversation, Desk, Listed, Period, ProbeError, Visit, Walked,
};

/// A help desk.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskWorld {
    /// Conversations that are not closed.
    pub open: Vec<Conversation>,
    /// Conversations that are.
    pub closed: Vec<Conversation>,
    /// What the desk wrote back by itself; absent means that it keeps no such record.
    pub acknowledgement: Option<Vec<Acknowledgement>>,
    /// How many open ones the desk counts, where that is not their number.
    pub total: Option<u64>,
    /// A list ends early: `open`, `created`.
    pub cut: Vec<String>,
    /// What fails, by `open`, `created`, `acknowledgements`: the words of [`super::HttpEntry::fault`], and
    /// `bad_credential`, `forbidden`, `clock_off`.
    pub fault: BTreeMap<String, String>,
}

impl Replay {
    fn helped(&self, what: &str) -> Result<&DeskWorld, ProbeError> {
        self.count(format!("DESK {what}"));
        let world = self.world.desk.as_ref();
        let world = world.ok_or_else(|| fault("bad_credential", "no desk is written down"))?;
        match world.fault.get(what) {
            Some(word) => Err(fault(word, "the help desk")),
            None => Ok(world),
        }
    }
}

impl Desk for Replay {
    fn open<'a>(
        &'a self,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        let listed = self.helped("open").map(|world| {
            world.open.iter().cloned().for_each(visit);
            let entries = world.open.len() as u64;
            let cut = world.cut.iter().any(|cut| cut == "open");
            Listed { walked: Walked { entries, cut }, total: Some(world.total.unwrap_or(entries)) }
        });
        Box::pin(async move { listed })
    }

    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>> {
        let listed = self.helped("created").map(|world| {
            let mut walked =
                Walked { entries: 0, cut: world.cut.iter().any(|cut| cut == "created") };
            for conversation in world.open.iter().chain(&world.closed) {
                let at = conversation.created;
                if at >= period.since && period.until.is_none_or(|until| at < until) {
                    walked.entries += 1;
                    visit(conversation.clone());
                }
            }
            Listed { walked, total: None }
        });
        Box::pin(async move { listed })
    }

    fn acknowledgements(
        &self,
        ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>> {
        let found = self.helped("acknowledgements").map(|world| {
            let known = world.acknowledgement.as_ref()?;
            let one = |id: String| {
                let at = known.iter().find(|one| one.id == id).and_then(|one| one.at);
                Acknowledgement { id, at }
            };
            Some(ids.into_iter().map(one).collect())
        });
        Box::pin(async move { found })
    }
}
