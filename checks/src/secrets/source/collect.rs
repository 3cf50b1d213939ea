//! Takes up keys from files as they are read, from several threads, within bounds.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::function::{line_of, unchecked_service_role};
use super::place;
use crate::contract::Bounded;
use crate::probe::SourceFile;
use crate::secrets::detector::{self, FingerprintKey};
use crate::secrets::leak::{Leak, shortened};

/// The most keys with their places that are kept as evidence.
const KEPT: usize = 70;
/// The most that are told apart while reading; a dump of keys is longer than any list of them.
const TOLD_APART: usize = 5_000;
/// The most functions and variables that are kept.
const KEPT_NAMES: usize = 20;

/// One key in one file, or in the history of that file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Found {
    /// The key.
    pub(super) leak: Leak,
    /// The line, from 1.
    pub(super) line: usize,
    /// The commit that holds it; `None` in the file as it stands.
    pub(super) commit: Option<String>,
    /// Whether git knows the file; `None` without git.
    pub(super) tracked: Option<bool>,
    /// The public variable that the line sets.
    pub(super) variable: Option<String>,
    /// In how many versions of the file.
    pub(super) times: usize,
}

/// A line of a file that names something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Named {
    /// The file.
    pub(super) path: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// What stands there.
    pub(super) name: String,
}

type Key = (bool, String, String, String);

#[derive(Default)]
struct State {
    found: BTreeMap<Key, Found>,
    past_limit: usize,
    functions: Vec<Named>,
    variables: Vec<Named>,
}

/// Everything that was found in a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Findings {
    /// Keys, current files before history.
    pub(super) keys: Bounded<Found>,
    /// Edge Functions that use the service role and check no caller.
    pub(super) functions: Bounded<Named>,
    /// Public variables whose names say that they are private, and that hold no known key.
    pub(super) variables: Bounded<Named>,
}

/// Takes up files.
pub(super) struct Collector {
    key: FingerprintKey,
    state: Mutex<State>,
}

impl Collector {
    pub(super) fn new(project: &str) -> Self {
        Self { key: FingerprintKey::of_project(project), state: Mutex::default() }
    }

    /// Reads one file.
    pub(super) fn visit(&self, file: SourceFile<'_>) {
        let is_env = place::is_env_file(file.path);
        let current = file.commit.is_none();
        for hit in detector::scan(file.bytes) {
            let leak = Leak::of(&hit, file.bytes, file.path, &self.key);
            let key = (!current, leak.kind.clone(), leak.fingerprint.clone(), leak.place.clone());
            let variable = if is_env { place::variable_at(file.bytes, hit.start) } else { None };
            let found = Found {
                line: line_of(file.bytes, hit.start),
                commit: file.commit.map(str::to_owned),
                tracked: file.tracked,
                variable: variable
                    .filter(|name| place::is_public_variable(name))
                    .map(str::to_owned),
                times: 1,
                leak,
            };
            self.lock().add(key, found);
        }
        if !current {
            return;
        }
        let named =
            |line, name: &str| Named { path: shortened(file.path), line, name: name.to_owned() };
        if is_env {
            let names: Vec<_> = place::private_names(file.bytes).collect();
            let names = names.into_iter().map(|(line, name)| named(line, name));
            self.lock().variables.extend(names.take(KEPT_NAMES));
        }
        if place::is_edge_function(file.path)
            && let Some(line) = unchecked_service_role(file.bytes)
        {
            self.lock().functions.push(named(line, "service role"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panicking thread left is a whole state: every change is one insertion.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found, in an order that does not depend on the threads.
    pub(super) fn finish(self) -> Findings {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.functions.sort();
        state.variables.sort();
        let named = |found: &Found, variable: &Named| {
            found.leak.place == variable.path && found.line == variable.line
        };
        state
            .variables
            .retain(|variable| !state.found.values().any(|found| named(found, variable)));
        let mut keys = Bounded::keep(state.found.into_values(), KEPT);
        keys.cut += state.past_limit;
        Findings {
            keys,
            functions: Bounded::keep(state.functions, KEPT_NAMES),
            variables: Bounded::keep(state.variables, KEPT_NAMES),
        }
    }
}

impl State {
    fn add(&mut self, key: Key, found: Found) {
        if let Some(known) = self.found.get_mut(&key) {
            known.times += 1;
            // Threads come in any order: of the places in one file the first is kept.
            if (found.line, &found.commit) < (known.line, &known.commit) {
                *known = Found { times: known.times, ..found };
            }
        } else if self.found.len() < TOLD_APART {
            self.found.insert(key, found);
        } else {
            self.past_limit += 1;
        }
    }
}
