//! What it means that a key stands where it stands.

use std::collections::BTreeMap;

use super::collect::{Findings, Found, Named};
use super::{
    IN_BUILD, IN_HISTORY, POSSIBLE, PUBLIC_VARIABLE, SECRET, SERVICE_ROLE, TEST_KEY, place,
};
use crate::contract::{Assessment, Finding, FindingSpec, Severity};
use crate::secrets::detector::{Class, Kind};

/// How a file is reached, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Build,
    PublicVariable,
    Tracked,
    History,
    /// On this machine only, in a file that git does not know: one `git add .` away.
    Untracked,
    /// On this machine only, in an environment file: where keys belong.
    AtHome,
}

fn reach(found: &Found) -> Reach {
    let path = found.leak.place.as_str();
    if found.commit.is_some() {
        return Reach::History;
    }
    if place::is_build_output(path) {
        return Reach::Build;
    }
    if found.variable.is_some() {
        return Reach::PublicVariable;
    }
    match (found.tracked, place::is_env_file(path)) {
        (Some(true), _) | (None, false) => Reach::Tracked,
        (Some(false) | None, true) => Reach::AtHome,
        (Some(false), false) => Reach::Untracked,
    }
}

/// One finding for each key, by the worst place it stands in.
pub(super) fn keys(found: &Findings, folder: &str, out: &mut Assessment) {
    let mut keys: BTreeMap<(&str, &str), Vec<&Found>> = BTreeMap::new();
    for found in &found.keys.items {
        let key = (found.leak.kind.as_str(), found.leak.fingerprint.as_str());
        keys.entry(key).or_default().push(found);
    }
    let mut tests = Vec::new();
    for mut places in keys.into_values() {
        places.sort_by_key(|found| reach(found));
        let Some((first, kind)) =
            places.first().and_then(|first| Some((*first, first.leak.kind()?)))
        else {
            continue;
        };
        match (kind.class, reach(first)) {
            (_, Reach::AtHome) | (Class::Test, Reach::History | Reach::Untracked) => {}
            (Class::Test, _) => tests.push(first),
            (Class::Live | Class::Weak, reach) => out.find(leaked(first, kind, reach, &places)),
        }
    }
    if !tests.is_empty() {
        out.find(test_keys(&tests, folder));
    }
}

fn leaked(first: &Found, kind: &Kind, reach: Reach, places: &[&Found]) -> Finding {
    let leak = &first.leak;
    let file = leak.place.as_str();
    let spec: FindingSpec = match (kind.class, reach) {
        (Class::Weak, _) => POSSIBLE,
        (_, Reach::Build) => IN_BUILD,
        (_, Reach::PublicVariable) => PUBLIC_VARIABLE,
        (_, Reach::History) => IN_HISTORY,
        (_, Reach::Tracked | Reach::Untracked | Reach::AtHome) => SECRET,
    };
    let finding = spec.finding(leak.subject()).key(&leak.fingerprint);
    let finding = if reach == Reach::Untracked { finding.at(Severity::Warning) } else { finding };
    let what = format!("{} ({})", kind.title, leak.masked);
    let summary = match reach {
        Reach::Build => format!("{file} is build output and holds {what}."),
        Reach::PublicVariable => format!(
            "{} in {file} is published by the bundler and holds {what}.",
            first.variable.as_deref().unwrap_or("A variable")
        ),
        Reach::Tracked | Reach::AtHome => format!("{file}, line {}, holds {what}.", first.line),
        Reach::Untracked => {
            format!("{file}, line {}, holds {what}, and git does not track it.", first.line)
        }
        Reach::History => format!("The history of {file} holds {what}."),
    };
    let (fix, undo) = remedy(reach, file);
    finding
        .summary(summary)
        .saw_all(places.iter().map(|found| seen(found)))
        .fix(format!("{}. {fix}", kind.replace))
        .undo(undo)
}

