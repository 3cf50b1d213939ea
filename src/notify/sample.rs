//! Notifications of every kind, for the tests of each channel's form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Urgency};

use super::Envelope;
use crate::incident::{Acknowledgement, ChangeKind, Incident, IncidentKey, Member, State};
use crate::store::{Notification, NotificationKind, Plain, Told};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn envelope() -> Envelope {
    Envelope {
        id: "msg_0123456789abcdef0123".to_owned(),
        attempt: 1,
        public_url: Some("https://watch.harbor.example".to_owned()),
        timezone: "Europe/Berlin".to_owned(),
        instead_of: None,
    }
}

fn member(subject: &str, summary: &str) -> Member {
    Member {
        subject: subject.to_owned(),
        summary: summary.to_owned(),
        evidence: Vec::new(),
        fix: String::new(),
        undo: String::new(),
        first_seen: at("2026-11-22T07:15:00Z"),
        last_seen: at("2026-11-22T07:16:00Z"),
        told: true,
    }
}

/// The host is down.
fn down() -> Incident {
    let mut one = member(
        "app.harbor.example",
        "https://app.harbor.example/checkout answered 502 in 2 of 2 looks; it must answer 200",
    );
    one.evidence = vec![
        "08:15:00 GET https://app.harbor.example/checkout 502 Bad Gateway in 210 ms".to_owned(),
        "08:15:30 GET https://app.harbor.example/checkout 502 Bad Gateway in 190 ms".to_owned(),
        "server: cloudflare, cf-ray: 8f1a-FRA".to_owned(),
    ];
    one.fix = "Open vercel.com, Deployments, and choose \"Instant Rollback\" on the last one that \
               worked; or run `vercel rollback`."
        .to_owned();
    one.undo = "Promote the newer deployment again with `vercel promote`.".to_owned();
    Incident {
        id: "inc_00000000000000000001".to_owned(),
        key: IncidentKey {
            project: "harbor".to_owned(),
            check: "web-uptime".to_owned(),
            code: "down".to_owned(),
            target: "harbor.example".to_owned(),
        },
        state: State::Open,
        severity: Severity::Critical,
        urgency: Urgency::Now,
        title: "The site does not answer".to_owned(),
        why: "Nobody can buy, and buyers who were about to pay leave.".to_owned(),
        recheck: "launchready check web-uptime --project harbor".to_owned(),
        members: BTreeMap::from([("aaaa000000000001".to_owned(), one)]),
        more_members: 0,
        first_seen: at("2026-11-22T07:15:00Z"),
        last_seen: at("2026-11-22T07:15:30Z"),
        last_good: Some(at("2026-11-22T07:14:00Z")),
        confirmations: 2,
        recoveries: 0,
        opened_at: Some(at("2026-11-22T07:15:30Z")),
        resolved_at: None,
        resolved_by: None,
        acknowledged: None,
        told_at: None,
        last_told_at: None,
        told_as: Vec::new(),
        escalated_at: None,
        from_start: false,
        turns: Vec::new(),
        flapping: false,
        unheard: None,
    }
}

/// Money came in and there is no order.
fn orphans() -> Incident {
    let mut incident = down();
    incident.id = "inc_00000000000000000002".to_owned();
    incident.key.check = "orders-orphaned-checkouts".to_owned();
    incident.key.code = "order-missing".to_owned();
    incident.title = "Paid checkouts without an order".to_owned();
    incident.why =
        "These buyers paid and get nothing; the refunds and bad reviews follow.".to_owned();
    incident.recheck = "launchready check orders-orphaned-checkouts --project harbor".to_owned();
    incident.members = (1..=7)
        .map(|number| {
            let id = format!("cs_live_a1b2c3d4e5f60{number}");
            let summary = format!("{id}: EUR 49.00 paid 12 minutes ago, no row in orders");
            let mut one = member(&id, &summary);
            one.evidence =
                vec![format!("checkout.session.completed evt_1Q{number}, order row: none")];
            one.fix =
                "Open Stripe, Developers, Webhooks, your endpoint, and resend the failed events."
                    .to_owned();
            one.undo = "Nothing to undo: resending is safe where events are stored by their id."
                .to_owned();
            (format!("bbbb00000000000{number}"), one)
        })
        .collect();
    incident.more_members = 3;
    incident
}

/// Can wait.
fn dmarc() -> Incident {
    let mut incident = down();
    incident.id = "inc_00000000000000000003".to_owned();
    incident.key.check = "mail-dmarc".to_owned();
    incident.key.code = "dmarc-not-enforced".to_owned();
    incident.severity = Severity::Warning;
    incident.urgency = Urgency::Day;
    incident.title = "DMARC only watches".to_owned();
    incident.why = "Anybody can send mail in your name, and your own ends as spam.".to_owned();
    incident.recheck = "launchready check mail-dmarc --project harbor".to_owned();
    let mut one = member("_dmarc.harbor.example", "p=none: forged mail is delivered");
    one.evidence = vec!["_dmarc.harbor.example TXT v=DMARC1; p=none".to_owned()];
    one.fix =
        "Set the TXT record `_dmarc` to `v=DMARC1; p=quarantine; rua=mailto:dmarc@harbor.example`."
            .to_owned();
    one.undo = "Set it back to `v=DMARC1; p=none`.".to_owned();
    incident.members = BTreeMap::from([("cccc000000000001".to_owned(), one)]);
    incident
}

