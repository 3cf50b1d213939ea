//! A config that `init` writes finds at least what the hand-written one finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use launchready_checks::contract::OwnershipRecord;
use launchready_lab::World;
use serde_json::Value;
use toml::Table;

use crate::world::{network_of, start, typed};

/// What only the hand-written config can find: knowledge that no outside look can have.
const FOUNDER_KNOWS: &[(&str, &str, &str)] = &[
    (
        "ops-deployment",
        "deployment-variable-missing",
        "which variables the product needs stands in its source",
    ),
    ("web-pages", "legal-page-missing", "nothing links to a page that was forgotten"),
    ("web-rate-limits", "private-route-open", "which routes need a session, the founder knows"),
    (
        "web-rate-limits",
        "rate-limit-missing",
        "knocking is done at addresses that were named, alone",
    ),
    (
        "ops-attestation",
        "attestation-expired",
        "what people have signed stands beside their config",
    ),
    ("ops-attestation", "attestation-rollback-slow", "the same"),
    ("ops-attestation", "attestation-truth-scattered", "the same"),
    ("web-uptime", "endpoint-down", "what is down and not linked does not show"),
];

/// Thresholds of answers that a loaded machine keeps, as the lab itself has them.
const PATIENT: &str = "\n[checks.web-uptime]\napi_p95_warning = \"60s\"\np95_critical = \"60s\"\n\
                       first_byte_warning = \"60s\"\n";

type Findings = BTreeSet<(String, String, String)>;

fn findings(report: &str) -> Findings {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|e| panic!("{e}: {report}"));
    let mut all = Findings::new();
    for check in report["checks"].as_array().unwrap() {
        let id = check["id"].as_str().unwrap();
        for finding in check["findings"].as_array().unwrap() {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            all.insert((id.to_owned(), text("code"), text("subject")));
        }
    }
    all
}

