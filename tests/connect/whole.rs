//! Whole audits of the lab: nothing but reading, and nothing of people in what is kept or shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use launchready::app::{Baseline, Plan, Session};
use launchready::clock::{Clock as _, SystemClock};
use launchready::config::parse;
use launchready::engine::{Silent, prepare_evidence, save_evidence};
use launchready::report::{
    Paint, Report, Verdict, build, to_html, to_json, to_junit, to_markdown, to_sarif, to_terminal,
};
use launchready_checks::contract::Severity;
use launchready_checks::registry;
use launchready_lab::{Asked, Lab, LabOptions, PEOPLE, World};

use super::faults::Running;
use super::table;

/// POSTs that change nothing: the fake, and how the path begins.
const QUESTIONS: [(&str, &str); 7] = [
    ("attio", "/v2/objects/people/records/query"),
    ("helpscout", "/v2/oauth2/token"),
    ("hubspot", "/crm/v3/objects/contacts/batch/read"),
    ("hubspot", "/crm/v3/objects/contacts/search"),
    ("intercom", "/conversations/search"),
    ("supabase", "/storage/v1/object/list/"),
    ("supabase", "/v1/projects/abcdefghijklmnopqrst/database/query/read-only"),
];

/// What an audit of a world came to: the report, everything that is kept of it as text, and what was asked.
async fn audit(world: World) -> (Report, String, BTreeMap<String, Asked>) {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        now: SystemClock.now(),
        delay: Duration::ZERO,
        speed: 1.0,
        dir: folder.path().to_owned(),
    };
    let lab = Lab::start(&world, options).await.unwrap();
    let config = parse(&lab.config_toml(), folder.path()).unwrap();
    // The first test of a process installs it, and the others find it there.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let session = Session::new(config.network.clone(), Arc::new(SystemClock)).unwrap();
    let plan = Plan {
        ids: registry::ALL.iter().map(|plugin| plugin.meta.id).collect(),
        time_limit: Duration::from_mins(2),
        baseline: Baseline::new(),
        recheck: String::new(),
        config: None,
        checkouts: None,
        handover: None,
    };
    let record = session.audit(&config.projects[0], &plan, &Silent).await.unwrap();
    let asked = lab.asked();
    lab.stop().await;
    let kept = folder.path().join("evidence");
    prepare_evidence(&kept).unwrap();
    save_evidence(&kept, &record).unwrap();
    let mut text = read_all(&kept);
    let report = build(&record);
    text += &to_terminal(&report, Paint { colour: false, width: 100 });
    text += &to_json(&report);
    text += &to_markdown(&report);
    text += &to_html(&report);
    text += &to_sarif(&report);
    text += &to_junit(&report, Severity::Info);
    (report, text, asked)
}

