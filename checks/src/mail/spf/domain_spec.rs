//! Names in SPF records: macro-string and domain-spec (RFC 7208 §7).

/// The longest name that a query can hold; longer expansions lose labels on the left (§7.3).
const NAME_CHARS: usize = 253;
/// The longest label (RFC 1035 §2.3.4).
const LABEL_CHARS: usize = 63;

/// A name as it is written in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DomainSpec(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Macro(Macro),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Macro {
    letter: char,
    /// Written as a capital: the value is escaped as in a URL.
    escaped: bool,
    /// How many right-hand labels to keep.
    keep: Option<usize>,
    reversed: bool,
    delimiters: String,
}

/// What a name becomes for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expanded {
    /// A name that can be asked for.
    Name(String),
    /// It depends on who sends: the address, the local part, the greeting.
    BySender,
    /// No domain can have this name.
    Impossible(String),
}

impl DomainSpec {
    /// Reads a domain-spec.
    ///
    /// # Errors
    /// Why it is none, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a domain is missing".to_owned());
        }
        let parts = parts(text)?;
        let ends_in_macro =
            text.ends_with('}') || ["%%", "%_", "%-"].iter().any(|escape| text.ends_with(escape));
        if ends_in_macro {
            return Ok(Self(parts));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        match name.rsplit_once('.') {
            None => Err(format!("{name:?} is no full domain name")),
            Some((_, top)) if is_top_label(top) => Ok(Self(parts)),
            Some((_, top)) if !top.is_empty() && top.bytes().all(|b| b.is_ascii_digit()) => {
                Err(format!("{name:?} ends in a number; an address is written with ip4: or ip6:"))
            }
            Some((_, top)) => Err(format!("a domain name cannot end in {top:?}")),
        }
    }

    /// The name for a record at `current`, in the check of a sender at `sender`.
    pub(super) fn expand(&self, current: &str, sender: &str) -> Expanded {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Macro(expansion) => match expansion.letter {
                    'd' => name.push_str(&expansion.apply(current)),
                    'o' => name.push_str(&expansion.apply(sender)),
                    _ => return Expanded::BySender,
                },
            }
        }
        let name = name.to_ascii_lowercase();
        let mut name = name.strip_suffix('.').unwrap_or(&name);
        while name.len() > NAME_CHARS {
            let Some((_, rest)) = name.split_once('.') else { break };
            name = rest;
        }
        if is_possible(name) {
            Expanded::Name(name.to_owned())
        } else {
            Expanded::Impossible(name.chars().take(NAME_CHARS).collect())
        }
    }
}

impl Macro {
    fn apply(&self, value: &str) -> String {
        let delimiters = if self.delimiters.is_empty() { "." } else { &self.delimiters };
        let mut labels: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if self.reversed {
            labels.reverse();
        }
        let skipped = self.keep.map_or(0, |keep| labels.len().saturating_sub(keep));
        let joined = labels.into_iter().skip(skipped).collect::<Vec<_>>().join(".");
        if self.escaped { escape(&joined) } else { joined }
    }
}

fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Checks a macro-string: the value of a modifier that nobody knows must still be one.
///
/// # Errors
/// Why it is none, as the end of a sentence.
pub(super) fn macro_string(text: &str) -> Result<(), String> {
    parts(text).map(|_| ())
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            if !('\x21'..='\x7e').contains(&c) {
                return Err(format!("the character U+{:04X} is not allowed", u32::from(c)));
            }
            literal.push(c);
            continue;
        }
        match rest.next() {
            Some('%') => literal.push('%'),
            Some('_') => literal.push(' '),
            Some('-') => literal.push_str("%20"),
            Some('{') => {
                let (body, after) = rest
                    .as_str()
                    .split_once('}')
                    .ok_or_else(|| "a macro \"%{\" is not closed".to_owned())?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Macro(expansion(body)?));
                rest = after.chars();
            }
            _ => return Err("a \"%\" stands alone".to_owned()),
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// Reads what stands between the braces: a letter, how many labels, `r`, delimiters.
fn expansion(body: &str) -> Result<Macro, String> {
    let wrong = || format!("the macro \"%{{{body}}}\" is none");
    let mut rest = body.chars();
    let written = rest.next().ok_or_else(wrong)?;
    let letter = written.to_ascii_lowercase();
    // The letters c, r and t are for explanation texts only (§7.2).
    if !"slodiphv".contains(letter) {
        return Err(wrong());
    }
    let rest = rest.as_str();
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = rest.split_at_checked(digits).ok_or_else(wrong)?;
    let keep = match number {
        "" => None,
        number if number.bytes().all(|b| b == b'0') => return Err(wrong()),
        number => Some(number.parse().unwrap_or(usize::MAX)),
    };
    let reversed = rest.starts_with(['r', 'R']);
    let delimiters = if reversed { rest.get(1..).unwrap_or_default() } else { rest };
    if delimiters.chars().any(|c| !".-+,/_=".contains(c)) {
        return Err(wrong());
    }
    let escaped = written.is_ascii_uppercase();
    Ok(Macro { letter, escaped, keep, reversed, delimiters: delimiters.to_owned() })
}

