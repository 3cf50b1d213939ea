//! What other agents store: each shows the same metrics of a project, whoever has looked at it.

use std::collections::{BTreeSet, VecDeque};

use super::parts::Parts;
use crate::app::heard;
use crate::clock::pause;
use crate::telemetry::complain;

/// Tries in a row that fail before the agent counts as cut off: a minute, so that a restart of the server is none.
const FAILURES: u32 = 4;

/// The most projects that are read anew at once: 20 a second, more than another agent looks at where each watches five
/// thousand of them every five minutes, and few beside what a first look of all costs.
const AT_ONCE: usize = 300;

/// Projects of which others have stored something, in the order in which that was noticed: none waits for ever, also
/// where more come than are read.
#[derive(Debug, Default)]
struct Waiting(VecDeque<String>);

impl Waiting {
    /// Those whose turn it is, of all that are behind now.
    fn next(&mut self, behind: Vec<String>) -> Vec<String> {
        let mut behind: BTreeSet<String> = behind.into_iter().collect();
        self.0.retain(|project| behind.remove(project));
        self.0.extend(behind);
        self.0.drain(..AT_ONCE.min(self.0.len())).collect()
    }
}

/// Has the metrics of a project read anew wherever another agent has stored a run of it, until dropped. It looks also
/// where this agent knows of no other: one may have gone since, or have been there for a moment only. An agent that is
/// cut off from the store while there are others no longer knows how the projects are, and says nothing of it.
pub(super) async fn follow(parts: Parts) {
    let board = parts.telling.board();
    let mut waiting = Waiting::default();
    let mut failures = 0;
    loop {
        pause(&*parts.clock, heard::NOTED_EVERY).await;
        let shared = parts.sharers.count() > 1;
        match parts.store.last_looks().await {
            Ok(looked) => {
                failures = 0;
                let behind = board.behind(looked);
                parts.telling.set_follows(shared || !behind.is_empty());
                for project in waiting.next(behind) {
                    parts.telling.touch(&project);
                }
            }
            Err(error) => {
                failures = if shared { failures + 1 } else { 0 };
                complain(error);
            }
        }
        board.set_cut_off(failures >= FAILURES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(|number| format!("project-{number:05}")).collect()
    }

    #[test]
    fn whoever_waits_comes_before_those_that_come_later() {
        let mut waiting = Waiting::default();
        let late = projects(90_000..90_010);
        let mut rounds = 0;
        let mut read = BTreeSet::new();
        // Each time as many others are behind as are read at once, and all of them come first by name.
        while !late.iter().all(|project| read.contains(project)) {
            let fresh = rounds * AT_ONCE..(rounds + 1) * AT_ONCE;
            let behind: Vec<_> = projects(fresh).into_iter().chain(late.clone()).collect();
            let now = waiting.next(behind);
            assert!(now.len() <= AT_ONCE);
            read.extend(now);
            rounds += 1;
            assert!(rounds < 5, "{} of {} were read", read.len(), late.len());
        }
    }

    #[test]
    fn what_is_no_longer_behind_waits_no_more() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.next(projects(0..700)), projects(0..300));
        assert_eq!(waiting.next(projects(650..660)), projects(650..660));
        assert_eq!(waiting.next(Vec::new()), Vec::<String>::new());
    }
}
