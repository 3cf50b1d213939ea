//! The table of metrics in `dashboards/README.md` is written from the code.

use std::fmt::Write as _;

use launchready::metrics::{Family, families};
use launchready_checks::registry;

use super::{file, read};

const BEGIN: &str = "<!-- metrics -->\n";
const END: &str = "<!-- end of metrics -->";

fn row(out: &mut String, family: &Family) {
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    let of = match family.check() {
        Some(check) => format!("`{check}`"),
        None if family.labels.contains(&"project") => "project".to_owned(),
        None => "agent".to_owned(),
    };
    let (name, kind, labels, help) =
        (family.name, family.kind.as_str(), labels.join(", "), family.help);
    writeln!(out, "| `{name}` | {kind} | {labels} | {of} | {help} |").unwrap();
}

fn table() -> String {
    let mut out =
        "| metric | kind | labels | of | what it says |\n|---|---|---|---|---|\n".to_owned();
    for family in families() {
        row(&mut out, family);
    }
    out
}

#[test]
fn the_table_is_what_the_agent_exports() {
    let text = read("README.md");
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (present, after) = rest.split_once(END).unwrap();
    let wanted = table();
    #[allow(clippy::disallowed_methods, reason = "a test is told to write what it compares with")]
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file("README.md"), format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(present, wanted, "write it anew: UPDATE=1 cargo test --test dashboards");
    for plugin in registry::ALL {
        for spec in plugin.meta.measurements {
            assert!(present.contains(&format!("`{}`", spec.metric)), "{}", spec.metric);
        }
    }
}
