//! One table, both ways round: what a user and a visitor can do to a row of another user.

use std::collections::BTreeSet;

use launchready_checks::probe::{ProbeError, TargetFault};
use serde_json::Value;

use super::owned::{Owned, key_text};
use super::project::{Project, Row, Told, User};
use super::{NAMES, unanswered};
use crate::drill::Step;

/// The most rows of one answer.
const ROWS: &str = "100";

/// One table.
pub(super) struct Trial<'a> {
    pub(super) project: &'a Project,
    pub(super) users: &'a [User; 2],
    pub(super) owned: &'a Owned<'a>,
    pub(super) steps: &'a mut Vec<Step>,
}

/// The row that is tried with.
struct Sample {
    key: String,
    /// The drill made it, and may let others write to it.
    made: bool,
}

/// One user, who owns the row, and the other one.
#[derive(Clone, Copy)]
struct Pair<'a> {
    owner: &'a User,
    other: &'a User,
    owner_name: &'static str,
    other_name: &'static str,
}

impl Trial<'_> {
    /// The first user's row tried by the second one, and the other way round.
    pub(super) async fn both_ways(mut self) {
        let [a, b] = self.users;
        let [first, second] = NAMES;
        let there = Pair { owner: a, other: b, owner_name: first, other_name: second };
        let back = Pair { owner: b, other: a, owner_name: second, other_name: first };
        for pair in [there, back] {
            if let Err(error) = self.way(pair).await {
                let what =
                    format!("{}: the row of {} is tried", self.owned.name(), pair.owner_name);
                let (saw, fix) = unanswered(&error);
                self.steps.push(Step::unseen(what, saw, fix));
            }
        }
    }

    async fn way(&mut self, pair: Pair<'_>) -> Result<(), ProbeError> {
        let Some(sample) = self.sample(pair).await? else { return Ok(()) };
        let step = self.seen_by(Some(pair.other), pair.other_name, pair, &sample).await?;
        self.steps.push(step);
        let step = self.seen_by(None, "a visitor without a login", pair, &sample).await?;
        self.steps.push(step);
        let Some(column) = self.owned.marked().filter(|_| sample.made) else {
            let what = format!("{}: {} writes nothing there", self.owned.name(), pair.other_name);
            let why = "not tried: a row that the drill did not make is only read";
            // Where anybody may read, nothing at all would be proven.
            self.steps.push(if self.owned.public {
                let fix = "let `row` of [[project.drill.owned]] hold what a user may insert";
                Step::unseen(what, why, fix)
            } else {
                Step::left(what, why)
            });
            return Ok(());
        };
        let step = self.changed_by(pair, &sample, column).await?;
        self.steps.push(step);
        let step = self.forged_by(pair, column).await?;
        self.steps.push(step);
        let step = self.deleted_by(pair, &sample, column).await?;
        self.steps.push(step);
        Ok(())
    }

    /// A row that the owner reads: one that it makes, else one that it has.
    async fn sample(&mut self, pair: Pair<'_>) -> Result<Option<Sample>, ProbeError> {
        let (name, key) = (self.owned.name(), self.owned.key());
        let what = format!("{name}: {} makes a row and reads it back", pair.owner_name);
        if self.owned.marked().is_some() {
            let row = self.owned.row(pair.owner);
            let (saw, fix) = match self.project.make(pair.owner, name, row, Some(key)).await? {
                Told::Rows(rows) => {
                    let made = rows.first().and_then(|row| key_text(row.get(key)));
                    let Some(made) = made else {
                        let fix = format!(
                            "name the column that tells rows of {name} apart as key of [[project.drill.owned]]"
                        );
                        self.steps.push(Step::unseen(what, format!("the row has no {key}"), fix));
                        return Ok(None);
                    };
                    if self.reads(pair.owner, &made).await?.is_some() {
                        self.steps.push(Step::held(what, "one row"));
                        return Ok(Some(Sample { key: made, made: true }));
                    }
                    let fix = self.owned.policy("select");
                    self.steps.push(Step::unseen(
                        what,
                        "it does not find the row that it made",
                        fix,
                    ));
                    return Ok(None);
                }
                Told::Denied => ("no policy lets a user make one".to_owned(), None),
                Told::Refused { code, .. } if code == "23505" => {
                    ("a user may have only one".to_owned(), None)
                }
                Told::Refused { status, code } => {
                    (format!("refused with {status} {code}"), Some(refusal(name, &code)))
                }
            };
            self.steps.push(match fix {
                Some(fix) => Step::unseen(what, saw, fix),
                None => Step::left(what, saw),
            });
        }
        let what = format!("{name}: {} has a row and reads it", pair.owner_name);
        let mine = format!("eq.{}", pair.owner.id);
        let query =
            [("select", key), (self.owned.table.owner.as_str(), mine.as_str()), ("limit", "1")];
        let found = match self.project.read(Some(pair.owner), name, &query).await? {
            Told::Rows(rows) => rows.first().and_then(|row| key_text(row.get(key))),
            Told::Denied | Told::Refused { .. } => None,
        };
        let Some(found) = found else {
            let fix = format!(
                "without a row there is no proof: make one in the product as this user, or let `row` of {name} under \
                 [[project.drill.owned]] hold what a user may insert"
            );
            self.steps.push(Step::unseen(what, "it has none", fix));
            return Ok(None);
        };
        self.steps.push(Step::held(what, "one row, which is only read"));
        Ok(Some(Sample { key: found, made: false }))
    }

    /// The row with a key, as a user sees it; an error where the reading was refused.
    async fn reads(&self, who: &User, key: &str) -> Result<Option<Row>, ProbeError> {
        match self.with_key(Some(who), key).await? {
            Told::Rows(rows) => Ok(rows.into_iter().next()),
            Told::Denied => Err(refused(self.owned.name(), 401, "42501")),
            Told::Refused { status, code } => Err(refused(self.owned.name(), status, &code)),
        }
    }

    async fn with_key(&self, who: Option<&User>, key: &str) -> Result<Told, ProbeError> {
        let mut columns = self.owned.key().to_owned();
        if let Some(marked) = self.owned.marked() {
            columns = format!("{columns},{marked}");
        }
        let wanted = format!("eq.{key}");
        let query = [("select", columns.as_str()), (self.owned.key(), wanted.as_str())];
        self.project.read(who, self.owned.name(), &query).await
    }

    async fn seen_by(
        &self,
        who: Option<&User>,
        reader: &str,
        pair: Pair<'_>,
        sample: &Sample,
    ) -> Result<Step, ProbeError> {
        let name = self.owned.name();
        let what = format!("{name}: {reader} does not read the row of {}", pair.owner_name);
        if self.owned.public {
            return Ok(Step::left(what, "anybody may read it: it stands in public_tables"));
        }
        Ok(match self.with_key(who, &sample.key).await? {
            Told::Rows(rows) if rows.is_empty() => Step::held(what, "no row came"),
            Told::Denied => Step::held(what, "refused with 42501"),
            Told::Rows(rows) => {
                let fix = self.owned.policy("select");
                let fix = format!(
                    "{fix}; a table that everybody may read belongs into public_tables of [project.supabase]"
                );
                Step::broken(what, format!("{} came, by its key", count(rows.len())), fix)
            }
            Told::Refused { status, code } => {
                Step::unseen(what, format!("refused with {status} {code}"), refusal(name, &code))
            }
        })
    }

    async fn changed_by(
        &self,
        pair: Pair<'_>,
        sample: &Sample,
        column: &str,
    ) -> Result<Step, ProbeError> {
        let name = self.owned.name();
        let what =
            format!("{name}: {} does not change the row of {}", pair.other_name, pair.owner_name);
        let query = (format!("eq.{}", sample.key), self.owned.filter());
        let query = [(self.owned.key(), query.0.as_str()), (column, query.1.as_str())];
        let columns = Row::from_iter([(column.to_owned(), Value::from(self.owned.changed()))]);
        let told = self.project.change(pair.other, name, &query, columns).await?;
        let after = self.reads(pair.owner, &sample.key).await?;
        let text = after.as_ref().and_then(|row| row.get(column)?.as_str());
        Ok(match (text, told) {
            (Some(text), _) if text != self.owned.text() => {
                let saw = format!("{column} of the row is another one afterwards");
                Step::broken(what, saw, self.owned.policy("update"))
            }
            (Some(_), told) => kept(what, &told, name),
            (None, _) => Step::unseen(
                what,
                "the owner does not find the row afterwards",
                self.owned.policy("update"),
            ),
        })
    }

    async fn deleted_by(
        &self,
        pair: Pair<'_>,
        sample: &Sample,
        column: &str,
    ) -> Result<Step, ProbeError> {
        let name = self.owned.name();
        let what =
            format!("{name}: {} does not delete the row of {}", pair.other_name, pair.owner_name);
        let query = (format!("eq.{}", sample.key), self.owned.filter());
        let query = [(self.owned.key(), query.0.as_str()), (column, query.1.as_str())];
        let told = self.project.delete(pair.other, name, &query).await?;
        Ok(if self.reads(pair.owner, &sample.key).await?.is_some() {
            kept(what, &told, name)
        } else {
            Step::broken(what, "the row is gone afterwards", self.owned.policy("delete"))
        })
    }

    /// The keys of the rows of this drill that a user owns.
    async fn marked(&self, who: &User, column: &str) -> Result<BTreeSet<String>, ProbeError> {
        let (key, mine) = (self.owned.key(), format!("eq.{}", who.id));
        let (columns, filter) = (format!("{key},{column}"), self.owned.filter());
        let owner = self.owned.table.owner.as_str();
        let query = [
            ("select", columns.as_str()),
            (owner, mine.as_str()),
            (column, filter.as_str()),
            ("limit", ROWS),
        ];
        let told = self.project.read(Some(who), self.owned.name(), &query).await?;
        let Told::Rows(rows) = told else { return Ok(BTreeSet::new()) };
        let ours = rows.iter().filter(|row| self.owned.is_ours(row));
        Ok(ours.filter_map(|row| key_text(row.get(key))).collect())
    }

    async fn forged_by(&self, pair: Pair<'_>, column: &str) -> Result<Step, ProbeError> {
        let name = self.owned.name();
        let what =
            format!("{name}: {} makes no row in the name of {}", pair.other_name, pair.owner_name);
        let theirs = self.marked(pair.owner, column).await?;
        let own = self.marked(pair.other, column).await?;
        let told = self.project.make(pair.other, name, self.owned.row(pair.owner), None).await?;
        if self.marked(pair.owner, column).await?.difference(&theirs).next().is_some() {
            let saw = format!("{} has a row that it did not make", pair.owner_name);
            return Ok(Step::broken(what, saw, self.owned.policy("insert")));
        }
        if self.marked(pair.other, column).await?.difference(&own).next().is_some() {
            return Ok(Step::held(what, "the row became one of its own"));
        }
        Ok(match told {
            Told::Denied => Step::held(what, "refused with 42501"),
            Told::Rows(_) => {
                let fix = format!(
                    "{}; take the row back with `{}`",
                    self.owned.policy("insert"),
                    self.owned.sql()
                );
                Step::broken(what, "it was accepted, and neither of them sees the row", fix)
            }
            // The rules of a table are looked at after its policies: such a row was let through.
            Told::Refused { status, code } if code.starts_with("23") => Step::unseen(
                what,
                format!("refused with {status} {code}, by a rule of the table and not by a policy"),
                self.owned.policy("insert"),
            ),
            told @ Told::Refused { .. } => kept(what, &told, name),
        })
    }
}

