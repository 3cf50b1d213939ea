//! A second run: what is new is put into the file that stands, and not a byte of it is changed.

use toml::de::{DeArray, DeTable, DeValue};
use toml::{Table, Value};

use super::standing::{
    Standing, before_comments, find, is_in_line, line_end, names, text_of, value,
};
use super::{Draft, NetworkLines};

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The text with the additions; the same as before where there are none.
    pub text: String,
    /// The keys that were added, such as `project.crm`.
    pub added: Vec<String>,
    /// What was seen and is for the founder to change, in sentences.
    pub by_hand: Vec<String>,
}

/// Why nothing can be put into a file.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// It is no TOML.
    #[error("it is no TOML: {0}; correct it, or name another file with --out")]
    NoToml(String),
    /// The project stands in a form into which nothing can be put.
    #[error(
        "the project stands in one line there; write it as [[project]] with a table for each system, or \
         name another file with --out"
    )]
    InLine,
    /// What was put in changes the meaning of what stands.
    #[error(
        "nothing can be added to it without changing what stands; name another file with --out"
    )]
    Meaning,
}

/// Puts a draft into the text of a config.
///
/// # Errors
/// The text is no TOML, or in a form into which nothing can be put.
pub fn merge(text: &str, draft: &Draft<'_>, network: &NetworkLines) -> Result<Merge, MergeError> {
    let document =
        DeTable::parse(text).map_err(|error| MergeError::NoToml(error.message().to_owned()))?;
    let mut merge = Merge { text: text.to_owned(), added: Vec::new(), by_hand: Vec::new() };
    let mut puts: Vec<(usize, String)> = Vec::new();
    let has_network = document.get_ref().iter().any(|(name, _)| name.get_ref() == "network");
    let network = network.text();
    if !network.is_empty() && !has_network {
        puts.push((text.len(), format!("\n{network}")));
        merge.added.push("network".to_owned());
    } else if !network.is_empty() {
        merge
            .by_hand
            .push("[network] stands already: put what you typed into it yourself".to_owned());
    }
    if let Some(project) = find(text, &document, &draft.stack.domain) {
        extend(text, &project, draft, &mut puts, &mut merge)?;
    } else {
        let projects = value(document.get_ref(), "project");
        let is_in_line =
            |projects: &DeArray<'_>| projects.iter().any(|one| is_in_line(text, &one.span()));
        if matches!(projects, Some(DeValue::Array(projects)) if is_in_line(projects)) {
            return Err(MergeError::InLine);
        }
        puts.push((text.len(), format!("\n{}", draft.project())));
        merge.added.push(format!("project {:?}", draft.name));
    }
    merge.text = put(text, puts);
    let (before, after) = (text.parse::<Table>(), merge.text.parse::<Table>());
    match (before, after) {
        (Ok(before), Ok(after))
            if holds(&Value::Table(after.clone()), &Value::Table(before.clone())) =>
        {
            Ok(merge)
        }
        _ => Err(MergeError::Meaning),
    }
}

/// What a project that stands does not have yet.
fn extend(
    text: &str,
    project: &Standing<'_>,
    draft: &Draft<'_>,
    puts: &mut Vec<(usize, String)>,
    merge: &mut Merge,
) -> Result<(), MergeError> {
    if is_in_line(text, &project.header) {
        return Err(MergeError::InLine);
    }
    let after_header = line_end(text, project.header.end);
    let mut keys = String::new();
    for (key, line) in draft.own_keys() {
        if value(project.table, key).is_none() {
            keys += &line;
            merge.added.push(format!("project.{key}"));
        }
    }
    if !keys.is_empty() {
        let gap = if text.get(..after_header).is_some_and(|head| head.ends_with('\n')) {
            ""
        } else {
            "\n"
        };
        puts.push((after_header, format!("{gap}{keys}")));
    }
    let not_used = names(project.table, "not_used");
    let mut tables = String::new();
    for addition in draft.additions() {
        let key = format!("project.{}", addition.table);
        let stands = value(project.table, addition.table);
        let kind = addition.wanted.as_ref().map(|wanted| wanted.access);
        if let (Some(DeValue::Table(table)), Some(access)) = (stands, kind) {
            let other = text_of(table, "kind").filter(|kind| *kind != access.word);
            if let Some(other) = other {
                merge
                    .by_hand
                    .push(format!("[{key}] says {other:?}, and {} was seen", access.title));
            }
        } else if let (true, Some(access)) = (not_used.contains(&addition.table), kind) {
            let note =
                format!("not_used names {:?}, and {} was seen", addition.table, access.title);
            merge.by_hand.push(note);
        } else if stands.is_none() && addition.open.is_none() {
            tables.push('\n');
            tables += &addition.text;
            merge.added.push(key);
        } else if let (None, Some(open), Some(access)) = (stands, addition.open, kind) {
            let own = text.get(project.header.start..project.end).unwrap_or(text);
            if own.contains(&format!("# [{key}]")) {
                merge.by_hand.push(format!("[{key}] for {} waits for {open}", access.title));
            } else {
                tables.push('\n');
                tables += &addition.text;
                merge.added.push(format!("{key} (commented out: fill in {open})"));
            }
        }
    }
    let hosts = names(project.table, "hosts");
    let domain = &draft.stack.domain;
    let is_named =
        |name: &str| hosts.iter().any(|host| *host == name || format!("{host}.{domain}") == name);
    let new =
        draft.stack.hosts.iter().map(|host| host.name.as_str()).filter(|name| !is_named(name));
    let new: Vec<&str> = new.collect();
    if value(project.table, "hosts").is_some() && !new.is_empty() {
        merge.by_hand.push(format!("hosts does not name {}", new.join(", ")));
    }
    if !tables.is_empty() {
        puts.push((before_comments(text, project.end), tables));
    }
    Ok(())
}

