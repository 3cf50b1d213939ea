//! What a policy lets a role do: whether its expression is true for every row, and what it relies on.

use crate::probe::{CataloguePolicy, CatalogueTable};

/// How deep an expression is read.
const DEPTH: usize = 12;
/// The most characters of an expression that are read: one that is true for everybody is short.
const CHARS: usize = 2_000;

/// A way in which a table is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Select,
    Insert,
    Update,
    Delete,
}

impl Way {
    pub(super) const WRITES: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether a role holds a privilege on a table.
pub(super) fn holds(table: &CatalogueTable, role: &str, way: Way) -> bool {
    table.grants.iter().any(|grant| {
        (grant.role == role || grant.role.eq_ignore_ascii_case("public"))
            && grant.privileges.iter().any(|privilege| privilege.eq_ignore_ascii_case(way.as_str()))
    })
}

/// The policies that let a role use every row of a table in one way; none where a restrictive policy
/// takes rows away again.
pub(super) fn open<'a>(
    table: &'a CatalogueTable,
    role: &str,
    way: Way,
) -> Vec<&'a CataloguePolicy> {
    let of = |permissive: bool| {
        table.policies.iter().filter(move |policy| {
            policy.permissive == permissive && applies(policy, role) && covers(policy, way)
        })
    };
    let every =
        |policy: &CataloguePolicy| expression(policy, way).is_some_and(|text| is_true(text, role));
    // A restrictive policy without an expression of this kind restricts nothing.
    let restricted =
        of(false).any(|policy| expression(policy, way).is_some_and(|text| !is_true(text, role)));
    if restricted { Vec::new() } else { of(true).filter(|policy| every(policy)).collect() }
}

fn applies(policy: &CataloguePolicy, role: &str) -> bool {
    policy.roles.is_empty() || policy.roles.iter().any(|of| of == role || of == "public")
}

fn covers(policy: &CataloguePolicy, way: Way) -> bool {
    policy.command.eq_ignore_ascii_case("ALL") || policy.command.eq_ignore_ascii_case(way.as_str())
}

/// The expression that decides. Without one PostgreSQL lets nothing through; new rows are held against
/// `USING` where there is no `WITH CHECK`.
fn expression(policy: &CataloguePolicy, way: Way) -> Option<&str> {
    match way {
        Way::Insert => policy.check.as_deref().or(policy.using.as_deref()),
        Way::Select | Way::Update | Way::Delete => policy.using.as_deref(),
    }
}

/// Whether a policy relies on what users write about themselves.
pub(super) fn reads_user_metadata(policy: &CataloguePolicy) -> bool {
    [&policy.using, &policy.check].into_iter().flatten().any(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("user_metadata") || text.contains("raw_user_meta_data")
    })
}

/// Whether an expression is true for every row that a role may ask for.
pub(super) fn is_true(text: &str, role: &str) -> bool {
    if text.len() > CHARS {
        return false;
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    holds_always(&text, role, DEPTH)
}

fn holds_always(text: &str, role: &str, depth: usize) -> bool {
    let text = bare(text);
    if depth == 0 || text.starts_with("case ") {
        return false;
    }
    let parts = split(text, " or ");
    if parts.len() > 1 {
        return parts.iter().any(|part| holds_always(part, role, depth - 1));
    }
    let parts = split(text, " and ");
    if parts.len() > 1 {
        return parts.iter().all(|part| holds_always(part, role, depth - 1));
    }
    if let Some(rest) = text.strip_prefix("select ") {
        let (value, name) = rest.rsplit_once(" as ").unwrap_or((rest, ""));
        // What stands behind the name of the value makes it depend on rows.
        let is_alone = !name.contains(' ') && !value.contains(" from ");
        return is_alone && holds_always(value, role, depth - 1);
    }
    if let Some(rest) = text.strip_prefix("not ") {
        return constant(bare(rest)) == Some("false");
    }
    constant(text) == Some("true") || compared(text) || is_role(text, role)
}

/// A truth value, however it is written.
fn constant(text: &str) -> Option<&'static str> {
    match text.split("::").next().unwrap_or_default().trim() {
        "true" | "'t'" | "'true'" => Some("true"),
        "false" | "'f'" | "'false'" => Some("false"),
        _ => None,
    }
}

/// Two constants that compare as true, such as `1 = 1`.
fn compared(text: &str) -> bool {
    // `1=1` and `1 = 1` are the same.
    for (sign, way) in [("<>", -1), ("<=", 2), (">=", 3), ("=", 0), ("<", 4), (">", 5)] {
        let Some((left, right)) = text.split_once(sign) else { continue };
        let (left, right) = (bare(left.trim()), bare(right.trim()));
        let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
        if let Some((left, right)) = numbers {
            return match way {
                -1 => left != right,
                0 => left == right,
                2 => left <= right,
                3 => left >= right,
                4 => left < right,
                _ => left > right,
            };
        }
        let literal = |text: &str| text.starts_with('\'') && text.matches('\'').count() == 2;
        return way == 0 && literal(left) && left.split("::").next() == right.split("::").next();
    }
    false
}

