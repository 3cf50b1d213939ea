//! What the store holds: a shop with a bad morning.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready::clock::FixedClock;
use launchready::incident::{Book, Waiver};
use launchready::schedule::Schedule;
use launchready::store::{Attempt, AttemptOutcome, JobKey, JobSpec, Store};
use launchready::web::Facts;
use launchready_checks::contract::{Assessment, AtRisk, Status, Unseen};
use launchready_checks::registry;

use super::runs::{Run, commit, finding, measured};
use super::{HOSTILE, NOW, Page};

/// What `harbor` has at present; everything else passes.
fn present(
    check: &str,
    at: Timestamp,
) -> (Assessment, Option<(Status, &'static str, &'static str)>) {
    let mut assessment = measured(check, at.as_second() / 3_600, 0.0);
    match check {
        "mail-spf" => assessment.find(
            finding("spf-too-many-lookups", "harbor.example")
                .summary("harbor.example needs 11 look-ups; receivers stop at 10.")
                .saw("v=spf1 include:_spf.google.com include:amazonses.com include:hubspotemail.net ~all")
                .saw("include:_spf.google.com 4 look-ups, include:amazonses.com 1, include:hubspotemail.net 6")
                .fix("Let HubSpot bounce to `send.harbor.example` and take `include:hubspotemail.net` out of the record.")
                .undo("Put the old text of the TXT record back."),
        ),
        "web-uptime" => assessment.find(
            finding("endpoint-down", "https://app.harbor.example/checkout")
                .summary("https://app.harbor.example/checkout answers 503.")
                .saw("HTTP/1.1 503 Service Unavailable")
                .saw("2 of 2 looks in the last minute")
                .fix("Look at the last deploy: `vercel rollback` brings the one before back.")
                .undo("`vercel promote` brings the present deploy back."),
        ),
        "web-headers" => {
            assessment.find(
                finding("csp-missing", "https://www.harbor.example/")
                    .summary("https://www.harbor.example/ sends no Content-Security-Policy.")
                    .saw("no Content-Security-Policy header")
                    .fix("Send the header from `vercel.json`.")
                    .undo("Take the line out and redeploy."),
            );
            assessment.find(finding("referrer-policy-missing", "https://www.harbor.example/"));
        }
        "mail-transport" => {
            assessment.not_checked(
                Unseen::Condition,
                "STARTTLS of mx1.harbor.example",
                "this network lets nothing out to port 25",
                "run the agent where port 25 is open",
            );
        }
        "dns-subdomains" => {
            return (
                Assessment::default(),
                Some((Status::Unknown, "no resolver answers", "set network.resolvers in the config")),
            );
        }
        "secrets-source" => {
            return (
                Assessment::default(),
                Some((Status::Skipped, "no source folder is set", "set project.source in the config")),
            );
        }
        _ => {}
    }
    (assessment, None)
}

/// Fills the store with a week and 90 days of a shop with a bad morning.
pub(super) async fn fill(store: &dyn Store, facts: &Facts) {
    let now: Timestamp = NOW.parse().unwrap();
    let back = |minutes: i64| now.checked_sub(SignedDuration::from_mins(minutes)).unwrap();
    let jobs = facts.projects.iter().flat_map(|project| {
        registry::ALL.iter().map(|plugin| JobSpec {
            key: JobKey { project: project.name.clone(), check: plugin.meta.id.to_owned() },
            target: project.domain.clone(),
            schedule: Schedule::Every(Duration::from_mins(5)),
            phase: 0.0,
        })
    });
    store.sync_jobs(&jobs.collect::<Vec<_>>(), &FixedClock(back(90 * 24 * 60))).await.unwrap();
    let book = &facts.book;
    // A day in which it was down, long ago.
    for hours in (0..90 * 24).rev().step_by(4).filter(|hours| *hours > 7 * 24) {
        let mut assessment = measured("web-uptime", hours, 0.0);
        if (700..712).contains(&hours) {
            assessment.find(finding("endpoint-down", "https://app.harbor.example/checkout"));
        }
        let run = Run {
            project: "harbor",
            check: "web-uptime",
            at: back(hours * 60),
            assessment,
            reason: None,
        };
        commit(store, book, vec![run]).await;
    }
    // A slow evening in the last week.
    for hours in (1..=7 * 24).rev() {
        let slow = if (40..44).contains(&hours) { 0.9 } else { 0.0 };
        let runs = ["web-uptime", "tls-certificate", "mail-spf"].map(|check| Run {
            project: "harbor",
            check,
            at: back(hours * 60),
            assessment: measured(check, -hours, slow),
            reason: None,
        });
        commit(store, book, runs.into_iter().collect()).await;
    }
    for minutes in [10, 5] {
        let runs = registry::ALL.iter().map(|plugin| {
            let (assessment, reason) = present(plugin.meta.id, back(minutes));
            Run { project: "harbor", check: plugin.meta.id, at: back(minutes), assessment, reason }
        });
        commit(store, book, runs.collect()).await;
    }
    let mut bad = Assessment::default();
    bad.find(
        finding("spf-multiple", HOSTILE).summary(HOSTILE).saw(HOSTILE).fix(HOSTILE).undo(HOSTILE),
    );
    for minutes in [10, 5] {
        let run = Run {
            project: "quay",
            check: "mail-spf",
            at: back(minutes),
            assessment: bad.clone(),
            reason: None,
        };
        commit(store, book, vec![run]).await;
    }
    store.wake(book, &FixedClock(now)).await.unwrap();
    deliver(store, now).await;
    store
        .add_waiver(&Waiver {
            id: String::new(),
            project: "harbor".to_owned(),
            code: "referrer-policy-missing".to_owned(),
            subject: None,
            by: "Ada".to_owned(),
            reason: "old browsers are 0.1 % of our visitors".to_owned(),
            at: now,
            until: "2027-03-31T00:00:00Z".parse().unwrap(),
            last_used: None,
        })
        .await
        .unwrap();
}

