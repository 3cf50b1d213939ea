//! Each planted crossing of a threshold reaches a mailbox and a Slack endpoint: once when it opens, on
//! time while it lasts, once when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use launchready::incident::{ChangeKind, Incident, State};
use launchready::store::{IncidentFilter, IncidentRecord, Store};
use launchready_checks::contract::Need;
use launchready_checks::registry;
use launchready_lab::{Mail, SinkKind, World};

use crate::planted::{Found, planted};
use crate::rig::{PATIENCE, Rig, Setup, table};

/// Reminders come so often here, so that the test sees them.
const REMINDER: &str = "30m";

/// Defects that lie in the past: the agent has read that past and reads it again once a day only, so that
/// its memory of it is taken away when the lab rewrites it.
const REWRITE_THE_PAST: [&str; 2] = ["automation-fails", "orders-missing"];

/// The checks look only when they are told to: what is timed here is the telling.
fn on_call(config: &mut toml::Table) {
    for plugin in registry::ALL {
        let check = table(config, &["checks", plugin.meta.id]);
        check.insert("every".to_owned(), "30d".into());
    }
    let defaults = table(config, &["defaults"]);
    defaults.insert("reminder".to_owned(), REMINDER.into());
    defaults.insert("flap_turns".to_owned(), 1000.into());
}

async fn rig() -> Rig {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 300.0, edit: &on_call }).await;
    rig.start_ready().await;
    rig.wait_for("every check has looked", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("harbor")).await.unwrap();
        latest.iter().all(|run| run.at.is_some())
    })
    .await;
    rig
}

async fn open(store: &dyn Store, found: &Found) -> Option<Incident> {
    let filter = IncidentFilter { check: Some(found.check.clone()), ..IncidentFilter::default() };
    let all = store.incidents(&filter).await.unwrap();
    all.into_iter().find(|incident| incident.key.code == found.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_crossing_is_told_once_when_it_opens_and_once_when_it_is_over() {
    let list = planted();
    let mut rig = rig().await;
    assert_eq!(rig.mailbox.mails().len(), 0, "the healthy world gives no message");
    let store = rig.store().await;
    let mut tried = 0;
    for entry in &list {
        let told: Vec<&Found> = entry.findings.iter().filter(|it| it.severity != "info").collect();
        if told.is_empty() {
            continue;
        }
        tried += 1;
        let healthy = declared(&rig);
        rig.lab.plant(&entry.defect).await.unwrap();
        take_over(&rig, &healthy).await;
        let checks: BTreeSet<&str> = told.iter().map(|found| found.check.as_str()).collect();
        let rewritten = REWRITE_THE_PAST.contains(&entry.defect.as_str());
        if rewritten {
            rig.forget_what_was_read(&checks).await;
        }
        look(&rig, &checks).await;
        let mut records = Vec::new();
        for found in &told {
            rig.wait_for(&format!("{}: {} opens", entry.defect, found.code), async |_: &Rig| {
                open(&*store, found).await.is_some_and(|it| it.told_at.is_some())
            })
            .await;
            let incident = open(&*store, found).await.unwrap();
            heard(&rig, &incident, found).await;
            records.push(incident.id);
        }
        let broken = declared(&rig);
        rig.lab.heal(&entry.defect).await.unwrap();
        take_over(&rig, &broken).await;
        if rewritten {
            rig.forget_what_was_read(&checks).await;
        }
        look(&rig, &checks).await;
        for (id, found) in records.iter().zip(&told) {
            rig.wait_for(&format!("{}: {} is over", entry.defect, found.code), async |_: &Rig| {
                let record = store.incident(id).await.unwrap().unwrap();
                record.incident.state == State::Resolved && all_sent(&record)
            })
            .await;
            let record = store.incident(id).await.unwrap().unwrap();
            let count = |kind| record.changes.iter().filter(|change| change.kind == kind).count();
            assert_eq!(count(ChangeKind::Opened), 1, "{record:?}");
            assert_eq!(count(ChangeKind::Resolved), 1, "{record:?}");
            over(&rig, &record).await;
        }
        rig.mailbox.clear();
        rig.sinks.clear();
    }
    println!("{tried} defects were told and are over");
    assert!(tried >= 40, "{tried}");
    rig.stop().await;
}

/// Has the checks look again, those first whose figures one of them counts.
async fn look(rig: &Rig, checks: &BTreeSet<&str>) {
    let needs = checks.iter().flat_map(|id| registry::find(id).unwrap().meta.needs);
    let figures = needs.filter_map(|need| match need {
        Need::Figures(figures) => Some(figures.iter().map(|(check, _)| *check)),
        Need::Ownership | Need::Setting(_) => None,
    });
    let counted: BTreeSet<&str> = figures.flatten().collect();
    let before = rig.now();
    rig.look_again_at("harbor", &counted).await;
    rig.wait_for("what is counted has looked", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("harbor")).await.unwrap();
        let mut own = latest.iter().filter(|run| counted.contains(run.key.check.as_str()));
        own.all(|run| run.at.is_some_and(|at| at >= before))
    })
    .await;
    rig.look_again_at("harbor", checks).await;
}

