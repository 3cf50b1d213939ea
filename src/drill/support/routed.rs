//! What becomes of the requests of a drill: whether each is one, how it is tagged, where it is, and when the
//! desk answered by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{Conversation, Desk, Email, Period, ProbeError};
use tokio::time::sleep;

use super::subject;
use super::zendesk::Writer;
use crate::config::RequestTable;
use crate::drill::{Scene, Step};

/// How soon the desk has to answer by itself.
const ACKNOWLEDGED: SignedDuration = SignedDuration::from_secs(60);
/// How often the desk is asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// How far back requests are looked for: clocks differ.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// The requests of one drill.
pub(super) struct Routing<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) writer: &'a Writer,
    pub(super) desk: &'a dyn Desk,
    pub(super) steps: &'a mut Vec<Step>,
}

/// What the desk tells.
#[derive(Default)]
struct Seen {
    /// The requests of the customer, by id.
    all: BTreeMap<String, Conversation>,
    /// When each was acknowledged; nothing where the desk keeps no such events.
    acknowledged: Option<BTreeMap<String, Timestamp>>,
}

impl Routing<'_> {
    pub(super) async fn run(&mut self, requests: &[RequestTable]) {
        let began = self.scene.now();
        let mut made = Vec::new();
        for (number, request) in requests.iter().enumerate() {
            let once = format!("{}-{number}", self.scene.mark);
            let subject = subject(self.scene, request);
            match self.writer.make(&self.scene.buyer(), &subject, &request.text, &once).await {
                Ok(id) => made.push((request, id)),
                Err(error) => {
                    let what = arrives(request);
                    let fix = "see that support_token may make requests for a customer, and run the drill again";
                    self.steps.push(Step::unseen(what, error.to_string(), fix));
                }
            }
        }
        if made.is_empty() {
            return;
        }
        match self.watch(began, &made).await {
            Ok(seen) => {
                for (request, id) in &made {
                    self.judge(request, id, made.len(), &seen).await;
                }
            }
            Err(error) => {
                for (request, _) in &made {
                    let fix = "see `launchready check support-backlog`";
                    self.steps.push(Step::unseen(arrives(request), error.to_string(), fix));
                }
            }
        }
    }

    /// Asks until everything is there, or the time is over.
    async fn watch(
        &self,
        began: Timestamp,
        made: &[(&RequestTable, String)],
    ) -> Result<Seen, ProbeError> {
        let settle = SignedDuration::try_from(self.scene.settle()).unwrap_or(ACKNOWLEDGED);
        // The index lags: what is tagged in time may be found later.
        let until = self.scene.now().checked_add(ACKNOWLEDGED + settle).unwrap_or(began);
        loop {
            let over = self.scene.now() >= until;
            let seen = self.look(began, made).await?;
            let complete = made.iter().all(|(request, id)| {
                let routed = seen.all.get(id).is_some_and(|one| {
                    has_tags(one, request) && (one.queue.is_some() || request.queue.is_none())
                });
                let answered = seen.acknowledged.as_ref().is_none_or(|all| all.contains_key(id));
                routed && answered
            });
            if complete || over {
                return Ok(seen);
            }
            sleep(AGAIN).await;
        }
    }

    async fn look(
        &self,
        began: Timestamp,
        made: &[(&RequestTable, String)],
    ) -> Result<Seen, ProbeError> {
        let buyer = Email::new(&self.scene.buyer());
        let mut seen = Seen::default();
        let mut take = |one: Conversation| {
            if one.requester.is_some() && one.requester == buyer {
                seen.all.insert(one.id.clone(), one);
            }
        };
        let since = began.checked_sub(BEFORE).unwrap_or(began);
        let _listed = self.desk.created(Period { since, until: None }, &mut take).await?;
        let ids = made.iter().map(|(_, id)| id.clone()).collect();
        if let Some(all) = self.desk.acknowledgements(ids).await? {
            let known = all.into_iter().filter_map(|one| Some((one.id, one.at?)));
            seen.acknowledged = Some(known.collect());
        }
        Ok(seen)
    }

    async fn judge(&mut self, request: &RequestTable, id: &str, made: usize, seen: &Seen) {
        let what = arrives(request);
        let Some(one) = seen.all.get(id) else {
            let fix = "the desk finds new requests late: raise project.drill.settle, and see that no rule closes or \
                       suspends requests of new customers";
            self.steps.push(Step::unseen(what, format!("request {id} is not listed"), fix));
            return;
        };
        self.steps.push(if seen.all.len() > made {
            let saw = format!("{} requests came of {made}", seen.all.len());
            Step::broken(
                what,
                saw,
                "see which trigger or integration opens a second request for each",
            )
        } else {
            Step::held(what, format!("request {id}"))
        });
        self.routed(request, one).await;
        self.steps.push(acknowledged(request, one, seen));
    }

    async fn routed(&mut self, request: &RequestTable, one: &Conversation) {
        let subject = &request.subject;
        let tags = one.tags.as_deref().unwrap_or_default();
        let has = if tags.is_empty() { "no tag".to_owned() } else { tags.join(", ") };
        let queue = one.queue.as_deref();
        if request.tags.is_empty() && request.queue.is_none() {
            let what = format!("{subject}: it has a tag or is in a queue");
            let saw = format!(
                "{has}; {}",
                queue.map_or_else(|| "no queue".to_owned(), |it| format!("queue {it}"))
            );
            self.steps.push(if tags.is_empty() && queue.is_none() {
                Step::broken(what, saw, trigger(request))
            } else {
                Step::held(what, saw)
            });
            return;
        }
        let what = format!("{subject}: it has the tags {}", request.tags.join(", "));
        if !request.tags.is_empty() {
            self.steps.push(if has_tags(one, request) {
                Step::held(what, has)
            } else {
                Step::broken(what, has, trigger(request))
            });
        }
        let Some(wanted) = &request.queue else { return };
        let what = format!("{subject}: it reaches {wanted}");
        let name = match queue {
            Some(id) if id != wanted => self.writer.queue(id).await,
            _ => None,
        };
        let there = queue == Some(wanted) || name.as_ref() == Some(wanted);
        let saw =
            name.or_else(|| queue.map(str::to_owned)).unwrap_or_else(|| "no queue".to_owned());
        self.steps.push(if there {
            Step::held(what, saw)
        } else {
            Step::broken(what, saw, trigger(request))
        });
    }
}

