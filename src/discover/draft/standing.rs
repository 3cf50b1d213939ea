//! The project that stands in a config already, and where something may be put beside it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A project that stands in the file.
pub(super) struct Standing<'t> {
    /// Where its header stands.
    pub(super) header: Range<usize>,
    /// Its keys.
    pub(super) table: &'t DeTable<'t>,
    /// Where the next project begins, or the file ends.
    pub(super) end: usize,
}

/// The name and the token of the project of a domain, where the file has it.
pub fn standing(text: &str, domain: &str) -> Option<(String, Option<String>)> {
    let document = DeTable::parse(text).ok()?;
    let found = find(text, &document, domain)?;
    let word = |key: &str| text_of(found.table, key).map(str::to_owned);
    Some((word("name")?, word("ownership")))
}

/// The project of a domain.
pub(super) fn find<'t>(
    text: &str,
    document: &'t Spanned<DeTable<'t>>,
    domain: &str,
) -> Option<Standing<'t>> {
    let DeValue::Array(projects) = value(document.get_ref(), "project")? else { return None };
    let mut projects = projects.iter().peekable();
    while let Some(project) = projects.next() {
        let DeValue::Table(table) = project.get_ref() else { continue };
        let own =
            text_of(table, "domain").map(|own| own.trim().trim_end_matches('.').to_lowercase());
        if own.as_deref() == Some(domain) {
            let end =
                projects.peek().map_or(text.len(), |next| line_start(text, next.span().start));
            return Some(Standing { header: project.span(), table, end });
        }
    }
    None
}

pub(super) fn value<'t>(table: &'t DeTable<'t>, key: &str) -> Option<&'t DeValue<'t>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value.get_ref())
}

pub(super) fn text_of<'t>(table: &'t DeTable<'t>, key: &str) -> Option<&'t str> {
    if let DeValue::String(text) = value(table, key)? { Some(text) } else { None }
}

/// The texts of a list.
pub(super) fn names<'t>(table: &'t DeTable<'t>, key: &str) -> Vec<&'t str> {
    let Some(DeValue::Array(items)) = value(table, key) else { return Vec::new() };
    let text = |item: &'t Spanned<DeValue<'t>>| match item.get_ref() {
        DeValue::String(text) => Some(text.as_ref()),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}

/// Whether a table stands between braces, and not below a header.
pub(super) fn is_in_line(text: &str, span: &Range<usize>) -> bool {
    text.get(span.clone()).is_some_and(|own| own.starts_with('{'))
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |end| end + 1)
}

pub(super) fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|tail| tail.find('\n')).map_or(text.len(), |end| at + end + 1)
}

/// The place in front of the comments and blank lines that stand before a header: they are about it.
pub(super) fn before_comments(text: &str, end: usize) -> usize {
    let mut at = end;
    if end == text.len() {
        return end;
    }
    while at > 0 {
        let start = line_start(text, at - 1);
        let line = text.get(start..at).unwrap_or_default().trim();
        if !line.is_empty() && !line.starts_with('#') {
            break;
        }
        at = start;
    }
    at
}
