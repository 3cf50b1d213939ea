//! Words of statuses as shops and their jobs write them, and what a CRM is called.

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It went well: an order is paid, a sync has ended.
    Done,
    /// It failed.
    Failed,
    /// It is under way.
    Pending,
    /// It was given back or called off: it asks for nothing.
    Over,
    /// A word that we do not know.
    Unknown,
}

const DONE: [&str; 20] = [
    "paid",
    "complete",
    "completed",
    "succeeded",
    "success",
    "successful",
    "ok",
    "active",
    "fulfilled",
    "confirmed",
    "shipped",
    "delivered",
    "synced",
    "done",
    "sent",
    "created",
    "updated",
    "processed",
    "no_payment_required",
    "trialing",
];
const FAILED: [&str; 12] = [
    "failed",
    "failure",
    "fail",
    "error",
    "errored",
    "payment_failed",
    "declined",
    "rejected",
    "uncollectible",
    "requires_payment_method",
    "dead",
    "past_due",
];
const PENDING: [&str; 14] = [
    "pending",
    "queued",
    "queue",
    "processing",
    "in_progress",
    "running",
    "started",
    "retrying",
    "retry",
    "scheduled",
    "new",
    "open",
    "draft",
    "unpaid",
];
const OVER: [&str; 9] = [
    "refunded",
    "partially_refunded",
    "canceled",
    "cancelled",
    "expired",
    "disputed",
    "charged_back",
    "void",
    "skipped",
];

/// What a status says; no status at all says nothing.
pub fn state(status: &str) -> State {
    let word = status.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let word = word.as_str();
    if DONE.contains(&word) || (word.len() == 3 && word.starts_with('2')) {
        State::Done
    } else if FAILED.contains(&word) || (word.len() == 3 && word.starts_with(['4', '5'])) {
        State::Failed
    } else if PENDING.contains(&word) {
        State::Pending
    } else if OVER.contains(&word) {
        State::Over
    } else {
        State::Unknown
    }
}

/// Why a CRM refused, as far as the text of an error says.
pub(super) fn refusal(error: &str) -> Option<&'static str> {
    let text = error.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "missing_scopes",
        "insufficient_scope",
        "required scopes",
        "403",
        "forbidden",
        "permission",
    ]) {
        Some("a scope is missing")
    } else if has(&[
        "401",
        "unauthorized",
        "unauthorised",
        "invalid_grant",
        "invalid_authentication",
        "token expired",
        "expired token",
        "expired access token",
        "invalid token",
        "token is invalid",
        "token has expired",
    ]) {
        Some("the token was refused")
    } else {
        None
    }
}

/// The name of a CRM for people.
pub(super) fn name(kind: Option<&str>) -> &'static str {
    match kind {
        Some("hubspot") => "HubSpot",
        Some("pipedrive") => "Pipedrive",
        Some("attio") => "Attio",
        _ => "the CRM",
    }
}

/// Where the token of a CRM is made and its scopes are granted.
pub(super) fn tokens(kind: Option<&str>) -> &'static str {
    match kind {
        Some("hubspot") => "HubSpot: Settings → Integrations → Private apps → your app → Scopes",
        Some("pipedrive") => "Pipedrive: Personal preferences → API",
        Some("attio") => "Attio: Workspace settings → Developers → your integration",
        _ => "the settings of your CRM, where its API tokens are",
    }
}

/// Where two contacts become one.
pub(super) fn merging(kind: Option<&str>) -> &'static str {
    match kind {
        Some("hubspot") => "HubSpot: open the contact → Actions → Merge",
        Some("pipedrive") => "Pipedrive: Contacts → Merge duplicates",
        Some("attio") => "Attio: open the person → ⋯ → Merge",
        _ => "your CRM, where contacts are merged",
    }
}

/// An id in the length in which it is kept.
pub(super) fn short(id: &str) -> String {
    id.chars().take(80).collect()
}

/// `1 order`, `2 orders`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_in_the_words_of_many_shops() {
        for (word, wanted) in [
            ("Paid", State::Done),
            ("201", State::Done),
            ("payment failed", State::Failed),
            ("500", State::Failed),
            ("in-progress", State::Pending),
            ("refunded", State::Over),
            ("bezahlt", State::Unknown),
            ("", State::Unknown),
        ] {
            assert_eq!(state(word), wanted, "{word}");
        }
        let refused = |text| refusal(text).unwrap_or_default();
        assert_eq!(refused("HTTP 401: expired"), "the token was refused");
        assert_eq!(refused("MISSING_SCOPES"), "a scope is missing");
        assert_eq!(refused("429 too many requests"), "");
    }
}