fn told(change: i64, kind: ChangeKind, time: &str, incident: Incident) -> Told {
    Told { change, kind, at: at(time), incident, members: Vec::new() }
}

fn notification(kind: NotificationKind, told: Vec<Told>) -> Notification {
    Notification {
        id: envelope().id,
        kind,
        project: "harbor".to_owned(),
        at: at("2026-11-22T07:15:30Z"),
        told,
        text: None,
    }
}

fn changes(told: Vec<Told>) -> Notification {
    notification(NotificationKind::Changes, told)
}

/// `count` different incidents whose every text is `text`.
pub(super) fn many(count: usize, text: &str) -> Notification {
    let severities = [Severity::Info, Severity::Warning, Severity::Critical];
    let incidents = severities.iter().cycle().take(count).zip(1..);
    changes(
        incidents
            .map(|(severity, number)| {
                let mut incident = orphans();
                incident.id = format!("inc_{number:020}");
                incident.severity = *severity;
                incident.title = text.to_owned();
                incident.why = text.to_owned();
                for member in incident.members.values_mut() {
                    member.subject = text.to_owned();
                    member.summary = text.to_owned();
                    member.evidence = vec![text.to_owned(); 24];
                    member.fix = text.to_owned();
                }
                told(number, ChangeKind::Opened, "2026-11-22T07:15:30Z", incident)
            })
            .collect(),
    )
}

/// One of each kind.
pub(super) fn all() -> Vec<(&'static str, Notification, Envelope)> {
    let now = "2026-11-22T07:15:30Z";
    let late = "2026-11-22T11:15:30Z";
    let mut over = down();
    over.state = State::Resolved;
    over.resolved_at = Some(at("2026-11-22T07:27:00Z"));
    let mut joined = told(8, ChangeKind::Joined, late, orphans());
    joined.members = vec!["bbbb000000000006".to_owned(), "bbbb000000000007".to_owned()];
    let mut taken = down();
    taken.state = State::Acknowledged;
    taken.acknowledged = Some(Acknowledgement {
        by: "on-call".to_owned(),
        at: at(now),
        before: None,
        note: "rolling back".to_owned(),
    });
    let mut flapping = down();
    flapping.flapping = true;
    let mut expired = orphans();
    expired.state = State::Resolved;
    expired.resolved_at = Some(at("2026-12-22T07:15:00Z"));
    let mut blind = dmarc();
    blind.id = "inc_00000000000000000004".to_owned();
    blind.key.check = "stripe-deliveries".to_owned();
    blind.key.code = Incident::BLIND.to_owned();
    blind.title = "We cannot see webhook deliveries".to_owned();
    blind.why = "A failed webhook would go unnoticed until this is fixed.".to_owned();
    let mut one =
        member("stripe-deliveries", "Stripe answered 403 three times: the key may not read events");
    one.fix = "Open dashboard.stripe.com/apikeys, the key of launchready, and grant Events: Read."
        .to_owned();
    blind.members = BTreeMap::from([("dddd000000000001".to_owned(), one)]);
    let mut first = changes(vec![
        told(1, ChangeKind::Opened, now, dmarc()),
        told(2, ChangeKind::Opened, now, orphans()),
        told(3, ChangeKind::Opened, now, blind.clone()),
    ]);
    first.kind = NotificationKind::FirstLook;
    for told in &mut first.told {
        told.incident.from_start = true;
        told.incident.last_good = None;
    }
    let mut summary = notification(NotificationKind::Summary, Vec::new());
    summary.project = String::new();
    summary.text = Some(Plain {
        title: "The week: 2 open problems, 1 critical; 3 resolved".to_owned(),
        lines: vec![
            "Open:\n• Critical, harbor: Paid checkouts without an order (for 3 h 5 min)\n• Warning, \
             harbor: DMARC only watches (for 6 days)"
                .to_owned(),
            "38 checks watched, 35 of them fine at their last look.".to_owned(),
        ],
    });
    let mut stand_in = envelope();
    stand_in.instead_of = Some("ops".to_owned());
    let with = |name, notification| (name, notification, envelope());
    vec![
        with("opened", changes(vec![told(1, ChangeKind::Opened, now, down())])),
        with(
            "several",
            changes(vec![
                told(1, ChangeKind::Opened, now, dmarc()),
                told(2, ChangeKind::Opened, now, orphans()),
                told(3, ChangeKind::Resolved, "2026-11-22T07:27:00Z", over.clone()),
            ]),
        ),
        with("reminded", changes(vec![told(4, ChangeKind::Reminded, late, down())])),
        with("joined", changes(vec![joined])),
        with(
            "resolved",
            changes(vec![told(5, ChangeKind::Resolved, "2026-11-22T07:27:00Z", over)]),
        ),
        with(
            "expired",
            changes(vec![told(6, ChangeKind::Expired, "2026-12-22T07:15:00Z", expired)]),
        ),
        with("acknowledged", changes(vec![told(7, ChangeKind::Acknowledged, now, taken)])),
        with("flapping", changes(vec![told(9, ChangeKind::Flapping, late, flapping)])),
        with("blind", changes(vec![told(10, ChangeKind::Opened, now, blind)])),
        with("first_look", first),
        (
            "escalated",
            notification(
                NotificationKind::Escalation,
                vec![told(11, ChangeKind::Escalated, "2026-11-22T07:45:30Z", orphans())],
            ),
            stand_in,
        ),
        with("summary", summary),
        with("test", notification(NotificationKind::Test, Vec::new())),
    ]
}