/// Puts texts into a text, with its own line ends; what stood keeps every byte and its order.
fn put(text: &str, mut puts: Vec<(usize, String)>) -> String {
    puts.sort_by_key(|(at, _)| *at);
    let is_windows = text.contains("\r\n");
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, new) in puts {
        out += text.get(done..at).unwrap_or_default();
        if !out.is_empty() && !out.ends_with('\n') && !new.starts_with('\n') {
            out.push('\n');
        } else if !out.is_empty() && !out.ends_with('\n') {
            // The first line end closes the last line, and a second one makes the gap.
            out += if is_windows { "\r\n" } else { "\n" };
        }
        out += &if is_windows { new.replace('\n', "\r\n") } else { new };
        done = at;
    }
    out + text.get(done..).unwrap_or_default()
}

/// Whether everything that `before` says is still said.
fn holds(after: &Value, before: &Value) -> bool {
    match (after, before) {
        (Value::Table(after), Value::Table(before)) => {
            before.iter().all(|(key, value)| after.get(key).is_some_and(|now| holds(now, value)))
        }
        (Value::Array(after), Value::Array(before))
            if before.iter().any(|item| matches!(item, Value::Table(_))) =>
        {
            after.len() >= before.len()
                && before.iter().zip(after).all(|(old, new)| holds(new, old))
        }
        // NaN is no value of a config, and is never equal to itself.
        (after, before) => after == before || after.to_string() == before.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::config::parse;
    use crate::discover::{Answers, HostSeen, Stack, Supabase, standing};

    fn stack() -> Stack {
        let mut stack = Stack { domain: "harbor.example".to_owned(), ..Stack::default() };
        stack.note("stripe", "pk_live_… in the page's scripts");
        stack.note("hubspot", "js.hs-scripts.com in harbor.example");
        stack.note("supabase", "abc in a script");
        stack.note("make", "hook");
        stack.supabase =
            Some(Supabase { reference: "abcdefghijklmnopqrst".to_owned(), public_key: None });
        stack.hosts = vec![HostSeen { name: "app.harbor.example".to_owned(), platform: None }];
        stack.webhooks = vec!["https://app.harbor.example/api/webhook".to_owned()];
        stack
    }

    fn merged(text: &str) -> Result<Merge, MergeError> {
        let (stack, answers) = (stack(), Answers::default());
        let named = standing(text, "harbor.example");
        let name = named.as_ref().map(|(name, _)| name.as_str());
        let draft = Draft::new(&stack, &answers, name, "lr-0123456789abcdef".to_owned());
        merge(text, &draft, &NetworkLines::default())
    }

    /// What stood is still there, in its order, byte for byte.
    fn keeps(after: &str, before: &str) -> bool {
        let mut rest = after.bytes();
        before.bytes().all(|byte| rest.any(|other| other == byte))
    }

    #[test]
    fn a_new_file_is_a_config_and_merging_into_it_changes_nothing() {
        let (stack, answers) = (stack(), Answers::default());
        let draft = Draft::new(&stack, &answers, None, "lr-0123456789abcdef".to_owned());
        let text = draft.file(&NetworkLines::default());
        let config = parse(&text, Path::new(".")).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(config.projects[0].ownership.as_deref(), Some("lr-0123456789abcdef"));
        assert_eq!(config.projects[0].target.hosts, ["app.harbor.example"]);
        let again = merged(&text).unwrap();
        assert_eq!((again.text.as_str(), &again.added[..]), (text.as_str(), &[][..]), "{again:?}");
    }

    #[test]
    fn every_commented_table_is_one_when_its_comment_is_taken_away() {
        let stack = Stack { domain: "harbor.example".to_owned(), ..Stack::default() };
        let answers = Answers::default();
        let draft = Draft::new(&stack, &answers, None, "lr-0123456789abcdef".to_owned());
        let text = draft.file(&NetworkLines::default());
        parse(&text, Path::new(".")).unwrap();
        let opened = text.lines().map(|line| {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_key = bare.starts_with("[project.")
                || bare.split_once(" = ").is_some_and(|(key, _)| {
                    key != "not_used" && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                });
            if is_key { bare } else { line }
        });
        let open = opened.collect::<Vec<_>>().join("\n");
        let table: Table = open.parse().unwrap_or_else(|error| panic!("{error}\n{open}"));
        let project = table["project"][0].as_table().unwrap();
        for part in ["stripe", "supabase", "database", "crm", "support", "automation"] {
            assert!(project.contains_key(part), "{part}\n{open}");
        }
    }

    #[test]
    fn additions_go_to_their_project_and_nothing_else_moves() {
        let text = "# mine\n[[project]]   # one\nname = \"harbor\"\ndomain = \"Harbor.example.\"\n\
                    [project.stripe]\nkey = { env = \"MY_KEY\" }\n\n# the other\n[[project]]\n\
                    name = \"cove\"\ndomain = \"cove.example\"\n[[channel]]\nname = \"x\"\nkind = \"slack\"\n\
                    url = { env = \"U\" }";
        let merge = merged(text).unwrap();
        assert!(keeps(&merge.text, text), "{}", merge.text);
        let config = parse(&merge.text, Path::new(".")).unwrap();
        let tables = |index: usize| &config.projects[index].accounts.tables;
        assert!(tables(0).crm.is_some() && tables(0).supabase.is_some());
        assert!(tables(1).crm.is_none() && tables(1).supabase.is_none());
        assert!(merge.text.contains("key = { env = \"MY_KEY\" }"));
        assert!(!merge.text.contains("HARBOR_STRIPE"), "{}", merge.text);
        assert!(merge.text.find("HUBSPOT").unwrap() < merge.text.find("# the other").unwrap());
        let again = merged(&merge.text).unwrap();
        assert_eq!(again.text, merge.text);
        assert!(again.added.is_empty(), "{again:?}");
    }

    #[test]
    fn what_was_said_not_to_exist_is_told_and_not_written() {
        let text = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\nhosts = [\"www\"]\n\
                    not_used = [\"crm\"]\n[project.support]\nkind = \"front\"\ntoken = { env = \"F\" }\n";
        let merge = merged(text).unwrap();
        assert!(!merge.text.contains("[project.crm]"));
        let told = merge.by_hand.join("\n");
        assert!(told.contains("not_used names \"crm\", and HubSpot was seen"), "{told}");
        assert!(told.contains("hosts does not name app.harbor.example"), "{told}");
    }

    #[test]
    fn line_ends_of_windows_stay_and_a_file_without_a_project_gets_one() {
        let merge = merged("[network]\r\nallow_private = true").unwrap();
        assert!(
            merge.text.starts_with("[network]\r\nallow_private = true\r\n"),
            "{:?}",
            merge.text
        );
        assert!(!merge.text.replace("\r\n", "").contains('\n'));
        parse(&merge.text, Path::new(".")).unwrap();
    }

    #[test]
    fn a_form_that_takes_no_table_is_refused_with_the_remedy() {
        let error =
            merged("project = [{ name = \"harbor\", domain = \"harbor.example\" }]\n").unwrap_err();
        assert!(error.to_string().contains("[[project]]"), "{error}");
        let error =
            merged("project = [{ name = \"cove\", domain = \"cove.example\" }]\n").unwrap_err();
        assert!(error.to_string().contains("--out"), "{error}");
        assert!(merged("[[project\n").unwrap_err().to_string().contains("no TOML"));
    }

    #[test]
    fn a_text_that_looks_like_a_header_is_none() {
        let text = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n[project.web]\n\
                    legal_pages = ['''\n# x\n[[project]]''']\n[[project]]\nname = \"cove\"\ndomain = \"cove.example\"\n";
        let merge = merged(text).unwrap();
        assert!(keeps(&merge.text, text));
        let table: Table = merge.text.parse().unwrap();
        assert_eq!(table["project"].as_array().unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn no_byte_of_what_stands_is_lost(
            head in "(# [a-z]{0,9}\n|\n){0,4}",
            tail in "(\n|# [a-z \\[\\]]{0,12}\n|\\[\\[channel\\]\\]\n|\\[agent\\]\n){0,5}",
            end in "(\r)?(\n)?",
        ) {
            let text = format!("{head}[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n{tail}{end}");
            if let Ok(merge) = merged(&text) {
                prop_assert!(keeps(&merge.text, &text));
                let again = merged(&merge.text).unwrap();
                prop_assert_eq!(again.text, merge.text);
            }
        }
    }
}
