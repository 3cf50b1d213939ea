//! What the words mean that products write into their status columns.

/// Where an order stands, by its own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The buyer has, or is getting, what was bought.
    Paid,
    /// It waits for its payment, or the payment failed.
    Unpaid,
    /// It was taken back.
    Returned,
    /// A word that we do not know.
    Unknown,
}

const PAID: [&str; 17] = [
    "paid",
    "complete",
    "completed",
    "active",
    "confirmed",
    "fulfilled",
    "succeeded",
    "success",
    "processing",
    "shipped",
    "delivered",
    "captured",
    "done",
    "booked",
    "accepted",
    "in_progress",
    "open",
];
const UNPAID: [&str; 15] = [
    "pending",
    "unpaid",
    "new",
    "created",
    "draft",
    "failed",
    "payment_failed",
    "awaiting_payment",
    "requires_payment",
    "pending_payment",
    "initiated",
    "incomplete",
    "expired",
    "abandoned",
    "error",
];
const RETURNED: [&str; 14] = [
    "refunded",
    "partially_refunded",
    "refund",
    "canceled",
    "cancelled",
    "returned",
    "disputed",
    "chargeback",
    "charged_back",
    "void",
    "voided",
    "reversed",
    "closed",
    "inactive",
];

impl Standing {
    /// What a word means, whatever its case and whether it has blanks, hyphens or underscores.
    pub fn of(word: &str) -> Self {
        let word = word.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let word = word.as_str();
        if PAID.contains(&word) {
            Self::Paid
        } else if UNPAID.contains(&word) {
            Self::Unpaid
        } else if RETURNED.contains(&word) {
            Self::Returned
        } else {
            Self::Unknown
        }
    }
}

const HANDLED: [&str; 13] = [
    "processed",
    "done",
    "success",
    "succeeded",
    "completed",
    "complete",
    "handled",
    "ok",
    "ignored",
    "skipped",
    "finished",
    "synced",
    "duplicate",
];

/// Whether the word of an event says that it was dealt with.
pub(super) fn is_handled(word: &str) -> bool {
    HANDLED.contains(&word.trim().to_ascii_lowercase().as_str())
}

/// An amount of the database in the minor unit: `4900`, or `49.00` with the digits of its currency.
pub fn minor(text: &str, currency: &str) -> Option<i64> {
    let text = text.trim();
    let Some((whole, digits)) = text.split_once('.') else { return text.parse().ok() };
    let places = crate::contract::minor_digits(currency);
    let cut: String = digits.chars().chain(std::iter::repeat('0')).take(places).collect();
    // More digits than the currency has are noughts, or no amount.
    let rest_is_nought = digits.chars().skip(places).all(|digit| digit == '0');
    let number = format!("{whole}{cut}");
    number.parse().ok().filter(|_| rest_is_nought)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_dress() {
        assert_eq!(Standing::of(" Awaiting-Payment"), Standing::Unpaid);
        assert_eq!(Standing::of("COMPLETED"), Standing::Paid);
        assert_eq!(Standing::of("Charged back"), Standing::Returned);
        assert_eq!(Standing::of("frobnicated"), Standing::Unknown);
        let mut all: Vec<_> = PAID.into_iter().chain(UNPAID).chain(RETURNED).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(
            all.len(),
            PAID.len() + UNPAID.len() + RETURNED.len(),
            "each word means one thing"
        );
        assert!(is_handled("Done") && !is_handled("processing"));
    }

    #[test]
    fn amounts_are_read_in_the_digits_of_their_currency() {
        assert_eq!(minor("4900", "eur"), Some(4900));
        assert_eq!(minor("49.00", "eur"), Some(4900));
        assert_eq!(minor("49.5", "EUR"), Some(4950));
        assert_eq!(minor("900.00", "jpy"), Some(900));
        assert_eq!(minor("1.2345", "kwd"), None);
        assert_eq!(minor("-3.10", "usd"), Some(-310));
        assert_eq!(minor("many", "usd"), None);
    }
}
