//! Which columns hold what strangers must not read, by their names.

/// Words that make a column personal or a credential.
pub(super) const WORDS: &[&str] = &[
    "address",
    "apikey",
    "bic",
    "birthday",
    "birthdate",
    "dob",
    "email",
    "iban",
    "mail",
    "mobile",
    "otp",
    "passport",
    "password",
    "passwd",
    "phone",
    "postcode",
    "pwd",
    "secret",
    "ssn",
    "street",
    "telephone",
    "token",
    "zip",
    "zipcode",
];
/// Pairs of words that do.
const PAIRS: &[(&str, &str)] = &[
    ("access", "key"),
    ("account", "number"),
    ("api", "key"),
    ("birth", "date"),
    ("card", "number"),
    ("date", "birth"),
    ("postal", "code"),
    ("private", "key"),
    ("tax", "id"),
];
/// Words that make the same column a number, a mark or a reference: `tokens_used`, `email_verified`.
const OTHERWISE: &[&str] = &[
    "at",
    "balance",
    "budget",
    "confirmed",
    "count",
    "enabled",
    "frequency",
    "id",
    "limit",
    "notifications",
    "notify",
    "preference",
    "preferences",
    "sent",
    "status",
    "subject",
    "template",
    "type",
    "usage",
    "used",
    "verified",
];

/// Whether a column of this name and type holds personal data or a credential.
pub(super) fn is_personal(name: &str, kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    if kind.starts_with("bool") {
        return false;
    }
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pair = PAIRS.iter().any(|(one, two)| {
        words.iter().position(|word| word == one).is_some_and(|at| {
            // `date_of_birth` has a word in between.
            words.iter().skip(at + 1).take(2).any(|word| word == two)
        })
    });
    let word = words.iter().any(|word| {
        WORDS.contains(word) || word.strip_suffix('s').is_some_and(|one| WORDS.contains(&one))
    });
    let time = kind.starts_with("timestamp") || kind.starts_with("interval");
    pair || (word && !time && !words.iter().any(|word| OTHERWISE.contains(word)))
}

/// The words of a name: `billingAddress` and `billing_address2` are `billing address`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last_lower = false;
    let mut open = false;
    for c in name.chars() {
        if !c.is_alphabetic() {
            open = false;
            last_lower = false;
            continue;
        }
        if !open || (c.is_uppercase() && last_lower) {
            words.push(String::new());
            open = true;
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        last_lower = c.is_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_words_and_not_by_parts_of_words() {
        for name in [
            "email",
            "customer_email",
            "billingAddress",
            "address_line1",
            "phone_number",
            "iban",
            "password_hash",
            "refresh_token",
            "api_key",
            "stripeSecret",
            "date_of_birth",
            "tokens",
        ] {
            assert!(is_personal(name, "text"), "{name}");
        }
        for (name, kind) in [
            ("tokens_used", "integer"),
            ("email_verified", "boolean"),
            ("email_sent_at", "timestamp"),
            ("address_id", "uuid"),
            ("title", "text"),
            ("mailbox", "text"),
            ("tokenizer", "text"),
            ("email", "boolean"),
            ("token_limit", "bigint"),
            ("streetwise", "text"),
            ("id", "uuid"),
        ] {
            assert!(!is_personal(name, kind), "{name}");
        }
    }
}