/// `toplabel`: letters, digits and inner dashes, and not digits alone (§7.1).
fn is_top_label(label: &str) -> bool {
    label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().any(|b| !b.is_ascii_digit())
}

/// Whether a query can be made for a name: labels of 1 to 63 letters, digits, dashes, underscores.
fn is_possible(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_CHARS
        && name.split('.').all(|label| {
            (1..=LABEL_CHARS).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(spec: &str) -> Expanded {
        DomainSpec::parse(spec).unwrap().expand("strong.mail.harbor.com", "harbor.com")
    }

    #[test]
    fn macros_of_the_domain_are_expanded_and_those_of_the_sender_are_not() {
        let is = |text: &str| Expanded::Name(text.to_owned());
        assert_eq!(name("_spf.Harbor.com."), is("_spf.harbor.com"));
        assert_eq!(name("%{d}"), is("strong.mail.harbor.com"));
        assert_eq!(name("%{o}._spf.test"), is("harbor.com._spf.test"));
        assert_eq!(name("%{d2}"), is("harbor.com"));
        assert_eq!(name("%{dr}.x.test"), is("com.harbor.mail.strong.x.test"));
        assert_eq!(name("%{d1r}.test"), is("strong.test"));
        assert_eq!(name("%{d2r.-}.test"), is("mail.strong.test"));
        assert_eq!(name("%{ir}.%{v}._spf.test"), Expanded::BySender);
        assert!(matches!(name("a..test"), Expanded::Impossible(_)));
        assert!(matches!(name("_spf.a.cominclude:b.com"), Expanded::Impossible(_)));
    }

    #[test]
    fn long_expansions_lose_labels_on_the_left() {
        let spec = DomainSpec::parse(&format!("foobar.{}.test", ["%{d}"; 12].join("."))).unwrap();
        let Expanded::Name(long) = spec.expand("strong.mail.harbor.com", "harbor.com") else {
            panic!("a name")
        };
        assert!(long.len() <= NAME_CHARS && long.ends_with("harbor.com.test"));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for wrong in [
            "",
            "museum",
            "museum.",
            "a.123",
            "192.0.2.1",
            "a.-com",
            "a.com/24",
            "a.com:25",
            "%(ir).a.com",
            "a%.com",
            "%{x}.a.com",
            "%{c}.a.com",
            "%{d0}.a.com",
            "%{d",
            "%{}",
            "a\u{80}.com",
        ] {
            assert!(DomainSpec::parse(wrong).is_err(), "{wrong}");
        }
        for right in ["a.com", "a:b/c.com", "%{h}", "a.xn--zckzah", "%{l2r+-}.user.%{d2}", "a.b.%%"]
        {
            assert!(DomainSpec::parse(right).is_ok(), "{right}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_text_never_panics(text in ".{0,80}", current in ".{0,40}") {
            let spec = DomainSpec::parse(&text);
            if let Ok(Expanded::Name(name)) = spec.map(|spec| spec.expand(&current, "harbor.com")) {
                proptest::prop_assert!(is_possible(&name));
            }
        }
    }
}
