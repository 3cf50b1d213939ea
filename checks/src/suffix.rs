//! The public suffix list: where one owner's domain ends and another's begins.
//!
//! The list is generic code that is compiled anew at every call, so it is called only here.

use psl::{Suffix, Type};

/// The public suffix of a name, with whether the list knows it; names are in lower case.
#[inline(never)]
fn suffix(name: &str) -> Option<Suffix<'_>> {
    psl::suffix(name.as_bytes())
}

/// The registrable domain of a name; `None` for a public suffix or a single label.
pub fn registrable(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let own = name.len().checked_sub(suffix(name)?.as_bytes().len() + 1)?;
    let label = name.get(..own)?.rsplit('.').next().filter(|label| !label.is_empty())?;
    name.get(own - label.len()..)
}

/// The registrable domain of a name, where a registry hands it out and not a company that lets
/// others live below a domain of its own.
pub fn handed_out_by_registry(name: &str) -> Option<&str> {
    let by_registry = suffix(name)?.typ() == Some(Type::Icann);
    registrable(name).filter(|_| by_registry)
}

/// Whether a company lets others live at this name, below a domain of its own.
pub fn belongs_to_platform(name: &str) -> bool {
    suffix(name).is_some_and(|suffix| suffix.typ() == Some(Type::Private))
}

/// Whether a name ends in a suffix that the list knows.
pub fn ends_in_suffix(name: &str) -> bool {
    suffix(name).is_some_and(|suffix| suffix.is_known())
}

/// Whether a name is itself a suffix that the list knows.
pub fn is_suffix(name: &str) -> bool {
    suffix(name).is_some_and(|suffix| suffix.is_known() && suffix == name.as_bytes())
}
