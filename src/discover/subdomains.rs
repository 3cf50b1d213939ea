//! Which of the names below a domain are hosts of the product, and the token that proves whose it is.

/// Labels of hosts that a product shows to its customers. Others, such as `staging` or `grafana`, are
/// mentioned and never declared: a host that is declared counts as the product's own.
const PRODUCT: [&str; 24] = [
    "www",
    "app",
    "api",
    "auth",
    "login",
    "accounts",
    "dashboard",
    "portal",
    "my",
    "pay",
    "checkout",
    "billing",
    "shop",
    "store",
    "docs",
    "help",
    "support",
    "status",
    "blog",
    "news",
    "m",
    "graphql",
    "hooks",
    "webhooks",
];

/// Whether a name below the domain is a host of the product.
pub fn is_product(name: &str, domain: &str) -> bool {
    let label = name.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
    label.is_some_and(|label| PRODUCT.contains(&label))
}

/// The token of a project, of which the TXT record that proves ownership is made, out of random bytes.
pub fn token(random: [u8; 16]) -> String {
    format!("lr-{}", hex::encode(random))
}

#[cfg(test)]
mod tests {
    use launchready_checks::dns::names::WORDS;

    use super::*;

    #[test]
    fn hosts_of_the_product_are_known_by_their_label() {
        assert!(is_product("app.harbor.example", "harbor.example"));
        for name in [
            "staging.harbor.example",
            "harbor.example",
            "a.app.harbor.example",
            "app.other.example",
        ] {
            assert!(!is_product(name, "harbor.example"), "{name}");
        }
        for label in PRODUCT {
            assert!(WORDS.contains(&label), "nobody looks for {label}");
        }
    }

    #[test]
    fn a_token_is_short_and_has_one_form() {
        assert_eq!(token([0xab; 16]), format!("lr-{}", "ab".repeat(16)));
    }
}
