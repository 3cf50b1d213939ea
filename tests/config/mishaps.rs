//! What somebody, or somebody's mishap, may write ends no program.

use std::path::Path;

use launchready::config::parse;
use proptest::prelude::*;

use super::head;

/// Values that somebody, or somebody's mishap, may write.
fn values() -> impl Strategy<Value = String> {
    let usual = [
        "\"\"",
        "0",
        "-1",
        "1e400",
        "nan",
        "9223372036854775807",
        "true",
        "[]",
        "{}",
        "[[]]",
        "2026-12-01",
        "2026-12-01T24:00:00",
        "12:00:00",
        "\"99999999999d\"",
        "\"0ms\"",
        "\"\\u0000\"",
        "{ env = \"\" }",
        "{ file = \"/\" }",
        "[{ name = \"a\" }]",
        "\"0/0 * * * *\"",
        "\"smtps://[::\"",
        "\"Sun 24:00-24:00\"",
        "\"-9999-01-01\"",
        "\"9999-12-31T23:59:59\"",
    ];
    let cron = "\"[0-9*/,-]{1,9} [0-9*/,-]{1,5} [0-9*/,-]{1,5} [0-9*/,-]{1,5} [0-9*/,a-z-]{1,7}\"";
    prop_oneof![
        proptest::sample::select(usual.to_vec()).prop_map(str::to_owned),
        cron,
        "\"[ -~]{0,20}\"",
        "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_mishap_in_the_file_ends_the_program(
        what in 0..4_u8,
        at in any::<proptest::sample::Index>(),
        other in any::<proptest::sample::Index>(),
        value in values(),
    ) {
        let (_, full) = head();
        let mut lines: Vec<String> = full
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        let line = at.index(lines.len());
        match (what, lines[line].split_once(" = ")) {
            (0, _) => drop(lines.remove(line)),
            (1, _) => { let other = other.index(lines.len()); lines.swap(line, other) }
            (2, Some((key, _))) => lines[line] = format!("{key} = {value}"),
            _ => lines[line] = value,
        }
        if let Ok(config) = parse(&lines.join("\n"), Path::new(env!("CARGO_MANIFEST_DIR"))) {
            let warned = config.warnings().len();
            prop_assert!(config.agent().is_ok() || warned > 0);
        }
    }

    #[test]
    fn no_schedule_ends_the_program(value in values()) {
        let text = format!("[checks.mail-spf]\nschedule = {value}\n[agent]\nsummary = {value}\n");
        let _either_is_fine = parse(&text, Path::new(".")).is_ok();
    }
}