/// One channel takes what it is sent, the other refuses once and is to be tried again.
async fn deliver(store: &dyn Store, now: Timestamp) {
    let later = now.checked_add(SignedDuration::from_mins(10)).unwrap();
    for claimed in store.claim("test", &[], later, Duration::from_mins(1)).await.unwrap() {
        let outcome = if claimed.delivery.channel == "ops" {
            let error = "HTTP 503 from hooks.slack.example".to_owned();
            AttemptOutcome::Retry { at: later, error }
        } else {
            AttemptOutcome::Sent
        };
        let attempt = Attempt { at: now, duration: Duration::from_millis(90), outcome };
        store.record_attempt("test", &claimed.delivery.id, &attempt, None).await.unwrap();
    }
}

/// Puts orders into a project that are out of step in five ways, first seen ten minutes ago.
pub(crate) async fn out_of_step(page: &Page, project: &str) {
    let now: Timestamp = NOW.parse().unwrap();
    let money = |currency: &str, amount_minor| {
        vec![AtRisk { currency: currency.to_owned(), amount_minor, count: 1 }]
    };
    let found = [
        (
            "orders-orphaned-checkouts",
            "checkout-without-order",
            "cs_live_a1lost",
            "Checkout cs_live_a1lost of EUR 89.00 was paid and has no order.",
            money("eur", 8_900),
        ),
        (
            "orders-orphaned-checkouts",
            "checkout-without-order",
            "cs_live_b2lost",
            "Checkout cs_live_b2lost of USD 99.00 was paid and has no order.",
            money("usd", 9_900),
        ),
        (
            "orders-unpaid",
            "order-not-marked-paid",
            "order-12",
            "Order order-12: pending in the database, succeeded in Stripe.",
            money("eur", 4_900),
        ),
        (
            "orders-unpaid",
            "order-active-after-reversal",
            "order-13",
            "Order order-13: active in the database, refunded in Stripe.",
            money("eur", 12_900),
        ),
        (
            "orders-unprocessed-events",
            "reversal-unprocessed",
            "evt_1dispute",
            "charge.dispute.created of 12 minutes ago has no row.",
            Vec::new(),
        ),
        (
            "crm-sync",
            "crm-order-missing",
            "order-14",
            "The order of buyer@customers.example never came to the CRM.",
            Vec::new(),
        ),
    ];
    for minutes in [10, 5] {
        let at = now.checked_sub(SignedDuration::from_mins(minutes)).unwrap();
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (check, code, subject, summary, at_risk) in &found {
            if !runs.iter().any(|run| run.check == *check) {
                runs.push(Run {
                    project,
                    check,
                    at,
                    assessment: Assessment::default(),
                    reason: None,
                });
            }
            let run = runs.iter_mut().find(|run| run.check == *check).unwrap();
            run.assessment.find(finding(code, subject).summary(*summary).at_risk(at_risk.clone()));
        }
        let why = "no help desk is configured";
        let reason = Some((Status::Skipped, why, "add [project.support] to the config"));
        runs.push(Run {
            project,
            check: "support-intake",
            at,
            assessment: Assessment::default(),
            reason,
        });
        commit(&*page.store, &Book::default(), runs).await;
    }
}