fn refused(table: &str, status: u16, code: &str) -> ProbeError {
    TargetFault::Malformed(format!("reading {table} was refused with {status} {code}")).into()
}

/// What is said of a row that is as it was.
fn kept(what: String, told: &Told, table: &str) -> Step {
    match told {
        Told::Rows(_) => {
            Step::held(what, "it reached no row, and the owner reads the row as it was")
        }
        Told::Denied => Step::held(what, "refused with 42501"),
        // The rules and triggers of a table come after its policies: such a row was let through.
        Told::Refused { status, code }
            if *status >= 500
                || *status == 404
                || ["22", "23", "P0"].iter().any(|of| code.starts_with(of)) =>
        {
            Step::unseen(what, format!("refused with {status} {code}"), refusal(table, code))
        }
        Told::Refused { status, code } => Step::held(what, format!("refused with {status} {code}")),
    }
}

/// What to do about a refusal that no policy is the reason of.
fn refusal(table: &str, code: &str) -> String {
    match code {
        "23502" => {
            format!("a column of {table} needs a value: add it to `row` of [[project.drill.owned]]")
        }
        "23503" => format!(
            "a value in `row` of {table} leads to a row that is not there: name one that every user may refer to"
        ),
        "23514" | "22P02" | "22001" => format!(
            "a value in `row` of {table} does not fit its column; put \"{{mark}}\" into a text column that takes any text \
             of 60 characters"
        ),
        "PGRST204" | "42703" => {
            format!(
                "{table} has no column of such a name: correct row, owner and key of [[project.drill.owned]]"
            )
        }
        "PGRST205" | "42P01" => {
            format!("the API knows no table {table}: correct table of [[project.drill.owned]]")
        }
        _ => format!("see the logs of the project for {table}: Logs → Postgres in the dashboard"),
    }
}

fn count(rows: usize) -> String {
    format!("{rows} row{}", if rows == 1 { "" } else { "s" })
}
