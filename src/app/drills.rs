//! Drills with everything they need: proof of ownership first, a record before anything is changed, and the
//! undo whatever happened.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::Ownership;

use super::Session;
use super::alerting::channels_of;
use super::ownership::ownership;
use crate::config::{Agent, DrillTable, Project};
use crate::connect;
use crate::drill::{self, Drill, Outcome, Plan, Record, Scene, Undo};
use crate::store::Store;

/// How long DNS may take to prove ownership.
const OWNERSHIP: Duration = Duration::from_secs(10);

/// The drills of one project.
pub struct Drills<'a> {
    session: &'a Session,
    project: &'a Project,
    table: Arc<DrillTable>,
    store: Arc<dyn Store>,
    channels: Vec<String>,
    ownership: Ownership,
}

impl std::fmt::Debug for Drills<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drills").finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the store of the agent, where drills are remembered, and looks whether the project is the
    /// user's own.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub async fn drills<'a>(
        &'a self,
        project: &'a Project,
        settings: &Agent,
    ) -> anyhow::Result<Drills<'a>> {
        Ok(Drills {
            session: self,
            project,
            table: project.drill.clone().unwrap_or_default(),
            store: super::open_store(settings).await?,
            channels: channels_of(&settings.book.channels, &project.target.project),
            ownership: ownership(
                &*self.dns,
                &project.target.domain,
                project.ownership.as_deref(),
                OWNERSHIP,
            )
            .await,
        })
    }
}

impl Drills<'_> {
    /// What a drill would do. Nothing outside is touched.
    ///
    /// # Errors
    /// This build cannot speak TLS.
    pub async fn plan(&self, drill: Drill) -> anyhow::Result<Plan> {
        self.in_scene((&drill::new_mark()?, self.session.clock.now()), async |scene| {
            Ok(self.with_proof(drill::plan(drill, scene).await))
        })
        .await
    }

    /// Runs a drill and takes back what it left, unless it is to be kept.
    ///
    /// # Errors
    /// The store cannot be written, or this build cannot speak TLS.
    pub async fn run(&self, drill: Drill, keep: bool) -> anyhow::Result<Record> {
        let mark = drill::new_mark()?;
        let project = &self.project.target.project;
        let mut record = Record::begun(drill, project, &mark, self.session.clock.now());
        self.in_scene((&mark, record.started_at), async |scene| {
            let plan = self.with_proof(drill::plan(drill, scene).await);
            if !plan.lacks.is_empty() {
                record.lacks = plan.lacks;
                return Ok(());
            }
            // Before anything is changed, so that what is left by a drill that is killed is found.
            self.store.record_drill(&record.stored(false)).await?;
            let ran = drill::run(drill, scene).await;
            (record.outcome, record.steps) = (drill::outcome(&ran.steps), ran.steps);
            record.channels = ran.channels;
            if !keep {
                record.undo = drill::undo(drill, scene).await;
            }
            record.finished_at = self.session.clock.now();
            record.kept = keep && drill != Drill::Alert;
            let mut stored = record.stored(true);
            // What did not go as it should may have been late: `drill undo` looks for it once more.
            stored.left |= record.outcome != Outcome::Passed && drill != Drill::Alert;
            Ok(self.store.record_drill(&stored).await?)
        })
        .await?;
        Ok(record)
    }

    /// Takes back what earlier drills have left: those that were killed, kept, or could not be undone.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn undo(&self) -> anyhow::Result<Vec<(Drill, Vec<Undo>)>> {
        let mut undone = Vec::new();
        for mut known in self.store.drills(&self.project.target.project).await? {
            let drill = Drill::ALL.into_iter().find(|drill| drill.as_str() == known.drill);
            let (true, Some(drill)) = (known.left, drill) else { continue };
            let undo = self
                .in_scene((&known.mark, known.started_at), async |scene| {
                    Ok(drill::undo(drill, scene).await)
                })
                .await?;
            known.left = drill::is_left(&undo);
            known.finished_at.get_or_insert(self.session.clock.now());
            self.store.record_drill(&known).await?;
            undone.push((drill, undo));
        }
        Ok(undone)
    }

    /// A plan that also lacks the proof of ownership, where it is needed and missing.
    fn with_proof(&self, mut plan: Plan) -> Plan {
        if plan.drill != Drill::Alert && !self.ownership.is_proven() {
            let domain = &self.project.target.domain;
            let reason = self.ownership.reason(&format!("nothing proves that {domain} is yours"));
            plan.lacks.insert(0, format!("{reason}; {}", self.ownership.unlock(domain)));
        }
        plan
    }

    async fn in_scene<T>(
        &self,
        (mark, began): (&str, Timestamp),
        work: impl AsyncFnOnce(&Scene<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let reach = self.session.reach()?;
        let ports = connect::accounts(&self.project.accounts, &reach);
        let scene = Scene {
            project: &self.project.target.project,
            domain: &self.project.target.domain,
            mark,
            began,
            table: &self.table,
            accounts: &self.project.accounts,
            reach: &reach,
            ports: &ports,
            store: &self.store,
            channels: &self.channels,
        };
        work(&scene).await
    }
}
