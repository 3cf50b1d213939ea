//! What the three drills of payments share: what they need, where events go, and how all is taken back.

use launchready_checks::probe::ProbeError;

use crate::config::Expected;
use crate::drill::rows::{Rows, cannot_erase, erase};
use crate::drill::stripe::{Endpoint, Event, Purchase, Sent, Signing};
use crate::drill::{Drill, Plan, Scene, Step, Undo, contacts, support};

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

/// Why an event about a payment alone is not sent.
pub(super) const UNSEEN_PAYMENT: &str = "orders has no column with the payment's id, so an order made of a payment alone \
    would not be found again: map it as payment_intent under [project.database.orders]";

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
pub(super) fn refusal(status: u16) -> String {
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
    people(scene, &mut plan);
    plan.undoes.push(format!(
        "delete the rows of orders, events and CRM log whose keys hold {}…, as the user of undo_database",
        crate::connect::database::MARK
    ));
    plan
}

/// What the endpoint may tell the CRM and the help desk, and that it can be taken back.
fn people(scene: &Scene<'_>, plan: &mut Plan) {
    if expects(scene, Expected::Contact) {
        if let Err(no) = scene.ports.crm.get() {
            plan.lacks.push(format!("a contact is expected and {no}: {}", no.unlock));
        }
        plan.lacks.extend(contacts::cannot_remove(scene));
    }
    if scene.table.crm_token.is_some() {
        plan.undoes.push("delete the contacts of its buyer, with crm_token".to_owned());
    }
    if expects(scene, Expected::Ticket) {
        if let Err(no) = scene.ports.desk.get() {
            plan.lacks.push(format!("a request is expected and {no}: {}", no.unlock));
        } else if let Some(lack) = support::cannot_remove(scene) {
            plan.lacks.push(format!("the request could not be taken back: {lack}"));
        }
    }
    if scene.table.support_token.is_some() {
        plan.undoes.push("delete the requests of its buyer, with support_token".to_owned());
    }
}

/// Whether a paid checkout has to leave this beside its order.
pub(super) fn expects(scene: &Scene<'_>, what: Expected) -> bool {
    scene.table.expects.contains(&what)
}

/// Why the endpoint may not be sent events; nothing where it is the project's own.
fn foreign(scene: &Scene<'_>, url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let host = host.trim_matches(['[', ']']).to_lowercase();
    let below = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    let supabase = scene.accounts.tables.supabase.as_ref();
    let of_supabase = supabase.is_some_and(|table| {
        let reference = &table.reference;
        below(&format!("{reference}.supabase.co"))
            || below(&format!("{reference}.functions.supabase.co"))
    });
    let own_machine = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if below(scene.domain) || of_supabase || own_machine {
        return None;
    }
    Some(format!(
        "project.drill.webhook leads to {host}, which is not below {}, the domain that is proven to be yours: give it a name \
         there",
        scene.domain
    ))
}

/// Takes everything back that a drill of payments has left.
pub(in crate::drill) async fn undo(scene: &Scene<'_>) -> Vec<Undo> {
    let all: Vec<Purchase> = LABELS.into_iter().map(|label| Purchase::new(scene, label)).collect();
    let mut undone = erase(scene, &all).await;
    undone.extend(contacts::remove(scene).await);
    if scene.table.support_token.is_some() {
        undone.extend(support::undo(scene).await);
    }
    undone
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
