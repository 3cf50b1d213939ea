//! Incidents that are counted exactly, however many, and named by the first few.

use launchready_checks::contract::Severity;

use super::LINES;
use crate::incident::{Incident, State};
use crate::store::{IncidentFilter, Store, StoreError};

/// Incidents are read so many at a time; their number is not bounded.
const PAGE: usize = 200;

/// Incidents that are counted one by one, and the few that are named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// How many there are.
    pub count: usize,
    /// How many of them are critical.
    pub critical: usize,
    /// The first of them.
    pub shown: Vec<Incident>,
}

impl Tally {
    /// Reads every incident in these states, page by page.
    pub(super) async fn read<K: Ord>(
        store: &dyn Store,
        states: &[State],
        counts: impl Fn(&Incident) -> bool,
        order: impl Fn(&Incident) -> K,
    ) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        let states = states.to_vec();
        let mut filter = IncidentFilter { states, limit: PAGE, ..IncidentFilter::default() };
        loop {
            let page = store.incidents(&filter).await?;
            // One that cannot be read is left out of its page, so only an empty page is the end.
            if page.is_empty() {
                return Ok(tally);
            }
            tally.take(page.into_iter().filter(&counts), &order);
            filter.offset += PAGE;
        }
    }

    pub(super) fn take<K: Ord>(
        &mut self,
        page: impl Iterator<Item = Incident>,
        order: impl Fn(&Incident) -> K,
    ) {
        for incident in page {
            self.count += 1;
            self.critical += usize::from(incident.severity == Severity::Critical);
            self.shown.push(incident);
        }
        self.shown.sort_by_key(order);
        self.shown.truncate(LINES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample;

    #[test]
    fn pages_are_counted_to_the_last_and_the_first_few_are_kept() {
        let samples = sample::all();
        let incident = |severity, project: String| {
            let mut incident = samples[0].1.told[0].incident.clone();
            incident.severity = severity;
            incident.key.project = project;
            incident
        };
        let all: Vec<Incident> = (0..450)
            .map(|n| {
                let severity = if n == 449 { Severity::Critical } else { Severity::Warning };
                incident(severity, format!("p{n:03}"))
            })
            .collect();
        let mut tally = Tally::default();
        for page in all.chunks(PAGE) {
            let order = |it: &Incident| (std::cmp::Reverse(it.severity), it.key.project.clone());
            tally.take(page.iter().cloned(), order);
        }
        assert_eq!((tally.count, tally.critical, tally.shown.len()), (450, 1, LINES));
        assert_eq!(tally.shown[0].key.project, "p449", "the worst one came on the last page");
    }
}
