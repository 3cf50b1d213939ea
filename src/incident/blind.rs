//! That a check can no longer look is news too, once it has lasted.

use launchready_checks::contract::{Severity, Unseen, Urgency};

use super::observe::Look;
use super::span::since;
use super::{Incident, Member, Sight, news, turns};

/// The fingerprint of the only member.
const FINGERPRINT: &str = "blind";

/// What a run that could not look makes of the incident that says so.
pub(super) fn look(
    look: &mut Look<'_>,
    known: Option<&Incident>,
    over: &[Incident],
) -> Option<Incident> {
    let run = look.run;
    let Sight::Blind { cause, unlock, unseen, runs, since: start, own_network } = &run.sight else {
        return known.cloned();
    };
    let policy = &look.moment.policy;
    // The agent says once by itself that its own network is gone.
    let is_news = *unseen != Unseen::Noted && !own_network;
    let is_long = *runs >= policy.blind_runs || since(*start, run.at) >= policy.blind_after;
    let is_new = known.is_none();
    let mut incident = match known {
        Some(known) if is_news => known.clone(),
        None if is_news && is_long => {
            let mut incident = look.begin(Incident::BLIND, over);
            incident.first_seen = (*start).min(run.at);
            incident
        }
        other => return other.cloned(),
    };
    incident.severity = Severity::Warning;
    incident.urgency = Urgency::Day;
    incident.title = format!("{} cannot look", run.check_title);
    "Nobody is told of what goes wrong there meanwhile: what is not seen is not known to be well."
        .clone_into(&mut incident.why);
    incident.recheck.clone_from(&run.recheck);
    incident.confirmations = *runs;
    incident.last_seen = incident.last_seen.max(run.at);
    let first_seen = incident.first_seen;
    let member = incident.members.entry(FINGERPRINT.to_owned()).or_insert_with(|| Member {
        subject: run.target.clone(),
        summary: String::new(),
        evidence: Vec::new(),
        fix: String::new(),
        undo: String::new(),
        first_seen,
        last_seen: run.at,
        told: false,
    });
    member.summary.clone_from(cause);
    member.fix.clone_from(unlock);
    member.last_seen = member.last_seen.max(run.at);
    let changes = &mut look.outcome.changes;
    if is_new {
        turns::open(&mut incident, &look.moment, changes);
    } else {
        news::unmute(&mut incident, true, &look.moment, changes);
    }
    Some(incident)
}
