//! Whether a text is one statement, for a library that runs several.

/// Whether no `;` stands before the end of a statement, outside of constants, names and comments.
pub(super) fn is_one(sql: &str) -> bool {
    let mut rest = sql;
    let mut ended = false;
    while let Some(sign) = rest.chars().next() {
        let comment = rest.starts_with("--") || rest.starts_with("/*");
        if ended && !comment && !sign.is_whitespace() && sign != ';' {
            return false;
        }
        let behind = if rest.starts_with("--") {
            after(rest, 2, "\n")
        } else if rest.starts_with("/*") {
            after(rest, 2, "*/")
        } else {
            match sign {
                // A quote that is doubled ends one constant and begins the next.
                '\'' => after(rest, 1, "'"),
                '"' => after(rest, 1, "\""),
                '`' => after(rest, 1, "`"),
                '[' => after(rest, 1, "]"),
                other => {
                    ended |= other == ';';
                    rest.get(other.len_utf8()..)
                }
            }
        };
        rest = behind.unwrap_or_default();
    }
    true
}

/// What stands after `end`, which is looked for behind `skip` bytes.
fn after<'a>(text: &'a str, skip: usize, end: &str) -> Option<&'a str> {
    text.get(skip..)?.split_once(end).map(|(_, behind)| behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_statement_is_seen_wherever_it_hides() {
        for one in [
            "select 1",
            "select 1;",
            "select ';' ; -- done; really\n",
            "select ';''; ' /* ; */",
            "select \";\", [;], `;` from t;;",
            "select 1 -- ; delete",
        ] {
            assert!(is_one(one), "{one}");
        }
        for two in [
            "select 1; delete from t",
            "select ''; attach 'x' as y",
            "select 1;/* */ delete from t",
            "select '\\'; delete from t",
        ] {
            assert!(!is_one(two), "{two}");
        }
    }
}
