//! `[[project.heartbeat]]`: jobs that have promised to call.

use std::collections::BTreeSet;

use launchready_checks::contract::Age;

use super::policy::zone;
use super::reader::{Reader, read_label};
use crate::config::file::{File, HeartbeatTable};
use crate::config::plan::TokenPlan;
use crate::config::promise::Promise;
use crate::incident::Policy;
use crate::schedule::{Cron, Schedule};

/// The most promises of one project: what is known of them fits into the evidence of one run.
const MOST: usize = 100;
/// The shortest time between two calls.
const LEAST: Age = Age::minutes(1);
/// The longest time that a promise may span.
const LONGEST: Age = Age::days(400);

impl Reader<'_> {
    /// The promises of a project; `policy` gives the zone of cron expressions.
    pub(super) fn promises(
        &mut self,
        tables: &[HeartbeatTable],
        policy: &Policy,
        key: &str,
    ) -> Vec<Promise> {
        let key = format!("{key}.heartbeat");
        if tables.len() > MOST {
            self.error(&key, format!("there are {}; one project takes {MOST}", tables.len()));
        }
        let mut names = BTreeSet::new();
        let mut promises = Vec::new();
        for (index, table) in tables.iter().enumerate() {
            let key = format!("{key}[{index}]");
            if let Err(message) = read_label(&table.name) {
                self.error(&format!("{key}.name"), message);
            } else if !names.insert(table.name.as_str()) {
                let message = format!("{:?} is used twice; give each job its own name", table.name);
                self.error(&format!("{key}.name"), message);
            }
            self.within(&format!("{key}.grace"), table.grace, Age::secs(1), LONGEST);
            if let Some(most) = table.max_runtime {
                self.within(&format!("{key}.max_runtime"), most, Age::secs(1), LONGEST);
            }
            if let Some(schedule) = self.rhythm(table, policy, &key) {
                promises.push(Promise {
                    name: table.name.clone(),
                    schedule,
                    grace: table.grace.0,
                    max_runtime: table.max_runtime.map(|most| most.0),
                });
            }
        }
        promises
    }

    /// When a job calls.
    fn rhythm(&mut self, table: &HeartbeatTable, policy: &Policy, key: &str) -> Option<Schedule> {
        match (table.every, &table.cron) {
            (Some(every), None) => {
                let every = self.within(&format!("{key}.every"), every, LEAST, LONGEST);
                Some(Schedule::Every(every))
            }
            (None, Some(text)) => match Cron::new(text, zone(policy)) {
                Ok(cron) => Some(Schedule::Cron(cron)),
                Err(error) => {
                    self.error(&format!("{key}.cron"), error);
                    None
                }
            },
            (Some(_), Some(_)) => {
                self.error(&format!("{key}.cron"), "write either every or cron, never both");
                None
            }
            (None, None) => {
                let message =
                    "when it calls is missing; add every = \"24h\" or cron = \"0 3 * * *\"";
                self.error(key, message);
                None
            }
        }
    }

    /// The tokens of all promises, named and not read.
    pub(super) fn tokens(&self, file: &File) -> Vec<TokenPlan> {
        let mut tokens = Vec::new();
        for (place, project) in file.project.iter().enumerate() {
            for (index, table) in project.heartbeat.iter().enumerate() {
                let key = format!("project[{place}].heartbeat[{index}].token");
                let named = self.named(Some(&table.token), &key);
                tokens.extend(named.map(|named| TokenPlan {
                    project: project.name.clone(),
                    name: table.name.clone(),
                    named,
                }));
            }
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use crate::config::{LoadError, parse};

    const PROJECT: &str = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";

    fn errors(promise: &str) -> String {
        let text = format!("{PROJECT}[[project.heartbeat]]\n{promise}");
        parse(&text, Path::new(".")).unwrap_err().to_string()
    }

    #[test]
    fn a_promise_that_cannot_be_is_one_error_with_its_line() {
        let token = "token = { env = \"T\" }\n";
        for (promise, part) in [
            (format!("name = \"a\"\n{token}"), "line 4: project[0].heartbeat[0]: when it calls"),
            (
                format!("name = \"a\"\n{token}every = \"1h\"\ncron = \"0 3 * * *\"\n"),
                "line 8: project[0].heartbeat[0].cron: write either every or cron",
            ),
            (format!("name = \"a\"\n{token}every = \"1s\"\n"), "heartbeat[0].every: 1s is out"),
            (format!("name = \"a\"\n{token}cron = \"@daily\"\n"), "no five-field cron"),
            (format!("name = \"a/b\"\n{token}every = \"1h\"\n"), "heartbeat[0].name: write 1 to"),
            (format!("name = \"a\"\n{token}every = \"1h\"\ngrace = \"0s\"\n"), "grace: 0"),
            (
                format!("name = \"a\"\n{token}every = \"1h\"\nmax_runtime = \"9999d\"\n"),
                "max_runtime: 9999d is out",
            ),
            (
                "name = \"a\"\ntoken = \"hunter2-hunter2-hunter2\"\nevery = \"1h\"\n".to_owned(),
                "a secret never stands in this file",
            ),
            (
                format!(
                    "name = \"a\"\n{token}every = \"1h\"\n[[project.heartbeat]]\nname = \"a\"\n\
                     {token}every = \"1h\"\n"
                ),
                "line 9: project[0].heartbeat[1].name: \"a\" is used twice",
            ),
        ] {
            let errors = errors(&promise);
            assert!(errors.contains(part), "{promise}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
            assert!(!errors.contains("hunter2"), "{errors}");
        }
    }

    #[test]
    fn a_cron_expression_is_read_in_the_zone_of_its_project() {
        let text = format!(
            "{PROJECT}timezone = \"Asia/Tokyo\"\n[[project.heartbeat]]\nname = \"nightly\"\n\
             token = {{ env = \"T\" }}\ncron = \"0 3 * * *\"\nmax_runtime = \"30m\"\n"
        );
        let config = parse(&text, Path::new(".")).unwrap();
        let project = config.projects.first().unwrap();
        let facts = &project.target.heartbeats[0];
        assert_eq!(facts.rhythm, "at \"0 3 * * *\" (Asia/Tokyo)");
        assert_eq!((facts.grace.to_string(), project.watch.heartbeats.len()), ("1h".to_owned(), 1));
    }

    #[test]
    fn a_token_of_no_use_or_of_two_jobs_is_named_by_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (name, token) in [
            ("short", "s3cret-short"),
            ("odd", "s3cret/odd/token-0123"),
            ("good", "s3cret-0123456789"),
        ] {
            std::fs::write(folder.path().join(name), token).unwrap();
        }
        let mut text = PROJECT.to_owned();
        for (index, file) in ["short", "odd", "good", "good"].iter().enumerate() {
            write!(
                text,
                "[[project.heartbeat]]\nname = \"job {index}\"\ntoken = {{ file = \"{file}\" }}\nevery = \"1h\"\n"
            )
            .unwrap();
        }
        let config = parse(&text, folder.path()).unwrap();
        let Err(LoadError::Secrets(errors)) = config.agent() else { panic!("they are of no use") };
        let keys: Vec<_> = errors.0.iter().map(|error| (error.line, error.key.as_str())).collect();
        let wanted = [
            (6, "project[0].heartbeat[0].token"),
            (10, "project[0].heartbeat[1].token"),
            (18, "project[0].heartbeat[3].token"),
        ];
        assert_eq!(keys, wanted);
        let said = errors.to_string();
        assert!(said.contains("shorter than 16") && said.contains("another job"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        let printed = format!("{:?}", config.settings());
        assert!(printed.contains("job 2") && !printed.contains("s3cret"), "{printed}");
    }
}