fn arrives(request: &RequestTable) -> String {
    format!("{}: it arrives as one request", request.subject)
}

fn has_tags(one: &Conversation, request: &RequestTable) -> bool {
    let tags = one.tags.as_deref().unwrap_or_default();
    request.tags.iter().all(|wanted| tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted)))
}

fn trigger(request: &RequestTable) -> String {
    let tags = if request.tags.is_empty() { "a tag".to_owned() } else { request.tags.join(" ") };
    let queue = request.queue.as_deref().unwrap_or("the group that works on such requests");
    format!(
        "make a trigger in Admin Center → Objects and rules → Business rules → Triggers: ticket is created, subject or \
         comment contains the words of \"{}\"; add tags {tags}, set Group to {queue}",
        request.subject
    )
}

fn acknowledged(request: &RequestTable, one: &Conversation, seen: &Seen) -> Step {
    let what =
        format!("{}: it is acknowledged within {} s", request.subject, ACKNOWLEDGED.as_secs());
    let Some(all) = &seen.acknowledged else {
        return Step::left(
            what,
            "this desk keeps no events of its automatic answers: look into the mailbox of the drill",
        );
    };
    let fix = "turn on the trigger \"Notify requester of received request\" for every new ticket, without a condition that \
               waits, in Admin Center → Objects and rules → Business rules → Triggers";
    match all.get(&one.id) {
        None => Step::broken(what, "no rule has written to the customer", fix),
        Some(at) => {
            let after = at.duration_since(one.created);
            let saw = format!("after {} s", after.as_secs());
            if after <= ACKNOWLEDGED { Step::held(what, saw) } else { Step::broken(what, saw, fix) }
        }
    }
}
