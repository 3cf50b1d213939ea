//! Requests at the lab's desk: what triggers do to them is told right, and nothing of them is left.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::{Clock as _, FastClock, SystemClock};
use launchready::config::{Config, parse};
use launchready::connect::{Reach, accounts};
use launchready::drill::{
    Drill, Outcome, Plan, Ran, Scene, StepState, Undo, UndoState, new_mark, outcome, plan, run,
    undo,
};
use launchready::store::{Store, open};
use launchready_checks::probe::{Conversation, Period};
use launchready_lab::{Lab, LabOptions, World};
use tempfile::TempDir;

/// The desk's clock runs so fast that its minutes are seconds.
const SPEED: f64 = 60.0;
const GROUND: &str = r#"
[project]
name = "harbor"
domain = "harbor.example"

[project.support]
kind = "zendesk"
user = "a@harbor.example"
token = { file = "desk.key" }
api = "lab:zendesk"

[zone."."]
records = ['@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400']

[name_server]

[resolver.only]

[secret]
"desk.key" = "sesame"
"desk.write" = "open wide"

[api.zendesk]
user = "a@harbor.example"
token = "sesame"
writer = "open wide"
groups = { 77 = "Money" }
"#;
const REQUEST: &str = "
[[project.drill.request]]
subject = \"I want my money back\"
text = \"Please.\"
tags = [\"refund\"]
queue = \"Money\"
";
const KEY: &str = "[project.drill]\nsupport_token = { file = \"desk.write\" }\n";

/// A desk with its triggers.
struct Desk {
    lab: Lab,
    clock: Arc<FastClock>,
    config: Config,
    store: Arc<dyn Store>,
    _folder: TempDir,
}

impl Desk {
    async fn start(drill: &str, triggers: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::from_toml(&format!("{GROUND}{triggers}\n{drill}")).unwrap();
        let now = SystemClock.now();
        let dir = folder.path().to_owned();
        let options = LabOptions { now, delay: Duration::ZERO, speed: SPEED, dir };
        let lab = Lab::start(&world, options).await.unwrap();
        let clock = Arc::new(FastClock::new(now, SPEED));
        let config = parse(&lab.config_toml(), folder.path());
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        let store = open("sqlite:launchready.db", folder.path()).await.unwrap();
        Self { lab, clock, config, store, _folder: folder }
    }

    async fn scene<T>(&self, mark: &str, work: impl AsyncFnOnce(&Scene<'_>) -> T) -> T {
        let project = &self.config.projects[0];
        // The first test of a process installs it, and the others find it there.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let clock = Arc::clone(&self.clock);
        let reach = Reach::new(client, clock);
        let ports = accounts(&project.accounts, &reach);
        let table = project.drill.clone().unwrap_or_default();
        let scene = Scene {
            project: "harbor",
            domain: "harbor.example",
            began: reach.clock.now(),
            mark,
            table: &table,
            accounts: &project.accounts,
            reach: &reach,
            ports: &ports,
            store: &self.store,
            channels: &[],
        };
        work(&scene).await
    }

    async fn drill(&self) -> (Plan, Ran, Vec<Undo>) {
        let mark = new_mark().unwrap();
        self.scene(&mark, async |scene| {
            let plan = plan(Drill::SupportRouting, scene).await;
            let ran = run(Drill::SupportRouting, scene).await;
            (plan, ran, undo(Drill::SupportRouting, scene).await)
        })
        .await
    }

    /// How many requests of drills the desk lists.
    async fn left(&self) -> usize {
        self.scene("launchready_drill_0", async |scene| {
            let mut count = 0;
            let mut take = |one: Conversation| count += usize::from(one.id.starts_with("700000"));
            let period = Period { since: Timestamp::UNIX_EPOCH, until: None };
            scene.ports.desk.get().unwrap().created(period, &mut take).await.unwrap();
            count
        })
        .await
    }
}

fn state(ran: &Ran, part: &str) -> (StepState, String) {
    let step = ran.steps.iter().find(|step| step.what.contains(part));
    let step = step.unwrap_or_else(|| panic!("no step {part}: {:#?}", ran.steps));
    (step.state, format!("{} {}", step.saw, step.fix.as_deref().unwrap_or_default()))
}

#[tokio::test]
async fn requests_that_are_routed_pass_and_nothing_is_left() {
    let triggers = "[[api.zendesk.trigger]]\nacknowledged_s = 3\n\
                    [[api.zendesk.trigger]]\nsubject = \"money\"\ntags = [\"Refund\"]\ngroup = 77\n";
    let desk = Desk::start(&format!("{KEY}{REQUEST}"), triggers).await;
    let (plan, ran, undone) = desk.drill().await;
    assert_eq!(plan.lacks, Vec::<String>::new());
    assert_eq!(outcome(&ran.steps), Outcome::Passed, "{:#?}", ran.steps);
    assert_eq!(ran.steps.len(), 4);
    assert_eq!(state(&ran, "acknowledged").1.trim(), "after 3 s");
    assert_eq!(state(&ran, "reaches Money").1.trim(), "Money");
    let told: Vec<_> = undone.iter().map(|one| (one.what.as_str(), one.state)).collect();
    let wanted = [
        ("1 request at the help desk", UndoState::Done),
        ("the customer of the drill at the help desk", UndoState::Done),
    ];
    assert_eq!((told, desk.left().await), (wanted.to_vec(), 0));
    let text = format!("{plan:?} {ran:?} {undone:?}");
    assert!(!text.contains("sesame") && !text.contains("open wide"), "{text}");
    desk.lab.stop().await;
}

#[tokio::test]
async fn what_no_trigger_does_and_what_comes_late_is_broken() {
    let desk = Desk::start(&format!("{KEY}{REQUEST}"), "").await;
    let (_, ran, _) = desk.drill().await;
    for (part, words) in [
        ("has the tags refund", "no tag make a trigger"),
        ("reaches Money", "no queue make a trigger"),
        ("acknowledged", "no rule has written to the customer turn on the trigger"),
    ] {
        let (state, text) = state(&ran, part);
        assert!(state == StepState::Broken && text.contains(words), "{part}: {text}");
    }
    assert_eq!(desk.left().await, 0);
    desk.lab.stop().await;
    let triggers = "[[api.zendesk.trigger]]\nacknowledged_s = 70\ntags = [\"any\"]\ntwice = true\n";
    // Without requests in the config it is a refund and a login, of which some tag is demanded.
    let desk = Desk::start(KEY, triggers).await;
    let (plan, ran, undone) = desk.drill().await;
    assert!(plan.proves[0].contains("no [[project.drill.request]] says which"), "{plan:?}");
    assert_eq!(state(&ran, "Refund for my order: it has a tag").0, StepState::Held);
    let (late, text) = state(&ran, "I cannot log in: it is acknowledged within 60 s");
    assert!(late == StepState::Broken && text.contains("after 70 s"), "{text}");
    let (twice, text) = state(&ran, "arrives as one request");
    assert!(twice == StepState::Broken && text.contains("4 requests came of 2"), "{text}");
    assert_eq!(undone[0].what, "4 requests at the help desk");
    assert_eq!(desk.left().await, 0);
    desk.lab.stop().await;
}

#[tokio::test]
async fn a_drill_that_was_killed_is_taken_back_and_a_key_that_only_reads_is_told() {
    let triggers = "[[api.zendesk.trigger]]\nacknowledged_s = 3\ntags = [\"refund\"]\ngroup = 77\n";
    let desk = Desk::start(&format!("{KEY}{REQUEST}"), triggers).await;
    let mark = new_mark().unwrap();
    desk.scene(&mark, async |scene| run(Drill::SupportRouting, scene).await).await;
    assert_eq!(desk.left().await, 1);
    for count in [2, 0] {
        let undone =
            desk.scene(&mark, async |scene| undo(Drill::SupportRouting, scene).await).await;
        assert_eq!((undone.len(), desk.left().await), (count, 0), "{undone:?}");
    }
    desk.lab.stop().await;
    let key = "[project.drill]\nsupport_token = { file = \"desk.key\" }\n";
    let desk = Desk::start(&format!("{key}{REQUEST}"), triggers).await;
    let (_, ran, _) = desk.drill().await;
    assert_eq!(outcome(&ran.steps), Outcome::NotRun);
    let (_, text) = state(&ran, "arrives as one request");
    assert!(text.contains("support_token needs") && text.contains("tickets:write"), "{text}");
    desk.lab.stop().await;
    let desk = Desk::start(&format!("[project.drill]\n{REQUEST}"), triggers).await;
    let (plan, ..) = desk.drill().await;
    assert!(plan.lacks[0].contains("support_token is missing"), "{plan:?}");
    desk.lab.stop().await;
}
