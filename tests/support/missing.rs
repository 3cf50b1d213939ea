//! What this machine lacks: the test says so and does not run, or fails where everything must be there.

/// Says what the machine lacks, so that the test does not run.
///
/// # Panics
/// When `LAUNCHREADY_TEST_REQUIRE` is `all`.
pub(crate) fn lacks(test: &str, what: &str) -> bool {
    #[allow(clippy::disallowed_methods, reason = "the test runner says what must not be skipped")]
    let required = std::env::var("LAUNCHREADY_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(!required, "{test}: {what}");
    skipped(test, what)
}

/// Says why a test does not run.
pub(crate) fn skipped(test: &str, reason: &str) -> bool {
    println!("SKIPPED {test}: {reason}");
    false
}
