//! Text from outside made fit for a message: bounded, without control characters, persons or secrets.
//!
//! Evidence holds neither persons nor secrets by the contract of the checks; this is the second wall,
//! because a message leaves the machine.

/// What a known kind of secret begins with: Stripe, Supabase, Slack, GitHub, AWS, JSON web tokens.
const SECRETS: [&str; 14] = [
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "whsec_",
    "sbp_",
    "sb_secret_",
    "xoxb-",
    "xoxp-",
    "ghp_",
    "github_pat_",
    "AKIA",
    "eyJ",
    "pat-",
];
/// A secret is longer than this; what is shorter is a mask such as `sk_live_…a1b2`.
const SECRET_CHARS: usize = 19;

/// A text of ours, such as a fix: secrets are taken out, addresses stay, because a record names them.
pub(super) fn ours(text: &str, limit: usize) -> String {
    scan(text, limit, |_| false)
}

/// A text with what was seen: of an address that is not at `domain`, only its domain stays.
pub(super) fn seen(text: &str, domain: &str, limit: usize) -> String {
    scan(text, limit, |host| {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let domain = domain.to_ascii_lowercase();
        host != domain && !host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
    })
}

/// One line of at most `limit` characters.
pub(super) fn line(text: &str, limit: usize) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    cut(&words, limit)
}

/// At most `limit` characters, with an ellipsis where it was longer.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

fn scan(text: &str, limit: usize, foreign: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut token = String::new();
    // Twice the limit is read, because masks are shorter than what they hide.
    for c in text.chars().take(limit.saturating_mul(2)) {
        if c.is_ascii_alphanumeric()
            || matches!(c, '_' | '-' | '.' | '@' | '+')
            || c.is_alphanumeric()
        {
            token.push(c);
            continue;
        }
        flush(&mut token, &mut out, &foreign);
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            // What reorders or hides the text around it is no text.
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    flush(&mut token, &mut out, &foreign);
    cut(out.trim(), limit)
}

fn flush(token: &mut String, out: &mut String, foreign: &impl Fn(&str) -> bool) {
    let secret = SECRETS.iter().any(|prefix| token.starts_with(prefix));
    if secret && token.chars().count() > SECRET_CHARS {
        out.push_str("[secret]");
    } else if let Some((name, host)) = token.rsplit_once('@')
        && !name.is_empty()
        && host.contains('.')
        && foreign(host)
    {
        out.push_str("…@");
        out.push_str(host);
    } else {
        out.push_str(token);
    }
    token.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_customer_only_the_domain_stays_and_of_the_project_the_whole_address() {
        let text =
            "orders of jo.doe+x@mail.example and ops@Harbor.example, rua=mailto:d@r.harbor.example";
        assert_eq!(
            seen(text, "harbor.example", 200),
            "orders of …@mail.example and ops@Harbor.example, rua=mailto:d@r.harbor.example"
        );
        assert_eq!(seen("a@notharbor.example", "harbor.example", 99), "…@notharbor.example");
        assert_eq!(
            ours("v=DMARC1; rua=mailto:d@x.example", 99),
            "v=DMARC1; rua=mailto:d@x.example"
        );
    }

    #[test]
    fn a_secret_never_passes_and_its_mask_does() {
        let secret = concat!("sk_li", "ve_51HhTzyQwErTyUiOpAsDf");
        assert_eq!(ours(&format!("key {secret}, found"), 99), "key [secret], found");
        assert_eq!(seen("key sk_live_…a1b2", "harbor.example", 99), "key sk_live_…a1b2");
    }

    #[test]
    fn control_characters_and_overrides_do_not_pass_and_long_text_is_cut() {
        assert_eq!(ours("a\u{1b}[2Jb\u{202e}c\r\nd", 99), "a\u{fffd}[2Jbc\u{fffd}\nd");
        assert_eq!(ours("abcdef", 4), "abc…");
        assert_eq!(line("a\n\n b\tc ", 99), "a b c");
    }
}
