//! `drill support-routing`: requests are tagged, reach the right queue and are acknowledged.

mod routed;
mod undo;
mod zendesk;

use std::borrow::Cow;

use self::routed::Routing;
use self::zendesk::{PERMISSION, Writer};
use super::{Drill, Plan, Ran, Scene, Step};
use crate::config::{RequestTable, SupportKind};

pub(super) use undo::undo;

const READY: &str = "requests can be made at the help desk";

/// What would be done.
pub(super) fn plan(scene: &Scene<'_>) -> Plan {
    let mut plan = Plan::new(Drill::SupportRouting);
    if let Err(no) = scene.ports.desk.get() {
        plan.lacks.push(format!("{no}: {}", no.unlock));
    } else if let Err(lack) = writer(scene) {
        plan.lacks.push(lack);
    }
    for request in requests(scene).iter() {
        plan.does.push(format!("make a request as {}: {}", scene.buyer(), subject(scene, request)));
    }
    if scene.table.request.is_empty() {
        plan.proves.push(
            "some tag or a queue on each, as no [[project.drill.request]] says which; and the automatic answer within \
             60 s"
                .to_owned(),
        );
    } else {
        plan.proves.push(
            "tags and queue of each as [[project.drill.request]] has them, and the automatic answer within 60 s"
                .to_owned(),
        );
    }
    plan.undoes.push("delete the requests and their customer, with support_token".to_owned());
    plan
}

/// Makes the requests and looks what becomes of them.
pub(super) async fn run(scene: &Scene<'_>) -> Ran {
    let mut steps = Vec::new();
    match (writer(scene), scene.ports.desk.get()) {
        (Ok(writer), Ok(desk)) => {
            let requests = requests(scene);
            Routing { scene, writer: &writer, desk, steps: &mut steps }.run(&requests).await;
        }
        (Err(lack), _) => steps.push(Step::unseen(READY, "something is lacking", lack)),
        (_, Err(no)) => steps.push(Step::unseen(READY, no.to_string(), no.unlock)),
    }
    Ran { steps, ..Ran::default() }
}

/// Why a request could not be taken back, with the remedy.
pub(super) fn cannot_remove(scene: &Scene<'_>) -> Option<String> {
    writer(scene).err()
}

/// The desk, with the key that may write.
///
/// # Errors
/// What is lacking, with the remedy.
fn writer(scene: &Scene<'_>) -> Result<Writer, String> {
    let table = scene.accounts.tables.support.as_ref();
    let table = table.ok_or("[project.support] is missing: add it with kind and token")?;
    if table.kind != SupportKind::Zendesk {
        return Err("requests are made at Zendesk alone: at this desk, send them by hand from an address of your own, and \
                    look where they go"
            .to_owned());
    }
    let token = scene.table.support_token.as_ref().ok_or_else(|| {
        format!("support_token is missing: add it under [project.drill], a key of {PERMISSION}")
    })?;
    let token = scene.accounts.read(token).map_err(|no| format!("{}: {}", no.reason, no.unlock))?;
    Writer::new(table, token, scene.reach).map_err(|error| error.to_string())
}

/// What is asked: what the config says, else a refund and a login.
fn requests<'a>(scene: &'a Scene<'_>) -> Cow<'a, [RequestTable]> {
    if !scene.table.request.is_empty() {
        return Cow::Borrowed(&scene.table.request);
    }
    let usual = [
        (
            "Refund for my order",
            "I want my money back for my last order. This is a test of launchready.",
        ),
        ("I cannot log in", "My password is not accepted any more. This is a test of launchready."),
    ];
    let usual = usual.map(|(subject, text)| RequestTable {
        subject: subject.to_owned(),
        text: text.to_owned(),
        tags: Vec::new(),
        queue: None,
    });
    Cow::Owned(usual.to_vec())
}

/// The subject as it is sent: its end shows whose it is.
fn subject(scene: &Scene<'_>, request: &RequestTable) -> String {
    format!("{} {}", request.subject, scene.digits())
}
