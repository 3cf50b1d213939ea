//! The rule of a robots.txt that decides about the home page (RFC 9309).

use serde::{Deserialize, Serialize};

/// RFC 9309 section 2.5: a parser reads at least 500 KiB.
const BYTES: usize = 500 * 1024;
/// The most characters of a rule that are kept.
const RULE_CHARS: usize = 80;

/// A group: its user agents in lower case, and its rules.
#[derive(Debug, Default)]
struct Group {
    agents: Vec<String>,
    rules: Vec<(bool, String)>,
}

/// A rule that keeps crawlers from the home page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    /// It holds for Google's crawler alone, and not for everybody.
    pub(super) google: bool,
    /// The rule as it stands in the file.
    pub(super) rule: String,
}

/// The rule that keeps Google's crawler from the home page; `None` where it may read it. Google's own
/// group decides where there is one, and else that of everybody (RFC 9309 section 2.2.1).
pub(super) fn blocks_home(text: &str) -> Option<Block> {
    let groups = groups(text);
    let google = groups.iter().any(|group| group.agents.iter().any(|agent| agent == "googlebot"));
    if google {
        let rule = deciding(&groups, "googlebot")?;
        return Some(Block { google: deciding(&groups, "*").is_none(), rule });
    }
    deciding(&groups, "*").map(|rule| Block { google: false, rule })
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut in_rules = true;
    let bytes = text.char_indices().take_while(|(at, _)| *at < BYTES).count();
    let text: String = text.trim_start_matches('\u{feff}').chars().take(bytes).collect();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "user-agent" => {
                if in_rules {
                    groups.push(Group::default());
                    in_rules = false;
                }
                if let Some(group) = groups.last_mut() {
                    group.agents.push(value.to_ascii_lowercase());
                }
            }
            rule @ ("allow" | "disallow") => {
                in_rules = true;
                if let Some(group) = groups.last_mut().filter(|_| !value.is_empty()) {
                    group.rules.push((rule == "allow", value.to_owned()));
                }
            }
            _ => {}
        }
    }
    groups
}

/// The `Disallow` that wins for the path `/`: the longest rule decides, and of two equal ones the
/// `Allow` (RFC 9309 section 2.2.2).
fn deciding(groups: &[Group], agent: &str) -> Option<String> {
    let rules = groups
        .iter()
        .filter(|group| group.agents.iter().any(|name| name == agent))
        .flat_map(|group| &group.rules)
        .filter(|(_, pattern)| matches_home(pattern));
    let (allow, pattern) = rules.max_by_key(|(allow, pattern)| (pattern.len(), *allow))?;
    (!allow).then(|| format!("Disallow: {}", pattern.chars().take(RULE_CHARS).collect::<String>()))
}

/// Whether a pattern matches the path `/`.
fn matches_home(pattern: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    // Against one slash, only the slash itself and wildcards around it can match.
    let slashes = pattern.chars().filter(|c| *c == '/').count();
    let plain = pattern.chars().all(|c| matches!(c, '/' | '*'));
    plain
        && slashes <= 1
        && (slashes == 1 || pattern.contains('*') || (pattern.is_empty() && !anchored))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_that_shuts_everybody_out_is_recognised() {
        for text in [
            "User-agent: *\nDisallow: /",
            "\u{feff}user-agent:*\r\ndisallow:/ # for now\r\n",
            "User-agent: Googlebot\nUser-agent: *\nDisallow: /*\n",
            "User-agent: *\nDisallow: /\nAllow: /public\n",
            "User-agent: *\nCrawl-delay: 2\nDisallow: /\n\nUser-agent: Googlebot\nDisallow: /\n",
        ] {
            assert!(blocks_home(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_file_that_shuts_google_alone_out_is_recognised() {
        let text = "User-agent: *\nDisallow:\n\nUser-agent: Googlebot\nDisallow: /\n";
        assert!(blocks_home(text).is_some_and(|block| block.google));
    }

    #[test]
    fn a_file_that_lets_one_in_blocks_nobody() {
        for text in [
            "",
            "User-agent: *\nDisallow:\n",
            "User-agent: *\nDisallow: /api/\nAllow: /\n",
            "User-agent: *\nDisallow: /\nAllow: /\n",
            "User-agent: *\nDisallow: /\nAllow: /$\n",
            "User-agent: GPTBot\nDisallow: /\n",
            "User-agent: *\nDisallow: /\n\nUser-agent: Googlebot\nAllow: /\n",
            "User-agent: *\nDisallow: /admin\nDisallow: /*.json$\n",
            "<!doctype html><p>User-agent: * Disallow: /</p>",
        ] {
            assert_eq!(blocks_home(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(?s).{0,400}") {
            let _rule = blocks_home(&text);
        }
    }
}