/// Takes the comment away from the lines of a table, as the file tells a founder to.
fn uncommented(text: &str, table: &str) -> String {
    let head = format!("# [project.{table}]");
    let mut is_within = false;
    let mut out = String::new();
    for line in text.lines() {
        is_within = line == head || is_within && line.starts_with("# ");
        let line = if is_within { line.trim_start_matches("# ") } else { line };
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Does what the file and the program told the founder to do: fills in where the lab's systems are, which
/// tables the shop has, and the variables.
fn filled(text: &str, by_hand: &Table) -> String {
    let hand = by_hand["project"][0].as_table().unwrap();
    let mut text = text.to_owned();
    for (name, table) in hand {
        let Some(table) = table.as_table() else { continue };
        let head = format!("[project.{name}]\n");
        if !text.contains(&format!("\n{head}")) && text.contains(&format!("\n# {head}")) {
            text = uncommented(&text, name);
        }
        for key in ["api", "url"] {
            let Some(address) = table.get(key).and_then(|it| it.as_str()) else { continue };
            let line = format!("{key} = \"{address}\"\n");
            let start =
                text.find(&format!("\n{head}")).unwrap_or_else(|| panic!("{name}: {text}")) + 1;
            let end = text[start..].find("\n\n").map_or(text.len(), |at| start + at + 1);
            let other = format!("{key} = \"");
            let kept = text[start..end].lines().filter(|line| !line.starts_with(&other));
            let kept = kept.collect::<Vec<_>>().join("\n");
            text.replace_range(start..end, &format!("{kept}\n{line}"));
        }
    }
    for role in ["orders", "events", "crm_sync", "subscriptions", "submissions"] {
        text = text.replace(&format!("# {role} = {{ table"), &format!("{role} = {{ table"));
    }
    text
}

/// The variables that the config names, with the lab's credentials.
fn variables(text: &str, by_hand: &Table, secrets: &Path) -> BTreeMap<String, String> {
    let config: Table = text.parse().unwrap();
    let (own, hand) = (&config["project"][0], &by_hand["project"][0]);
    let mut all = BTreeMap::new();
    for (name, table) in own.as_table().unwrap() {
        for (key, value) in table.as_table().into_iter().flatten() {
            let Some(variable) = value.get("env").and_then(|it| it.as_str()) else { continue };
            let file = hand.get(name).and_then(|it| it.get(key)?.get("file")?.as_str());
            let file = file.unwrap_or_else(|| panic!("the lab has no {name}.{key}"));
            let secret = std::fs::read_to_string(secrets.join(file)).unwrap();
            let secret =
                secret.trim().replace("sqlite:", &format!("sqlite:{}/", secrets.display()));
            all.insert(variable.to_owned(), secret);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drafted_config_finds_at_least_what_the_hand_written_one_finds() {
    let world = World::load("broken").unwrap();
    let place = tempfile::tempdir().unwrap();
    let lab = start(&world, &place).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("launchready.toml");
    let network = network_of(&lab);
    std::fs::write(&config, &network).unwrap();

    let init = ["init", "harbor.example", "--yes", "--uses", "n8n"];
    let said = typed(folder.path(), &init, &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    println!("{}", said.out);
    let drafted = std::fs::read_to_string(&config).unwrap();
    println!("{drafted}");
    assert!(drafted.starts_with(&network));
    let again = typed(folder.path(), &init, &[]).await;
    assert!(again.out.contains("Nothing new"), "{}", again.out);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), drafted);

    // The owner publishes the record as it was printed.
    let record = said.out.lines().find(|line| line.contains("  TXT  ")).unwrap();
    let text = record.split('"').nth(1).unwrap();
    let token = drafted.split_once("ownership = \"").unwrap().1.split('"').next().unwrap();
    assert_eq!(text, OwnershipRecord::new("harbor.example", token).text);
    assert!(!said.out.contains(token), "what is printed does not give the token away");
    let change =
        format!("[zone.\"harbor.example\"]\n\"records+\" = ['_launchready 300 TXT \"{text}\"']\n");
    lab.replace(&world.clone().changed(&change).unwrap()).await.unwrap();
    let again = typed(folder.path(), &init, &[]).await;
    assert!(again.out.contains("is there: active probes run"), "{}", again.out);

    let by_hand: Table = lab.config_toml().parse().unwrap();
    let text = filled(&drafted, &by_hand);
    std::fs::write(&config, text.clone() + PATIENT).unwrap();
    let mut known = variables(&text, &by_hand, place.path());
    let example = std::fs::read_to_string(folder.path().join(".env.example")).unwrap();
    for name in known.keys() {
        assert!(example.contains(&format!("\n{name}=")), "{name} is missing in {example}");
    }
    // What the page itself shows is filled in already.
    let shown = example.lines().find_map(|it| it.strip_prefix("HARBOR_SUPABASE_PUBLISHABLE_KEY='"));
    let shown = shown.and_then(|it| it.strip_suffix('\''));
    assert_eq!(shown, known.get("HARBOR_SUPABASE_PUBLISHABLE_KEY").map(String::as_str));
    let variables: Vec<_> = std::mem::take(&mut known).into_iter().collect();
    let checked = typed(folder.path(), &["config", "check"], &variables).await;
    assert_eq!(checked.code, Some(0), "{checked:?}\n{text}");

    let hand = place.path().join("hand.toml");
    std::fs::write(&hand, lab.config_toml()).unwrap();
    let audit = ["audit", "--format", "json", "--time-limit", "120s", "--config"];
    let of = |path: &Path| -> Vec<String> {
        audit.iter().map(|it| (*it).to_owned()).chain([path.display().to_string()]).collect()
    };
    let (ours, theirs) = (of(&config), of(&hand));
    let words = |of: &[String]| of.to_vec();
    let run = async |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        typed(folder.path(), &arguments, &variables).await
    };
    let ours = run(words(&ours)).await;
    let theirs = run(words(&theirs)).await;
    assert_eq!((ours.code, theirs.code), (Some(1), Some(1)), "{}{}", ours.err, theirs.err);
    for secret in variables.iter().filter(|(name, _)| !name.ends_with("PUBLISHABLE_KEY")) {
        assert!(!ours.out.contains(&secret.1), "{} is shown", secret.0);
    }
    let (ours, theirs) = (findings(&ours.out), findings(&theirs.out));
    assert!(theirs.len() > 80, "the hand-written config finds only {}", theirs.len());
    let only_by_hand: Vec<_> = theirs.difference(&ours).collect();
    let only_drafted: Vec<_> = ours.difference(&theirs).collect();
    for (whose, list) in [("by hand", &only_by_hand), ("drafted", &only_drafted)] {
        for (check, code, subject) in list {
            println!("only {whose}: {check} {code} on {subject}");
        }
    }
    let is_known = |found: &&(String, String, String)| {
        FOUNDER_KNOWS.iter().any(|(check, code, _reason)| *check == found.0 && *code == found.1)
    };
    let lost: Vec<_> = only_by_hand.iter().filter(|found| !is_known(found)).collect();
    assert!(lost.is_empty(), "the drafted config does not find {lost:#?}");
    let unused: Vec<_> = FOUNDER_KNOWS
        .iter()
        .filter(|(check, code, _)| !only_by_hand.iter().any(|it| it.0 == *check && it.1 == *code))
        .collect();
    assert!(unused.is_empty(), "these are found: {unused:?}");
}
