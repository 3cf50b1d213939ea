//! The approved state: what is approved by the command, what changes behind the agent's back, and that the
//! rollback note of the alert, applied as it is printed, restores what was approved.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "support/port.rs"]
mod port;

#[allow(dead_code, reason = "it serves other tests too")]
#[path = "support/rig.rs"]
mod rig;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use launchready::incident::{Incident, State};
use launchready::store::IncidentFilter;
use launchready_checks::registry;
use launchready_lab::World;
use rig::{Rig, Setup, table};
use serde_json::Value;

#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn say(rig: &Rig, words: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .current_dir(rig.path())
        .env("USER", "founder")
        .env_remove("SUDO_USER")
        .args(["--quiet"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The checks look only when they are told to.
fn on_call(config: &mut toml::Table) {
    for plugin in registry::ALL {
        table(config, &["checks", plugin.meta.id]).insert("every".to_owned(), "30d".into());
    }
}

async fn rig() -> Rig {
    let world = World::load("healthy").unwrap();
    Rig::new(Setup { world, speed: 300.0, edit: &on_call }).await
}

async fn incident(rig: &Rig, code: &str) -> Option<Incident> {
    let all = rig.store().await.incidents(&IncidentFilter::default()).await.unwrap();
    all.into_iter().find(|incident| incident.key.code == code)
}

/// What changes behind the agent's back, the finding that tells it, and how a person applies its note.
struct Change {
    check: &'static str,
    code: &'static str,
    edit: &'static str,
    /// The world's change that the printed note asks for.
    apply: fn(&str, Timestamp) -> String,
}

/// The lines of a note that begin with one of these words.
fn lines<'a>(note: &'a str, start: &str) -> Vec<&'a str> {
    let all = note.lines().filter(|line| line.starts_with(start));
    all.map(|line| line.trim_start_matches(start).trim()).collect()
}

fn put_records(note: &str, _start: Timestamp) -> String {
    let records: Vec<String> = lines(note, "harbor.example. IN ")
        .into_iter()
        .map(|line| format!("'@ 300 {line}'"))
        .collect();
    assert!(!records.is_empty(), "{note}");
    format!(
        "[zone.\"harbor.example\"]\n\"records-\" = [\"@ MX\"]\n\"records+\" = [{}]\n",
        records.join(", ")
    )
}

fn put_webhook(note: &str, _start: Timestamp) -> String {
    assert!(note.contains("we_1PxHarborMain") && note.contains("\nenabled\n"), "{note}");
    let quoted: Vec<String> =
        lines(note, "event ").into_iter().map(|kind| format!("\"{kind}\"")).collect();
    format!(
        "[api.stripe.webhook.PxHarborMain]\nurl = \"{}\"\nstatus = \"enabled\"\nevents = [{}]\n",
        lines(note, "address ")[0],
        quoted.join(", ")
    )
}

/// Restores the version of the printed time: the lab tells of an edit by its day.
fn restore_version(note: &str, start: Timestamp) -> String {
    let at = note.split("restore the version of ").nth(1).unwrap();
    let at: Timestamp = at.split(',').next().unwrap().parse().unwrap();
    assert!(note.contains("aB3dE5fG7hI9jK1l"), "{note}");
    let days = (start.as_second() - at.as_second() + 43_200) / 86_400;
    format!("[api.n8n.flow.order]\ndoes = \"\"\nedited_days = {days}\n")
}

fn switch_on(note: &str, _start: Timestamp) -> String {
    assert!(note.contains("switch “New order to CRM” (aB3dE5fG7hI9jK1l) on"), "{note}");
    "[api.n8n.flow.order]\nactive = true\n".to_owned()
}

