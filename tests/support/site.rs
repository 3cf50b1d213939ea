//! A page on a loopback port with a store of realistic content.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use launchready::clock::Clock;
use launchready::config::Secret;
use launchready::engine::{Account, Channel, Handover, SecretPlace, Watched};
use launchready::incident::{Book, ChannelRule, RunSeen, SeenFinding, Sight, Waiver};
use launchready::schedule::Schedule;
use launchready::store::{
    Attempt, AttemptOutcome, Finished, HeartbeatKey, JobKey, JobSpec, Store, open,
};
use launchready::web::{
    Facts, HeartbeatDoor, MetricsPage, ProbeNow, ProbeRefused, ProjectFacts, Ready, Site, router,
    serve,
};
use launchready_checks::contract::{
    Assessment, AtRisk, AttestationFacts, Finding, Goal, Severity, Status, Unseen, Urgency,
};
use launchready_checks::registry;
use tokio::sync::{oneshot, watch};

/// The time that it is.
pub(crate) const NOW: &str = "2026-11-22T08:00:00Z";

/// A job of `harbor` that has promised to call, and the token that it calls with.
pub(crate) const JOB: &str = "nightly-backup";
pub(crate) const JOB_TOKEN: &str = "job-Wn5tQ8zKe2-Ba71";

/// A clock that a test moves.
#[derive(Debug)]
pub(crate) struct Hand(Mutex<Timestamp>);