fn seen(found: &Found) -> String {
    let leak = &found.leak;
    let version = match (&found.commit, found.times) {
        (Some(commit), 1) => format!(" in commit {commit}"),
        (Some(commit), 2) => format!(" in commit {commit} and one more version"),
        (Some(commit), times) => format!(" in commit {commit} and {} more versions", times - 1),
        (None, _) => String::new(),
    };
    let known = match (&found.commit, found.tracked) {
        (None, Some(true)) => ", tracked by git",
        (None, Some(false)) => ", not tracked by git",
        (Some(_), _) | (None, None) => "",
    };
    format!(
        "{}:{}{version}: {}, {} characters{known}",
        leak.place, found.line, leak.masked, leak.length
    )
}

fn remedy(reach: Reach, file: &str) -> (String, &'static str) {
    const REVERT: &str = "A key that was replaced stays invalid, and should; the change of the files \
                          is taken back with git revert.";
    match reach {
        Reach::Build => (
            format!(
                "Find the variable or file that brings it into {file}, read the key on the server \
                 instead, delete the build output and build again."
            ),
            REVERT,
        ),
        Reach::PublicVariable => (
            format!(
                "Take the public prefix off the variable in {file}, read it only in server code or \
                 an Edge Function, and build again."
            ),
            REVERT,
        ),
        Reach::History => (
            "Replacing it is what counts; to clean the history too, rewrite it with git filter-repo \
             --replace-text and push with force after telling everybody who has a clone."
                .to_owned(),
            "A rewritten history is restored from a clone that was made before.",
        ),
        Reach::Tracked | Reach::AtHome if place::is_env_file(file) => (
            format!(
                "Then take the file out of git and keep it out: git rm --cached {file}, and add \
                 {file} to .gitignore."
            ),
            REVERT,
        ),
        Reach::Tracked | Reach::Untracked | Reach::AtHome => (
            format!(
                "Then read the key from an environment variable in {file}, and keep its value in an \
                 .env file that .gitignore names."
            ),
            REVERT,
        ),
    }
}

fn test_keys(tests: &[&Found], folder: &str) -> Finding {
    let count = tests.len();
    let keys = if count == 1 {
        "1 secret test key stands".to_owned()
    } else {
        format!("{count} secret test keys stand")
    };
    TEST_KEY
        .finding(folder)
        .summary(format!("{keys} in the files of {folder}."))
        .saw_all(tests.iter().map(|found| seen(found)))
        .fix("Read the key from an environment variable, and roll it in the vendor's test mode.")
        .undo("The change of the files is taken back with git revert.")
}

/// Public variables that say they are private, although what they hold has no known shape.
pub(super) fn variables(found: &Findings, out: &mut Assessment) {
    for Named { path, line, name } in &found.variables.items {
        out.find(
            POSSIBLE
                .finding(format!("{name} in {path}"))
                .summary(format!(
                    "{name} in {path} is published by the bundler, and its name says that it is private."
                ))
                .saw(format!("{path}:{line}: {name} is set"))
                .fix(format!(
                    "Take the public prefix off {name}, read it only in server code or an Edge \
                     Function, build again, and replace the value at its vendor."
                ))
                .undo("Give the variable its old name back and build again."),
        );
    }
}

/// Edge Functions that use the service role and check no caller.
pub(super) fn functions(found: &Findings, out: &mut Assessment) {
    for Named { path, line, .. } in &found.functions.items {
        out.find(
            SERVICE_ROLE
                .finding(path)
                .summary(format!(
                    "{path} reads the caller's token, never asks whose it is, and works with the \
                     service role."
                ))
                .saw(format!("{path}:{line}: the service role key is read"))
                .saw("the Authorization header is read; neither auth.getUser nor auth.getClaims is called")
                .fix(
                    "Make the client for the user: createClient(url, anonKey, { global: { headers: { \
                     Authorization: req.headers.get(\"Authorization\") } } }), so that the access \
                     rules hold; or call auth.getUser(token) first and limit every query to that user.",
                )
                .undo("The change of the function is taken back with git revert and a deployment."),
        );
    }
}