const CHANGES: [Change; 4] = [
    Change {
        check: "dns-drift",
        code: "dns-mx-changed",
        edit: "[zone.\"harbor.example\"]\n\"records-\" = [\"@ MX\"]\n\"records+\" = ['@ 300 MX 10 mail.stranger.example.']\n",
        apply: put_records,
    },
    Change {
        check: "stripe-webhooks",
        code: "stripe-webhook-changed",
        edit: "[api.stripe.webhook.PxHarborMain]\nurl = \"https://app.harbor.example/api/stripe\"\nevents = [\"customer.created\", \"checkout.session.completed\"]\n",
        apply: put_webhook,
    },
    Change {
        check: "automation-runs",
        code: "automation-edited",
        edit: "[api.n8n.flow.order]\ndoes = \"elsewhere\"\nedited_days = 0\n",
        apply: restore_version,
    },
    Change {
        check: "automation-runs",
        code: "automation-switched-off",
        edit: "[api.n8n.flow.order]\nactive = false\n",
        apply: switch_on,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rollback_note_applied_as_printed_restores_the_baseline() {
    let mut rig = rig().await;
    let start = rig.now();
    let approved = say(&rig, &["baseline", "approve", "--note", "before the launch"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    rig.start_ready().await;
    rig.wait_for("every check has looked", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("harbor")).await.unwrap();
        latest.iter().all(|run| run.at.is_some())
    })
    .await;
    assert_eq!(rig.mailbox.mails().len(), 0, "what is as approved gives no message");
    for Change { check, code, edit, apply } in CHANGES {
        let checks = BTreeSet::from([check]);
        let healthy = World::load("healthy").unwrap();
        let changed = healthy.changed(edit).unwrap();
        rig.lab.replace(&changed).await.unwrap();
        rig.look_again_at("harbor", &checks).await;
        rig.wait_for(&format!("{code} is told"), async |rig: &Rig| {
            incident(rig, code).await.is_some_and(|it| it.told_at.is_some())
        })
        .await;
        let told = incident(&rig, code).await.unwrap();
        let note = told.members.values().next().unwrap().fix.clone();
        // The alert itself holds the whole note.
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        let mails = rig
            .mailbox
            .wait_for(
                |mails| {
                    mails.iter().any(|mail| {
                        squeeze(mail.text.as_deref().unwrap_or_default()).contains(&squeeze(&note))
                    })
                },
                rig::PATIENCE,
            )
            .await;
        assert!(mails.is_some(), "no mail holds the note of {code}: {note}\n{}", rig.tail());
        let restored = changed.changed(&apply(&note, start)).unwrap();
        rig.lab.replace(&restored).await.unwrap();
        rig.look_again_at("harbor", &checks).await;
        rig.wait_for(&format!("{code} is over"), async |rig: &Rig| {
            let record = rig.store().await.incident(&told.id).await.unwrap().unwrap();
            record.incident.state == State::Resolved
        })
        .await;
        let same = say(&rig, &["baseline", "diff"]);
        assert_eq!(same.code, Some(0), "{code}: {same:?}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_approved_is_shown_compared_and_never_lost() {
    let rig = rig().await;
    let none = say(&rig, &["baseline", "diff"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(
        none.err.contains("nothing is approved") && none.err.contains("baseline approve"),
        "{none:?}"
    );
    let typo = say(&rig, &["baseline", "approve", "--check", "dns-drfit"]);
    assert_eq!(typo.code, Some(2));
    assert!(typo.err.contains("did you mean \"dns-drift\"?"), "{typo:?}");
    let other = say(&rig, &["baseline", "approve", "--check", "mail-spf"]);
    assert!(other.code == Some(2) && other.err.contains("mail-spf measures no drift"), "{other:?}");
    let only = say(&rig, &["baseline", "approve", "--check", "dns-drift", "--by", "Ada"]);
    assert_eq!(only.code, Some(0), "{only:?}");
    assert!(only.out.contains("approved      DNS records (dns-drift)"), "{only:?}");
    let shown = say(&rig, &["baseline", "show", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!((shown.as_array().unwrap().len(), shown[0]["by"].as_str()), (1, Some("Ada")));
    let records = shown[0]["facts"]["harbor.example MX"].as_array().unwrap();
    assert_eq!(records.len(), 3, "{records:?}");
    let all = say(&rig, &["baseline", "approve", "--note", "all of it"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    let shown = say(&rig, &["baseline", "show"]);
    for what in [
        "DNS records",
        "security headers",
        "redirects",
        "issuers of certificates",
        "webhook endpoints of Stripe",
        "automations",
    ] {
        assert!(shown.out.contains(what), "{what}: {shown:?}");
        assert!(all.out.contains(&format!("approved      {what}")), "{what}: {all:?}");
    }
    assert!(shown.out.contains("by founder: all of it"), "{shown:?}");
    // An audit measures drift against it, and a change is told with both states.
    let changed = World::load("healthy").unwrap().changed(
        "[zone.\"harbor.example\"]\n\"records-\" = [\"@ MX\"]\n\"records+\" = ['@ 300 MX 10 mail.stranger.example.']\n",
    );
    rig.lab.replace(&changed.unwrap()).await.unwrap();
    let diff = say(&rig, &["baseline", "diff"]);
    assert_eq!(diff.code, Some(1), "{diff:?}");
    assert!(diff.out.contains("+ harbor.example. IN MX 10 mail.stranger.example."), "{diff:?}");
    assert!(diff.out.contains("- harbor.example. IN MX 1 aspmx.l.google.com."), "{diff:?}");
    let audit = say(
        &rig,
        &["audit", "--config", "launchready.toml", "--only", "dns-drift", "--format", "json"],
    );
    assert!(audit.out.contains("dns-mx-changed"), "{audit:?}");
    // Approving it makes it right.
    assert_eq!(say(&rig, &["baseline", "approve"]).code, Some(0));
    assert_eq!(say(&rig, &["baseline", "diff"]).code, Some(0));
}
