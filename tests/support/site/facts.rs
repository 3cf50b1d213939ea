//! What the config of the page says.

use std::net::SocketAddr;
use std::sync::Arc;

use launchready::config::Secret;
use launchready::engine::{Account, Channel, Handover, SecretPlace, Watched};
use launchready::incident::{Book, ChannelRule};
use launchready::store::HeartbeatKey;
use launchready::web::{Facts, HeartbeatDoor, ProjectFacts};
use launchready_checks::contract::{AttestationFacts, Goal, Severity, Urgency};

use super::{JOB, JOB_TOKEN, Plan};

/// What a config says for whoever takes a project over.
fn handover() -> Handover {
    Handover {
        accounts: vec![Account {
            system: "Stripe".to_owned(),
            owner: Some("Ada Lovelace".to_owned()),
            mfa: Some(true),
            ..Account::default()
        }],
        secrets: vec![SecretPlace {
            key: "stripe.key".to_owned(),
            kept: "variable STRIPE_KEY".to_owned(),
            is_there: true,
        }],
        channels: ["founder", "ops"]
            .map(|name| Channel {
                name: name.to_owned(),
                kind: "email".to_owned(),
                severities: vec!["critical".to_owned(), "warning".to_owned()],
                fallback: None,
                delivered: 0,
                failed: 0,
            })
            .into(),
        watched: vec![Watched { check: "mail-spf".to_owned(), rhythm: "every 5m".to_owned() }],
        ..Handover::default()
    }
}

pub(super) fn facts(plan: &Plan, listen: SocketAddr) -> Facts {
    let project = |name: &str, public: bool| ProjectFacts {
        name: name.to_owned(),
        domain: format!("{}.example", name.replace(' ', "-")),
        goal: Goal::Launch,
        settled: vec!["automation".to_owned()],
        not_used: vec!["automation".to_owned()],
        public,
        timezone: "Europe/Berlin".to_owned(),
        recheck: format!("launchready check {{id}} --config config.toml --project {name}"),
        heartbeats: vec![(JOB.to_owned(), "every 24h, with 1h of grace".to_owned())],
        handover: Arc::new(handover()),
        signed: vec![AttestationFacts {
            item: "restore-tried".to_owned(),
            by: "Grace Hopper".to_owned(),
            at: "2026-11-02T09:00:00Z".parse().unwrap(),
            until: "2027-01-31T09:00:00Z".parse().unwrap(),
            note: "1204 orders came back".to_owned(),
            took: None,
            systems: None,
        }],
    };
    let key = HeartbeatKey { project: "harbor".to_owned(), name: JOB.to_owned() };
    let mut projects = vec![project("harbor", true), project("quay", true)];
    projects.extend(
        (0..plan.more).map(|number| project(&format!("stall {number:03}"), plan.more_public)),
    );
    let channel = |name: &str| ChannelRule {
        name: name.to_owned(),
        severities: vec![Severity::Critical, Severity::Warning],
        urgencies: vec![Urgency::Now, Urgency::Day],
        projects: Vec::new(),
        quiet: None,
        escalation: false,
        summary: false,
        fallback: None,
        ungrouped: false,
    };
    Facts {
        projects,
        book: Arc::new(Book {
            channels: if plan.untold {
                Vec::new()
            } else {
                vec![channel("founder"), channel("ops")]
            },
            ..Book::default()
        }),
        password: plan.password.map(Secret::new),
        metrics_token: plan.metrics_token.map(Secret::new),
        public_url: plan.public_url.map(str::to_owned),
        listen,
        heartbeats: vec![HeartbeatDoor::new(key, &Secret::new(JOB_TOKEN))],
    }
}
