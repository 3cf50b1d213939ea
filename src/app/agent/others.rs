//! What other agents store: each shows the same metrics of a project, whoever has looked at it.

use super::parts::{Parts, complain};
use crate::app::heard;
use crate::clock::pause;

/// Tries in a row that fail before the agent counts as cut off: a minute, so that a restart of the server is none.
const FAILURES: u32 = 4;

/// The most projects that are read anew at once: 20 a second, more than another agent looks at where each watches five
/// thousand of them every five minutes, and few beside what a first look of all costs.
const AT_ONCE: usize = 300;

/// Has the metrics of a project read anew wherever another agent has stored a run of it, until dropped. An agent that
/// is cut off from the store meanwhile no longer knows how the projects are, and says nothing of it.
pub(super) async fn follow(parts: Parts) {
    let board = parts.telling.board();
    let mut failures = 0;
    loop {
        pause(&*parts.clock, heard::NOTED_EVERY).await;
        if parts.sharers.count() < 2 {
            failures = 0;
        } else {
            match parts.store.last_looks().await {
                Ok(looked) => {
                    failures = 0;
                    for project in board.behind(looked).into_iter().take(AT_ONCE) {
                        parts.telling.touch(&project);
                    }
                }
                Err(error) => {
                    failures += 1;
                    complain(error);
                }
            }
        }
        board.set_cut_off(failures >= FAILURES);
    }
}
