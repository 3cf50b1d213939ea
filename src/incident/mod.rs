//! What lasts: incidents, their life, and who is told of it. Pure: no clock, no store, no network.
//!
//! A run hands over what it saw ([`RunSeen`]); [`observe`] compares it with the incidents that are not
//! resolved and gives back what changed ([`Outcome`]). [`wake`] lets time pass without a look,
//! [`acknowledge`] and [`resolve`] are what people do, and [`route`] says which channels are told of a
//! change. The store does each of them in one transaction with what came of it.
//!
//! # A life
//!
//! ```text
//!            seen             seen again, or certain          somebody is on it
//! (nothing) ──────► Suspected ─────────────────────► Open ─────────────────────► Acknowledged
//!                      │                               │                               │
//!                      │ not seen                      └───────────────┬───────────────┘
//!                      ▼                                               ▼ not seen, expired, by hand
//!                  forgotten                                        Resolved
//! ```
//!
//! - An incident is one project, check, code and target; its *members* are the findings of that code, by
//!   fingerprint. The first [`Incident::MEMBERS`] are kept one by one, the rest is counted.
//! - It is believed after [`Policy::confirmations`] looks in a row; a finding that is `certain` needs one.
//!   Until then the check looks again every [`Policy::look_again`], and nobody is told.
//! - It is over after [`Policy::recoveries`] looks in a row that could see it and did not. A member that is
//!   gone while others stay is dropped. When the last members have left the window that the check can look
//!   back on, it has *expired*: over, and not known to be mended.
//! - Not seeing is not knowing: a run that could not look, and a part that was not seen, neither confirm
//!   nor resolve. When a check could not look for [`Policy::blind_runs`] due runs or
//!   [`Policy::blind_after`], that is an incident of its own ([`Incident::BLIND`]), until it looks again.
//! - A check that is skipped, or looks at another domain, ends its incidents.
//!
//! # What is told
//!
//! Every change is recorded; [`Change::tell`] says whether it is told. A change that is told is one part of
//! exactly one message.
//!
//! | change | when | told |
//! |---|---|---|
//! | `Opened` | it is believed | unless something mutes it; with the first look's message when it was there from the start |
//! | `Unmuted` | what muted it is over and it is still wrong | always: it is the telling that was held back |
//! | `Worsened` | its severity rises to critical | at once; when it swings, once per reminder |
//! | `Joined` | it has members that no message named | at most once per reminder, counted from the last word about it, also when acknowledged |
//! | `Reminded` | nothing was said for a reminder, and nobody is on it | always |
//! | `Escalated` | urgent, told, and nobody on it for [`Policy::escalate_after`] | once, to the escalation channels |
//! | `Acknowledged` | a person is on it | when the incident was told |
//! | `Resolved`, `Expired` | it is over | when the incident was told; in a silence people hear it after that |
//! | `Flapping` | [`Policy::flap_turns`] openings and ends within [`Policy::flap_window`] | always: it is the last notice for now |
//! | `Calm` | it flapped, and did not turn for [`Policy::flap_calm`] | with what it is by then |
//!
//! What mutes, with the reason kept in [`Incident::unheard`]:
//!
//! - A *silence* or *announced work* mutes everything. While it lasts, openings and worsenings are recorded
//!   untold, and reminders and new members wait. What is still wrong when it is over is told as `Unmuted`,
//!   in [`wake`] or at the next look. The end of what was told before waits in the outbox until then, as
//!   [`route`] says; PagerDuty and Alertmanager take it at once, which makes no noise there.
//! - *Dependency*: an incident whose members all name a host that is down, as suspected or believed by
//!   another check, is not told; its recovery is. It is told only when a look still sees it after the host
//!   is back, and [`Outcome::look_too`] asks for that look at once, because such a finding is nearly always
//!   gone by then. The table of causes is in `causes.rs`.
//! - *Flapping* begins with the notice that says so, and therefore never while something else mutes. From
//!   then on openings, ends and reminders are untold until it is calm. An escalation and a first rise to
//!   critical come through.
//! - *Digest*: severity `info` or urgency `digest` is never told here; the weekly summary shows it.
//!
//! # Time
//!
//! All times come from the caller. A clock that jumps back makes spans zero: nothing is repeated
//! early, nothing overflows, and nothing is undone.

mod blind;
mod causes;
mod members;
mod model;
mod moment;
mod muting;
mod news;
mod observe;
mod people;
mod policy;
mod quiet;
mod route;
mod said;
mod span;
#[cfg(test)]
mod tests;
mod turns;
mod wake;

pub use observe::observe;
pub use people::{acknowledge, resolve};
pub use route::route;
pub use said::{NotSaid, Said, some_text};
pub use wake::{put_back, wake, wakes_at};

pub use model::{
    Acknowledgement, Change, ChangeKind, Incident, IncidentKey, Member, Outcome, RunSeen,
    SeenFinding, Sight, State, Tell, Unheard,
};
pub use policy::{Book, ChannelRule, Policy, Quiet, Silence, Waiver, Window, WindowTimes};
