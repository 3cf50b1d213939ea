//! Every path in a source that leads out of its module.

use std::path::Path;

/// The module of a file, such as `["mail", "spf"]` of `checks/src/mail/spf/mod.rs`.
pub(crate) fn module(file: &Path) -> Vec<String> {
    let parts = file.iter().map(|part| part.to_str().unwrap());
    let mut module: Vec<String> =
        parts.skip_while(|part| *part != "src").skip(1).map(str::to_owned).collect();
    let last = module.pop().unwrap();
    if !matches!(last.as_str(), "mod.rs" | "lib.rs" | "main.rs") {
        module.push(last.trim_end_matches(".rs").to_owned());
    }
    module
}

/// One path in the source that leads out of its module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) line: usize,
    /// The crate, then the parts, such as `["crate", "mail", "spf"]`.
    pub(crate) path: Vec<String>,
}

/// Every path that begins with `crate`, `super` or one of our crates; code of tests is left out.
pub(crate) fn imports(module: &[String], text: &str) -> Vec<Import> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap();
        let before: usize = text.lines().take(number).map(|line| line.len() + 1).sum();
        for start in ["crate", "super", "launchready", "launchready_checks", "launchready_lab"] {
            for (at, _) in code.match_indices(&format!("{start}::")) {
                let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
                let preceding = &code[..at];
                if preceding.ends_with(is_word) || preceding.ends_with("in ") {
                    continue;
                }
                let mut paths = Vec::new();
                tree(&text[before + at..], &[], &mut paths);
                for path in paths {
                    found.push(Import { line: number + 1, path: absolute(module, path) });
                }
            }
        }
    }
    found
}

/// Reads one use tree, such as `a::{b, c::d}`, and gives back what follows it.
fn tree<'t>(text: &'t str, before: &[String], paths: &mut Vec<Vec<String>>) -> &'t str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut path = before.to_vec();
    if !name.is_empty() {
        path.push(name.to_owned());
    }
    if let Some(after) = rest.strip_prefix("::") {
        if let Some(inside) = after.strip_prefix('{') {
            rest = inside.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                rest = tree(rest, &path, paths).trim_start();
                // What is left of an entry is `as name`.
                rest = rest.trim_start_matches(|c| !matches!(c, ',' | '}'));
                rest = rest.trim_start_matches(',').trim_start();
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return tree(after, &path, paths);
        }
    }
    paths.push(path);
    rest
}

/// `super` in terms of `crate`.
fn absolute(module: &[String], path: Vec<String>) -> Vec<String> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    if ups == 0 {
        return path;
    }
    let above = &module[..module.len().saturating_sub(ups)];
    let start = ["crate".to_owned()];
    start.iter().chain(above).chain(&path[ups..]).cloned().collect()
}

/// Whether `part` or `part::Item` of a list allows a path.
pub(crate) fn allows(list: &[&str], path: &[String]) -> bool {
    list.iter().any(|entry| match entry.split_once("::") {
        Some((part, item)) => {
            path.first().is_some_and(|p| p == part) && path.iter().any(|p| p == item)
        }
        None => path.first().is_some_and(|part| part == entry),
    })
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let module = ["mail".to_owned(), "spf".to_owned()];
    let text = "use crate::{dns::{a, b as c},\n    web::d};\n// crate::tls\nfn f() { super::super::tls::x(); }\n\
                pub(in super::super) fn g() {}\nuse launchready_checks::probe;\n\
                #[cfg(test)]\nmod tests {\n use crate::registry;\n}";
    let found: Vec<String> = imports(&module, text)
        .into_iter()
        .map(|import| format!("{} {}", import.line, import.path.join("::")))
        .collect();
    let wanted = [
        "1 crate::dns::a",
        "1 crate::dns::b",
        "1 crate::web::d",
        "4 crate::tls::x",
        "6 launchready_checks::probe",
    ];
    assert_eq!(found, wanted);
}
