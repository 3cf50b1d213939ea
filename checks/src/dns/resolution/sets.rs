//! Groups the servers that give the same answer to the same question.

use super::evidence::{ANSWERS, CHARACTERS, LINES, SetView, SetViews};
use super::servers::widen;
use crate::contract::Bounded;
use crate::dns::records::{RecordSet, zone_text};
use crate::probe::{DnsAnswer, RecordType};

/// Name servers are compared with those at the registry one by one, so that all of them are kept.
const NAME_SERVERS: usize = 10;

/// What is compared at the apex. Addresses are not: they rotate.
pub(super) const APEX_KINDS: [RecordType; 5] =
    [RecordType::Ns, RecordType::Mx, RecordType::Txt, RecordType::Caa, RecordType::Cname];

/// The different answers among those of several servers, told by index.
pub(super) fn group_sets<'a>(
    kind: RecordType,
    answers: impl Iterator<Item = (usize, &'a DnsAnswer)>,
) -> SetViews {
    let mut views: Vec<SetView> = Vec::new();
    let mut ttl = None;
    for (by, answer) in answers {
        for record in &answer.answers {
            if zone_text(&record.data).is_some_and(|(found, _)| found == kind) {
                widen(&mut ttl, record.ttl);
            }
        }
        let lines = if kind == RecordType::Ns { NAME_SERVERS } else { LINES };
        let set = RecordSet::of(answer, kind, lines, CHARACTERS);
        match views
            .iter_mut()
            .find(|view| view.set.digest == set.digest && view.set.rcode == set.rcode)
        {
            Some(view) => view.by.push(by),
            None => views.push(SetView { set, by: vec![by] }),
        }
    }
    SetViews { kind: kind.as_str().to_owned(), answers: Bounded::keep(views, ANSWERS), ttl }
}