fn read_all(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text += &if path.is_dir() {
            read_all(&path)
        } else {
            String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
        };
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_systems_are_asked_and_never_told_to_change_anything() {
    let (_, _, mut asked) = audit(World::load("healthy").unwrap()).await;
    for connector in table::all() {
        let running = Running::start(&connector.tables).await;
        (connector.ask)(&running.accounts).await.unwrap();
        let own = running.lab.asked().remove(connector.fake).unwrap();
        running.lab.stop().await;
        asked.entry(connector.fake.to_owned()).or_default().questions.extend(own.questions);
    }
    let mut used = BTreeSet::new();
    for (api, asked) in &asked {
        for (method, path) in &asked.questions {
            let known =
                QUESTIONS.iter().position(|(of, start)| of == api && path.starts_with(start));
            match (method.as_str(), known) {
                ("GET" | "HEAD", _) => {}
                ("POST", Some(place)) => {
                    used.insert(place);
                }
                _ => panic!("{api} was asked {method} {path}"),
            }
        }
    }
    assert_eq!(used.len(), QUESTIONS.len(), "a POST that nobody makes: {used:?}");
    for connector in table::all() {
        assert!(!asked[connector.fake].questions.is_empty(), "{} was not asked", connector.name);
    }
}

#[test]
fn no_connector_knows_a_method_that_changes_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/connect");
    let source = read_all(&folder);
    assert!(source.contains("Method::GET"));
    for method in ["PUT", "PATCH", "DELETE"] {
        assert!(!source.contains(&format!("Method::{method}")), "{method}");
    }
    for call in [".put(url", ".patch(", ".delete("] {
        assert!(!source.contains(call), "{call}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_people_is_in_evidence_or_reports() {
    let (healthy, text, asked) = audit(World::load("healthy").unwrap().with_people()).await;
    assert_eq!(healthy.verdict, Verdict::Go, "{:?}", healthy.verdict_reasons);
    assert!(asked.values().all(|api| api.questions.is_empty() || api.spoiled > 0), "{asked:?}");
    let (broken, more, _) = audit(World::load("broken").unwrap().with_people()).await;
    assert_eq!(broken.verdict, Verdict::NoGo);
    for text in [text, more] {
        assert!(text.contains("stripe-deliveries") && text.contains("support-backlog"));
        // The buyers' addresses are those by which contacts and tickets are found.
        let told = PEOPLE.into_iter().chain([("email of a buyer", "@customers.example")]);
        for (field, told) in told {
            let before = text.split_once(told).map(|(before, _)| before);
            let around: Option<String> = before.map(|it| {
                let end: Vec<char> = it.chars().rev().take(200).collect();
                end.into_iter().rev().collect()
            });
            assert_eq!(around, None, "{field} of a person is kept");
        }
    }
}

/// The tables of a connector with credentials that are long enough to be told from a word, and the name and the
/// text of each, which the lab may fill in.
fn with_long_credentials(tables: &str) -> (String, Vec<(String, String)>) {
    let read: toml::Table = toml::from_str(tables).unwrap();
    let (mut tables, mut credentials) = (tables.to_owned(), Vec::new());
    for (name, secret) in read["secret"].as_table().unwrap() {
        let secret = secret.as_str().unwrap();
        let long =
            if secret.len() < 12 { format!("{secret}-0123456789") } else { secret.to_owned() };
        tables = tables.replace(&format!("\"{secret}\""), &format!("\"{long}\""));
        credentials.push((name.clone(), long));
    }
    (tables, credentials)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_that_an_api_repeats_is_told_to_nobody() {
    let mut repeated = BTreeSet::new();
    for connector in table::all() {
        let (tables, credentials) = with_long_credentials(&connector.tables);
        for (name, text) in &credentials {
            let said = format!("{{\"message\":\"{text}\",\"error\":\"{text}\"}}");
            // The same text, as JSON may also write it.
            let first = u32::from(text.chars().next().unwrap());
            let escaped = format!("\\u{first:04x}{}", text.get(1..).unwrap());
            let spelled = said.replace(text, &escaped);
            for fault in [
                // Where a time stands, and where a name does.
                format!("find = '\":\"20'\nput = '\":\"{text} 20'"),
                format!("find = '\"name\":\"'\nput = '\"name\":\"{text} '"),
                format!("find = '\"name\":\"'\nput = '\"name\":\"{escaped} '"),
                format!("status = 200\nbody = '\"{text}\"'"),
                format!("status = 200\nbody = '{said}'"),
                format!("status = 400\nbody = '{said}'"),
                format!("status = 200\nbody = '{spelled}'"),
                format!("find = '\":\"20'\nput = '\":\"{escaped} 20'"),
                format!("status = 403\nbody = '{spelled}'"),
                format!("status = 401\nbody = '{said}'"),
                format!("status = 403\nbody = '{said}'"),
            ] {
                let tables = format!("{tables}\n[[api.{}.fault]]\n{fault}\n", connector.fake);
                let running = Running::start(&tables).await;
                let secret = running.secret(name);
                let told = match (connector.ask)(&running.accounts).await {
                    Ok(told) => told,
                    Err(error) => error.to_string(),
                };
                let spoiled = running.lab.asked()[connector.fake].spoiled;
                running.lab.stop().await;
                assert!(!told.contains(&secret), "{}: {fault}: {told}", connector.name);
                if fault.contains("find") && spoiled > 0 {
                    repeated.insert(connector.name);
                }
            }
        }
    }
    assert!(repeated.len() >= 10, "it stood in answers of the right shape: {repeated:?}");
}