/// What stands in files: the config, and what people have signed.
fn declared(rig: &Rig) -> String {
    let signed = std::fs::read_to_string(rig.path().join("attestations.toml"));
    rig.lab.config_toml() + &signed.unwrap_or_default()
}

/// Some defects lie in what is declared: the agent reads its config again then.
async fn take_over(rig: &Rig, before: &str) {
    if declared(rig) == before {
        return;
    }
    let count = |rig: &Rig| rig.log().matches("the config was read again").count();
    let earlier = count(rig);
    rig.write_config(&on_call);
    rig.signal("HUP");
    rig.wait_for("the config is read again", async |rig: &Rig| count(rig) > earlier).await;
}

/// A mail and a Slack message about the opening hold everything that a reader needs.
async fn heard(rig: &Rig, incident: &Incident, found: &Found) {
    let about = |subject: &str| found.is_about(&found.code, subject);
    let member = incident.members.values().find(|it| about(&it.subject));
    let member = member.unwrap_or_else(|| panic!("{found:?}: {:?}", incident.members));
    let is_about = |mail: &Arc<Mail>| tells(mail, &incident.title);
    let mails = rig
        .mailbox
        .wait_for(|mails| mails.iter().any(is_about), PATIENCE)
        .await
        .unwrap_or_else(|| panic!("no mail about {}: {}", incident.title, rig.tail()));
    let mail = mails.iter().find(|mail| is_about(mail)).unwrap();
    let text = text_of(mail);
    let since = incident.first_seen.strftime("%H:%M").to_string();
    let parts: [(&str, &str); 6] = [
        ("the summary, with the threshold", &member.summary),
        ("since when", &since),
        ("why it matters", &incident.why),
        ("the fix", &member.fix),
        ("the undo", &member.undo),
        ("the command that looks again", &incident.recheck),
    ];
    for (what, part) in parts {
        let begin: String = squeeze(part).chars().take(60).collect();
        assert!(text.contains(&begin), "{}: {what} is missing ({begin:?}) in\n{text}", found.code);
    }
    let evidence = member.evidence.first().map(|line| squeeze(line)).unwrap_or_default();
    let begin: String = evidence.chars().take(40).collect();
    assert!(text.contains(&begin), "{}: the evidence {begin:?} is missing in\n{text}", found.code);
    let html = mail.html.clone().unwrap();
    assert!(squeeze(&html).contains("<html"), "there is a form with colours too");

    let slack = rig
        .sinks
        .wait_for(
            SinkKind::Slack,
            |all| all.iter().any(|one| squeeze(&one.text()).contains(&json(&incident.title))),
            PATIENCE,
        )
        .await
        .unwrap_or_else(|| panic!("no Slack message about {}: {}", incident.title, rig.tail()));
    let one =
        slack.iter().find(|one| squeeze(&one.text()).contains(&json(&incident.title))).unwrap();
    let begin: String = incident.recheck.chars().take(40).collect();
    assert!(one.text().contains(&json(&begin)), "{}", one.text());
}

