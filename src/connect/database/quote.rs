//! Names and values inside SQL text: the one place where either is quoted.
//!
//! The simple protocol and COPY take no parameters, and a pooler in transaction mode knows no prepared
//! statement, so a value stands in the text. It never stands there unquoted.

/// A name as SQL: inside double quotes only the double quote is special, in PostgreSQL and in SQLite.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}

/// A name with its schema, where it has one.
pub(super) fn qualified(schema: &str, table: &str) -> String {
    if schema.is_empty() { name(table) } else { format!("{}.{}", name(schema), name(table)) }
}

/// A text as a constant of PostgreSQL. A backslash is special or not by a setting of the server; in the
/// form `E'…'` it always is. No text of PostgreSQL holds a NUL.
pub(super) fn text(value: &str) -> String {
    let value = value.replace('\0', "").replace('\'', "''");
    if value.contains('\\') {
        format!("E'{}'", value.replace('\\', "\\\\"))
    } else {
        format!("'{value}'")
    }
}

/// A text as a constant of SQLite, where only the quote is special.
pub(super) fn text_of_sqlite(value: &str) -> String {
    format!("'{}'", value.replace('\0', "").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(name("orders"), "\"orders\"");
        assert_eq!(name("o\"; drop table x; --"), "\"o\"\"; drop table x; --\"");
        assert_eq!(qualified("my.schema", "a\"b"), "\"my.schema\".\"a\"\"b\"");
        assert_eq!(qualified("", "t\0t"), "\"tt\"");
        assert_eq!(text("it's"), "'it''s'");
        assert_eq!(text("\\'; drop table x; --"), "E'\\\\''; drop table x; --'");
        assert_eq!(text("a\0b"), "'ab'");
        assert_eq!(text_of_sqlite("\\'x"), "'\\''x'");
    }
}
