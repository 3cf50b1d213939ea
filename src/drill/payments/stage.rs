//! What the three drills of payments share: what they need, where events go, and how all is taken back.

use launchready_checks::probe::ProbeError;

use crate::drill::rows::{Rows, cannot_erase, erase};
use crate::drill::stripe::{Endpoint, Event, Purchase, Sent, Signing};
use crate::drill::{Drill, Plan, Scene, Step, Undo};

/// Every word of a test checkout of these drills.
const LABELS: [&str; 11] = [
    "paid",
    "unsigned",
    "forged",
    "stale",
    "again",
    "once",
    "once_more",
    "once_again",
    "order",
    "late",
    "declined",
];

/// The endpoint, and the database that it writes to.
pub(super) struct Stage<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) endpoint: Endpoint<'a>,
    pub(super) rows: Rows,
}

impl<'a> Stage<'a> {
    /// The stage of a scene whose plan lacked nothing.
    ///
    /// # Errors
    /// A step that says what is lacking after all.
    pub(super) async fn set(scene: &'a Scene<'a>) -> Result<Self, Step> {
        let lacking =
            |lack: String| Step::unseen("the drill can be run", "something is lacking", lack);
        let endpoint = Endpoint::new(scene).map_err(lacking)?;
        let rows = Rows::find(scene).await.map_err(lacking)?;
        Ok(Self { scene, endpoint, rows })
    }

    pub(super) fn purchase(&self, label: &'static str) -> Purchase {
        debug_assert!(LABELS.contains(&label), "{label} would not be taken back");
        Purchase::new(self.scene, label)
    }

    /// Sends a genuine event; what is not taken is a step that did not hold.
    pub(super) async fn deliver(&self, what: &str, event: &Event) -> Result<Sent, Step> {
        match self.endpoint.send(event, Signing::Good).await {
            Ok(sent) if sent.is_taken() => Ok(sent),
            Ok(sent) => Err(Step::broken(
                what,
                format!("the endpoint answered {} to a rightly signed event", sent.status),
                refusal(sent.status),
            )),
            Err(error) => Err(Step::broken(
                what,
                format!("no answer came: {error}"),
                "see the log of the endpoint; Stripe waits for an answer for some seconds only, and sends the event \
                 again for three days",
            )),
        }
    }
}

/// What a refusal of a genuine event probably means.
fn refusal(status: u16) -> String {
    match status {
        300..=399 => "point the endpoint at the address that it redirects to: Stripe does not follow redirects"
            .to_owned(),
        400 | 403 => {
            "webhook_secret is probably not that of this endpoint: copy the signing secret of the endpoint in test mode \
             from https://dashboard.stripe.com/test/webhooks, and see that the body is verified as it came and not \
             parsed before"
                .to_owned()
        }
        401 => "the endpoint asks for a login that Stripe does not have; an Edge Function of Supabase needs verify_jwt \
                = false"
            .to_owned(),
        404 | 405 => "there is no such endpoint for POST: correct project.drill.webhook".to_owned(),
        _ => "see the log of the endpoint for this event; where it needs metadata of your own checkouts, add it under \
              [project.drill.metadata]"
            .to_owned(),
    }
}

/// The plan of a drill of payments, before what it does of its own.
pub(super) async fn plan(drill: Drill, scene: &Scene<'_>) -> Plan {
    let mut plan = Plan::new(drill);
    match Endpoint::new(scene) {
        Err(lack) => plan.lacks.push(lack),
        Ok(endpoint) => {
            if let Some(lack) = foreign(scene, endpoint.url()) {
                plan.lacks.push(lack);
            }
        }
    }
    if let Err(lack) = Rows::find(scene).await {
        plan.lacks.push(lack);
    }
    if let Some(lack) = cannot_erase(scene).await {
        plan.lacks.push(lack);
    }
    plan.undoes.push(format!(
        "delete the rows of orders, events and CRM log whose keys hold {}…, as the user of undo_database",
        crate::connect::database::MARK
    ));
    plan
}

/// Why the endpoint may not be sent events; nothing where it is the project's own.
fn foreign(scene: &Scene<'_>, url: &str) -> Option<String> {
    let host = url::Url::parse(url).ok()?.host_str()?.trim_matches(['[', ']']).to_lowercase();
    let below = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    let supabase = scene.accounts.tables.supabase.as_ref();
    let of_supabase = supabase.is_some_and(|table| {
        let reference = &table.reference;
        below(&format!("{reference}.supabase.co"))
            || below(&format!("{reference}.functions.supabase.co"))
    });
    let own_machine = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let declared = scene.hosts.contains(&host);
    if below(scene.domain) || declared || of_supabase || own_machine {
        return None;
    }
    Some(format!(
        "project.drill.webhook leads to {host}, which is not below {}: where it is yours, add it to hosts",
        scene.domain
    ))
}

/// Takes everything back that a drill of payments has left.
pub(super) async fn undo(scene: &Scene<'_>) -> Vec<Undo> {
    let all: Vec<Purchase> = LABELS.into_iter().map(|label| Purchase::new(scene, label)).collect();
    erase(scene, &all).await
}

/// The step where the database could not be read.
pub(super) fn unread(what: &str, error: &ProbeError) -> Step {
    Step::unseen(
        what,
        format!("the database could not be read: {error}"),
        "run the drill again when it answers",
    )
}

/// `1 row`, `2 rows`.
pub(super) fn rows(count: usize) -> String {
    format!("{count} row{} of orders", if count == 1 { "" } else { "s" })
}
