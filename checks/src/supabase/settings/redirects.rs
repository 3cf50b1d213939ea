//! What a pattern of the redirect list lets in.

use crate::suffix::is_suffix;

/// How far a pattern reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// One host.
    Host,
    /// Several hosts below a name that belongs to somebody.
    Scoped,
    /// Hosts that anybody can have.
    Anywhere,
}

/// Supabase's patterns: `*` stands for anything but `.` and `/`, `**` for anything, `?` for one character.
pub(super) fn reach(pattern: &str) -> Reach {
    let pattern = pattern.trim().to_ascii_lowercase();
    let (scheme, rest) = pattern.split_once("://").unwrap_or(("https", &pattern));
    // Schemes of apps, such as `harbor://callback`, lead to no host.
    if !scheme.contains(['*', '?']) && !matches!(scheme, "http" | "https") {
        return Reach::Host;
    }
    let end = rest.find(['/', '#']).unwrap_or(rest.len());
    let host = rest.get(..end).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let Some(last) = host.rfind(['*', '?']) else { return Reach::Host };
    // What stands behind the last wildcard decides who can have such a host.
    let behind = host.get(last + 1..).unwrap_or_default();
    let Some(domain) = behind.strip_prefix('.') else {
        // `*-team.vercel.app`: the part before the first dot belongs to the name.
        let fixed = behind.split_once('.').map_or("", |(label, _)| label);
        return if fixed.is_empty() { Reach::Anywhere } else { Reach::Scoped };
    };
    if domain.is_empty() || is_suffix(domain) { Reach::Anywhere } else { Reach::Scoped }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_are_known_by_who_can_have_such_a_host() {
        for (pattern, wanted) in [
            ("**", Reach::Anywhere),
            ("*", Reach::Anywhere),
            ("https://**", Reach::Anywhere),
            ("http*://**", Reach::Anywhere),
            ("https://*/**", Reach::Anywhere),
            ("https://*.com/**", Reach::Anywhere),
            ("https://*.vercel.app/**", Reach::Anywhere),
            ("https://*-harbor.vercel.app/**", Reach::Scoped),
            ("https://harbor-*-team.vercel.app/**", Reach::Scoped),
            ("https://*.harbor.example/**", Reach::Scoped),
            ("https://app.harbor.example/**", Reach::Host),
            ("http://localhost:3000/**", Reach::Host),
            ("harbor://callback", Reach::Host),
            ("https://app.harbor.example/*/callback", Reach::Host),
            ("", Reach::Host),
        ] {
            assert_eq!(reach(pattern), wanted, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_read_without_panic(text in ".{0,60}") {
            let _either = reach(&text);
        }
    }
}
