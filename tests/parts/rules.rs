//! The rules and the scrape example of `dashboards/`, changed only in addresses and in how long a minute
//! is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use regex::{Captures, Regex};

/// So many times sooner does a rule fire: fifteen minutes are three seconds.
const SOONER: u64 = 300;

/// A file of `dashboards/`.
fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The dashboards with their names.
pub(crate) fn dashboards() -> [(&'static str, serde_json::Value); 3] {
    ["alerting.json", "check.json", "overview.json"]
        .map(|name| (name, serde_json::from_str(&read(name)).unwrap()))
}

/// Writes the alert rules with each `for` made shorter; expressions stay as they are.
pub(crate) fn hasty(folder: &Path) -> PathBuf {
    let rules = read("alerts.yml");
    let waits = Regex::new(r"(?m)^( +for: )(\d+)([mh])$").unwrap();
    let shorter = waits.replace_all(&rules, |found: &Captures<'_>| {
        let unit = if &found[3] == "h" { 3_600_000 } else { 60_000 };
        let wait = found[2].parse::<u64>().unwrap() * unit / SOONER;
        format!("{}{wait}ms", &found[1])
    });
    assert_eq!(waits.find_iter(&rules).count(), rules.matches("for: ").count(), "all are shorter");
    let file = folder.join("alerts.yml");
    std::fs::write(&file, shorter.as_bytes()).unwrap();
    file
}

/// The scrape example with everything in force that it holds: the token, the parts that the agent names
/// itself, and probes of these targets.
pub(crate) fn scrape(agent: SocketAddr, token: &Path, rules: &Path, probed: &[&str]) -> String {
    let mut config = String::new();
    for line in read("prometheus.yml").lines() {
        let bare = line.trim_start();
        let setting = ["# - job_name", "#   ", "# authorization:"];
        let line = if setting.iter().any(|start| bare.starts_with(start)) {
            line.replacen("# ", "", 1)
        } else {
            line.to_owned()
        };
        config.push_str(&line);
        config.push('\n');
    }
    let changes = [
        (": 30s".to_owned(), ": 1s".to_owned()),
        ("- alerts.yml".to_owned(), format!("- {}", rules.display())),
        ("127.0.0.1:9797".to_owned(), agent.to_string()),
        ("/etc/prometheus/launchready-token".to_owned(), token.display().to_string()),
        ("[\"https://harbor.example/\"]".to_owned(), serde_json::json!(probed).to_string()),
    ];
    for (from, to) in changes {
        assert!(config.contains(&from), "the example has {from}");
        config = config.replace(&from, &to);
    }
    // Two jobs of one name are an error; in the example one replaces the other.
    let second = config.rfind("job_name: launchready\n").unwrap();
    config.replace_range(second..second + 21, "job_name: launchready-parts");
    config
}