impl Hand {
    pub(crate) fn forward(&self, minutes: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Metrics of three shards.
struct Metrics;

impl MetricsPage for Metrics {
    fn render(&self, shard: Option<(u32, u32)>, openmetrics: bool) -> Result<String, String> {
        match shard {
            None => Err("There are too many series for one answer.".to_owned()),
            Some((index, count)) => Ok(format!("shard_{index}_of_{count} {openmetrics}\n")),
        }
    }

    fn shards(&self) -> u32 {
        3
    }
}

/// Probes one host.
struct OneHost;

#[async_trait]
impl ProbeNow for OneHost {
    async fn probe(
        &self,
        module: &str,
        target: &str,
        limit: Duration,
    ) -> Result<String, ProbeRefused> {
        match (module, target) {
            ("http_2xx", "harbor.example") => Ok(format!("probe_success 1 # {limit:?}\n")),
            ("http_2xx", other) => Err(ProbeRefused::Target(other.to_owned())),
            (other, _) => {
                Err(ProbeRefused::Module { name: other.to_owned(), known: "http_2xx".to_owned() })
            }
        }
    }
}

/// Ready or not.
struct Switch(Mutex<Result<(), String>>);

impl Ready for Switch {
    fn ready(&self) -> Result<(), String> {
        self.0.lock().unwrap().clone()
    }
}

/// What a page is started with.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) password: Option<&'static str>,
    pub(crate) metrics_token: Option<&'static str>,
    pub(crate) public_url: Option<&'static str>,
    /// Whether the config has no channel.
    pub(crate) untold: bool,
    /// Projects beside `harbor` and `quay`.
    pub(crate) more: usize,
    /// Whether strangers see those.
    pub(crate) more_public: bool,
}

/// The page, and what it stands on.
pub(crate) struct Page {
    pub(crate) at: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<Hand>,
    pub(crate) ready: Arc<dyn Fn(Result<(), String>) + Send + Sync>,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A text that would act in a page if it were not escaped.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script>\" onload='x' {{7*7}} \u{202e}<img src=x onerror=alert(1)>";

impl Page {
    /// Starts the page with what `fill` puts into the store.
    pub(crate) async fn start(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite:{}", folder.path().join("store.db").display());
        let store: Arc<dyn Store> = open(&address, folder.path()).await.unwrap();
        let clock = Arc::new(Hand(Mutex::new(NOW.parse().unwrap())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let facts = Arc::new(facts(plan, at));
        fill(&*store, &facts).await;
        let ready = Arc::new(Switch(Mutex::new(Ok(()))));
        let (_send, receive) = watch::channel(facts);
        let site = Site {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            facts: receive,
            metrics: Arc::new(Metrics),
            probe_now: Arc::new(OneHost),
            ready: Arc::clone(&ready) as Arc<dyn Ready>,
        };
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::new(site));
        let served = tokio::spawn(async move {
            serve(listener, router, async { _ = stopped.await }).await.unwrap();
        });
        let set = move |state| *ready.0.lock().unwrap() = state;
        Self { at, store, clock, ready: Arc::new(set), stop: Some(stop), served, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Stops the page; every connection ends.
    pub(crate) async fn stop(mut self) {
        _ = self.stop.take().unwrap().send(());
        (&mut self.served).await.unwrap();
        self.store.close().await;
    }
}

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

fn facts(plan: &Plan, listen: SocketAddr) -> Facts {
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

/// A run of a check with what it concluded.
pub(crate) struct Run<'a> {
    pub(crate) project: &'a str,
    pub(crate) check: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) assessment: Assessment,
    pub(crate) reason: Option<(Status, &'a str, &'a str)>,
}

impl Run<'_> {
    fn finished(self) -> Finished {
        let plugin = registry::find(self.check).unwrap();
        let target = format!("{}.example", self.project.replace(' ', "-"));
        let seen = |finding: &Finding| SeenFinding {
            code: finding.code.clone(),
            severity: finding.severity,
            urgency: finding.urgency,
            fingerprint: finding.fingerprint.clone(),
            title: registry::find_code(&finding.code).unwrap().1.title.to_owned(),
            subject: finding.subject.clone(),
            summary: finding.summary.clone(),
            why: finding.why.clone(),
            evidence: finding.evidence.clone(),
            fix: finding.fix.clone(),
            undo: finding.undo.clone(),
            certain: true,
        };
        let sight = match self.reason {
            None => Sight::Looked { unseen_parts: Vec::new() },
            Some((Status::Skipped, _, _)) => Sight::Skipped,
            Some((_, cause, unlock)) => Sight::Blind {
                cause: cause.to_owned(),
                unlock: unlock.to_owned(),
                unseen: Unseen::Condition,
                runs: 1,
                since: self.at,
                own_network: false,
            },
        };
        let next = SignedDuration::from_mins(5);
        Finished {
            key: JobKey { project: self.project.to_owned(), check: self.check.to_owned() },
            due_at: self.at,
            started_at: self.at,
            duration: Duration::from_millis(184),
            status: self.reason.map_or_else(|| self.assessment.status(), |(status, _, _)| status),
            reason: self.reason.map(|(_, why, unlock)| (why.to_owned(), unlock.to_owned())),
            evidence: None,
            carry: None,
            windows: Vec::new(),
            seen: RunSeen {
                project: self.project.to_owned(),
                check: self.check.to_owned(),
                check_title: plugin.meta.title.to_owned(),
                target,
                at: self.at,
                first: false,
                last_look: None,
                sight,
                findings: self.assessment.findings.iter().map(seen).collect(),
                expired: Vec::new(),
                recheck: format!(
                    "launchready check {} --config config.toml --project {}",
                    self.check, self.project
                ),
            },
            assessment: self.assessment,
            next_due: self.at.checked_add(next).unwrap(),
        }
    }
}

fn finding(code: &str, subject: &str) -> Finding {
    registry::find_code(code).unwrap().1.finding(subject)
}

/// The measurements of a check at some time, with a daily wave in them.
fn measured(check: &str, hour: i64, slow: f64) -> Assessment {
    let mut assessment = Assessment::default();
    let wave = (hour as f64 / 24.0 * std::f64::consts::TAU).sin();
    let plugin = registry::find(check).unwrap();
    for spec in plugin.meta.measurements {
        let value = match (check, spec.name) {
            ("web-uptime", "p95") => 0.42 + 0.12 * wave + slow,
            ("web-uptime", "first-byte-p95") => 0.21 + 0.06 * wave + slow / 2.0,
            ("web-uptime", _) => 1.0,
            ("tls-certificate", _) => 1_798_000_000.0,
            ("mail-spf", "lookups") => 11.0,
            _ => 0.0,
        };
        let subject = spec.label.map(|label| match label {
            "endpoint" => "checkout",
            "domain" => "harbor.example",
            _ => "app.harbor.example",
        });
        let bounds = match spec.name {
            "p95" => (Some(0.8), Some(2.0)),
            "lookups" => (None, Some(10.0)),
            _ => (None, None),
        };
        assessment.measure(spec.value(subject, value).bounds(bounds.0, bounds.1));
    }
    assessment
}

async fn commit(store: &dyn Store, book: &Book, runs: Vec<Run<'_>>) {
    let runs: Vec<_> = runs.into_iter().map(Run::finished).collect();
    store.commit(&runs, book).await.unwrap();
}

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
async fn fill(store: &dyn Store, facts: &Facts) {
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
    store.sync_jobs(&jobs.collect::<Vec<_>>(), back(90 * 24 * 60)).await.unwrap();
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
    store.wake(book, now).await.unwrap();
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
        store.record_attempt(&claimed.delivery.id, &attempt, None).await.unwrap();
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
