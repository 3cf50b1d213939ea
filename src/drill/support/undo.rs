//! Takes back what the drill `support-routing` has left: the requests of its customer, and the customer.

use launchready_checks::probe::ProbeError;

use super::writer;
use super::zendesk::Writer;
use crate::drill::{Scene, Undo, UndoState};

/// Finds the customer by the address, which holds the mark, deletes its requests and itself, and looks again.
pub(in crate::drill) async fn undo(scene: &Scene<'_>) -> Vec<Undo> {
    let writer = match writer(scene) {
        Ok(writer) => writer,
        Err(lack) => return vec![left(scene, &lack)],
    };
    match remove(scene, &writer).await {
        Ok(undone) => undone,
        Err(error) => vec![left(scene, &error.to_string())],
    }
}

async fn remove(scene: &Scene<'_>, writer: &Writer) -> Result<Vec<Undo>, ProbeError> {
    let mut undone = Vec::new();
    for customer in writer.customers(&scene.buyer()).await? {
        let found = writer.requests(customer).await?;
        for request in &found {
            writer.delete(*request).await?;
        }
        let still = writer.requests(customer).await?;
        if !found.is_empty() && still.is_empty() {
            let plural = if found.len() == 1 { "" } else { "s" };
            undone.push(Undo {
                what: format!("{} request{plural} at the help desk", found.len()),
                state: UndoState::Done,
                how: "deleted, and looked for again".to_owned(),
            });
        } else if !still.is_empty() {
            undone.push(left(scene, "they are still there after they were deleted"));
            continue;
        }
        undone.push(match writer.forget(customer).await {
            Ok(()) => Undo {
                what: "the customer of the drill at the help desk".to_owned(),
                state: UndoState::Done,
                how: "deleted".to_owned(),
            },
            Err(error) => Undo {
                what: "the customer of the drill at the help desk".to_owned(),
                state: UndoState::Left,
                how: format!(
                    "{error}; search for {} under Customers and delete the profile",
                    scene.buyer()
                ),
            },
        });
    }
    Ok(undone)
}

fn left(scene: &Scene<'_>, why: &str) -> Undo {
    Undo {
        what: "requests of the drill at the help desk, if there are any".to_owned(),
        state: UndoState::Left,
        how: format!(
            "{why}; search the desk for requester:{} and delete what is found",
            scene.buyer()
        ),
    }
}