/// The recovery is told too, and once.
async fn over(rig: &Rig, record: &IncidentRecord) {
    let title = &record.incident.title;
    let is_end =
        |mail: &Arc<Mail>| tells(mail, title) && text_of(mail).to_lowercase().contains("resolved");
    let mails = rig.mailbox.wait_for(|mails| mails.iter().any(is_end), PATIENCE).await;
    let mails = mails.unwrap_or_else(|| panic!("no mail that {title} is over: {}", rig.tail()));
    assert_eq!(mails.iter().filter(|mail| is_end(mail)).count(), 1, "{title}");
}

/// A mail about what happens. That of the week names what is open and how much was resolved, too: on a Sunday its
/// time may come while this runs.
fn tells(mail: &Mail, title: &str) -> bool {
    mail.subject.starts_with("[harbor]") && text_of(mail).contains(&squeeze(title))
}

fn all_sent(record: &IncidentRecord) -> bool {
    record.deliveries.iter().all(|it| it.sent_at.is_some())
}

fn text_of(mail: &Mail) -> String {
    squeeze(mail.text.as_deref().unwrap_or_default())
}

/// Text with single blanks: mail wraps its lines.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As it stands inside a JSON string, with what Slack wants escaped.
fn json(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lasts_is_told_again_on_time_until_somebody_is_on_it() {
    let mut rig = rig().await;
    let store = rig.store().await;
    let found = Found {
        check: "dns-resolution".to_owned(),
        code: "dns-transfer-open".to_owned(),
        severity: "warning".to_owned(),
        subject: "harbor.example".to_owned(),
    };
    rig.lab.plant("zone-transfer-open").await.unwrap();
    rig.look_again("harbor").await;
    let reminders = async |wanted: usize| {
        rig.wait_for(&format!("{wanted} reminders"), async |_: &Rig| {
            let Some(incident) = open(&*store, &found).await else { return false };
            kinds(&*store, &incident.id).await.get("reminded").copied().unwrap_or_default()
                >= wanted
        })
        .await;
    };
    reminders(3).await;
    let incident = open(&*store, &found).await.unwrap();
    let record = store.incident(&incident.id).await.unwrap().unwrap();
    let told: Vec<Timestamp> = record
        .changes
        .iter()
        .filter(|it| matches!(it.kind, ChangeKind::Opened | ChangeKind::Reminded))
        .map(|change| change.at)
        .collect();
    for pair in told.windows(2) {
        let gap = launchready::clock::between(pair[0], pair[1]);
        // A look takes real time, of which a fast clock passes more than its record says.
        assert!(gap.as_secs() >= 30 * 60 - 5, "reminded after {gap:?}: {told:?}");
    }

    let status = rig
        .post(
            &format!("/api/v1/incidents/{}/ack", incident.id),
            &serde_json::json!({"by": "the night watch", "note": "looking at it"}),
        )
        .await;
    assert_eq!(status, 200);
    let before = kinds(&*store, &incident.id).await;
    // Two more spans of a reminder pass on the agent's clock.
    let until = launchready::clock::later(rig.now(), std::time::Duration::from_mins(70));
    rig.wait_for("time passes", async |rig: &Rig| rig.now() >= until).await;
    let after = kinds(&*store, &incident.id).await;
    assert_eq!(before.get("reminded"), after.get("reminded"), "nobody is reminded any more");
    assert_eq!(after.get("acknowledged"), Some(&1));
    rig.stop().await;
}

/// How often each kind of change was recorded and told.
async fn kinds(store: &dyn Store, id: &str) -> BTreeMap<&'static str, usize> {
    let mut all = BTreeMap::new();
    for change in store.incident(id).await.unwrap().unwrap().changes {
        *all.entry(change.kind.as_str()).or_default() += 1;
    }
    all
}
