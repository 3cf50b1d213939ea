//! The public suffix list's own test file, where it lies beside the checkout.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use launchready_checks::suffix::registrable;

/// The two quoted arguments of `checkPublicSuffix('…', '…');`; `null` is `None`.
fn arguments(line: &str) -> Option<(Option<&str>, Option<&str>)> {
    let inner = line.strip_prefix("checkPublicSuffix(")?.strip_suffix(");")?;
    let (name, domain) = inner.split_once(", ")?;
    Some((quoted(name), quoted(domain)))
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

#[test]
fn registrable_domains_are_those_of_the_public_suffix_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/test_psl.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED public_suffix: no test_psl.txt beside the checkout");
        return;
    };
    let mut judged = 0;
    for line in text.lines() {
        let Some((Some(name), wanted)) = arguments(line.trim()) else { continue };
        let name = name.to_lowercase();
        let found = if name.starts_with('.') { None } else { registrable(&name) };
        assert_eq!(found, wanted, "{line}");
        judged += 1;
    }
    println!("{judged} names judged");
    assert!(judged > 50);
}