/// Tests that say only who asks: each of them lets a whole role through.
fn is_role(text: &str, role: &str) -> bool {
    let text = text
        .replace("( select auth.role() as role)", "auth.role()")
        .replace("( select auth.uid() as uid)", "auth.uid()")
        .replace("(select auth.role())", "auth.role()")
        .replace("(select auth.uid())", "auth.uid()")
        .replace("(auth.uid())", "auth.uid()")
        .replace("::text", "");
    let text = bare(&text);
    if text == "auth.uid() is not null" {
        return role == "authenticated";
    }
    let Some(rest) = text.strip_prefix("auth.role() =") else {
        return text.strip_suffix("= auth.role()").map(str::trim) == Some(&format!("'{role}'"));
    };
    let rest = rest.trim();
    rest == format!("'{role}'")
        || (rest.starts_with("any (array[") && rest.contains(&format!("'{role}'")))
}

/// Without the parentheses around the whole.
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        if !balanced(inner) {
            break;
        }
        text = inner.trim();
    }
    text
}

/// Whether parentheses close where they open, and never before.
fn balanced(text: &str) -> bool {
    let mut level = 0_i32;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => level += 1,
            ')' if !quoted => level -= 1,
            _ => {}
        }
        if level < 0 {
            return false;
        }
    }
    level == 0
}

/// The parts between a word that stands outside of parentheses and quotes.
fn split<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut level, mut quoted, mut from) = (0_i32, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => level += 1,
            ')' | ']' if !quoted => level -= 1,
            ' ' if !quoted
                && level == 0
                && at >= from
                && text.get(at..).is_some_and(|rest| rest.starts_with(word)) =>
            {
                parts.extend(text.get(from..at));
                from = at + word.len();
            }
            _ => {}
        }
    }
    parts.extend(text.get(from..));
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expressions_that_are_true_for_every_row_are_known() {
        for text in [
            "true",
            "(true)",
            "((TRUE))",
            "1=1",
            "(1 = 1)",
            "( SELECT true AS bool)",
            "'t'::boolean",
            "(true OR (auth.uid() = user_id))",
            "(true AND (1 = 1))",
            "NOT false",
            "(2 > 1)",
            "('a'::text = 'a'::text)",
            "(auth.role() = 'anon'::text)",
            "('anon'::text = auth.role())",
            "(( SELECT auth.role() AS role) = 'anon'::text)",
            "(auth.role() = ANY (ARRAY['anon'::text, 'authenticated'::text]))",
        ] {
            assert!(is_true(text, "anon"), "{text}");
        }
        for text in [
            "(auth.uid() = user_id)",
            "(( SELECT auth.uid() AS uid) = user_id)",
            "false",
            "(1 = 2)",
            "(is_public = true)",
            "is_public",
            "((true) AND (owner = auth.uid()))",
            "(auth.role() = 'authenticated'::text)",
            "(auth.uid() IS NOT NULL)",
            "(status = 'true'::text)",
            "CASE WHEN true THEN (owner = auth.uid()) ELSE false END",
            "(note = ' or true'::text)",
            "(EXISTS ( SELECT 1 FROM members m WHERE (m.id = auth.uid())))",
            "(1 = team)",
            "('a' = name)",
            "(NOT deleted)",
            "( SELECT true AS bool FROM members)",
            "",
        ] {
            assert!(!is_true(text, "anon"), "{text}");
        }
        assert!(is_true("(auth.uid() IS NOT NULL)", "authenticated"));
        assert!(is_true("(( SELECT auth.uid() AS uid) IS NOT NULL)", "authenticated"));
    }

    fn policy(command: &str, role: &str, permissive: bool, using: &str) -> CataloguePolicy {
        CataloguePolicy {
            name: "p".to_owned(),
            command: command.to_owned(),
            roles: vec![role.to_owned()],
            permissive,
            using: Some(using.to_owned()),
            check: None,
        }
    }

    #[test]
    fn a_restrictive_policy_closes_what_a_permissive_one_opens_and_only_for_its_role() {
        let table = |policies: Vec<CataloguePolicy>| CatalogueTable {
            policies,
            ..CatalogueTable::default()
        };
        let all = policy("ALL", "public", true, "true");
        assert_eq!(open(&table(vec![all.clone()]), "anon", Way::Insert).len(), 1);
        let own = policy("SELECT", "anon", false, "(auth.uid() = id)");
        let both = table(vec![all.clone(), own]);
        assert!(open(&both, "anon", Way::Select).is_empty());
        assert_eq!(open(&both, "authenticated", Way::Select).len(), 1);
        assert_eq!(open(&both, "anon", Way::Delete).len(), 1);
        let nothing = table(vec![all, policy("ALL", "public", false, "(1 = 1)")]);
        assert_eq!(open(&nothing, "anon", Way::Select).len(), 1);
        let empty = CataloguePolicy { using: None, ..policy("SELECT", "anon", true, "") };
        assert!(open(&table(vec![empty]), "anon", Way::Select).is_empty());
        let members = policy("SELECT", "authenticated", true, "true");
        assert!(open(&table(vec![members]), "anon", Way::Select).is_empty());
    }

    proptest! {
        #[test]
        fn any_expression_is_read_without_panic(text in "[a-z1=<>() '\\[\\]:ö.-]{0,80}") {
            let _either = is_true(&text, "anon");
        }
    }
}
