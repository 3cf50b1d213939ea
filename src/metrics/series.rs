//! The series of jobs and projects, rendered when something is known and only joined at a scrape.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use launchready_checks::contract::{CheckMeta, Measurement, Status, Unit};
use launchready_checks::registry;

use super::catalogue::Source;
use super::figures::{BySeverity, ProjectFigures};
use super::text::{hash, label, number};
use crate::report::Verdict;
use crate::store::{JobKey, LatestRun};

/// A part of the projects: the `index`-th of `of`, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shard {
    pub(super) index: u32,
    pub(super) of: u32,
}

impl Shard {
    fn holds(self, hash: u64) -> bool {
        self.of <= 1 || hash % u64::from(self.of) == u64::from(self.index - 1)
    }
}

type ThresholdKey = (&'static str, &'static str, &'static str);

/// One job. There are a hundred thousand of them, so that only what differs is kept as text.
#[derive(Debug)]
struct JobText {
    hash: u64,
    /// `project="…",check="…",target="…"`.
    labels: Box<str>,
    /// The length of the first label.
    project: u32,
    status: Status,
    /// Seconds of the last run, and of the epoch; no line where it is no number.
    duration: f64,
    last: f64,
    next: f64,
    measured: Lines,
    bounds: Bounds,
}

#[derive(Debug)]
struct ProjectText {
    hash: u64,
    /// `project="…"`.
    label: Box<str>,
    figures: ProjectFigures,
}

/// All series of jobs and projects.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// By check, then by project.
    jobs: BTreeMap<&'static str, BTreeMap<Box<str>, JobText>>,
    projects: BTreeMap<Box<str>, ProjectText>,
    /// How many jobs have each value, as text.
    thresholds: BTreeMap<ThresholdKey, BTreeMap<Box<str>, usize>>,
    /// The thresholds of each check that a job had last: most jobs have the same.
    usual: BTreeMap<&'static str, Bounds>,
    /// The checks of each project of the config; anything goes before there is one.
    configured: Option<BTreeMap<Box<str>, Vec<&'static str>>>,
}

impl Series {
    pub(super) fn set_run(&mut self, run: &LatestRun) {
        let Some(plugin) = registry::find(&run.key.check) else { return };
        let project = run.key.project.as_str();
        // What was under way while the config changed comes late.
        if !self.has(project, |checks| checks.contains(&plugin.meta.id)) {
            return;
        }
        let earlier = self.take(&run.key);
        let mut job = JobText::new(run, plugin.meta, earlier);
        let usual = self.usual.entry(plugin.meta.id).or_default();
        if *usual == job.bounds {
            job.bounds = Arc::clone(usual);
        } else {
            *usual = Arc::clone(&job.bounds);
        }
        for (key, value) in &*job.bounds {
            *self.thresholds.entry(*key).or_default().entry(value.clone()).or_default() += 1;
        }
        let jobs = self.jobs.entry(plugin.meta.id).or_default();
        jobs.insert(project.into(), job);
    }

    /// Whether the config has such a project.
    fn has(&self, project: &str, such: impl Fn(&[&'static str]) -> bool) -> bool {
        let all = self.configured.as_ref();
        all.is_none_or(|all| all.get(project).is_some_and(|checks| such(checks)))
    }

    /// Takes a job out.
    fn take(&mut self, key: &JobKey) -> Option<JobText> {
        let jobs = self.jobs.get_mut(key.check.as_str())?;
        let job = jobs.remove(key.project.as_str())?;
        for (key, value) in &*job.bounds {
            let Some(counts) = self.thresholds.get_mut(key) else { continue };
            if let Some(count) = counts.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(value);
                }
            }
        }
        Some(job)
    }

    pub(super) fn set_project(&mut self, project: &str, figures: &ProjectFigures) {
        if self.has(project, |_| true) {
            self.projects.insert(project.into(), ProjectText::new(project, figures));
        }
    }

    /// Takes every job and project away that is not among these, and none of them in from now on.
    pub(super) fn keep(&mut self, jobs: &BTreeSet<JobKey>) {
        let all = self.jobs.iter().flat_map(|(check, jobs)| {
            let key =
                |project: &str| JobKey { project: project.to_owned(), check: (*check).to_owned() };
            jobs.keys().map(move |project| key(project))
        });
        for gone in all.filter(|key| !jobs.contains(key)).collect::<Vec<_>>() {
            self.take(&gone);
        }
        let mut configured = BTreeMap::<Box<str>, Vec<&'static str>>::new();
        for job in jobs {
            let check = registry::find(&job.check).map(|plugin| plugin.meta.id);
            configured.entry(job.project.as_str().into()).or_default().extend(check);
        }
        self.projects.retain(|project, _| configured.contains_key(project));
        self.configured = Some(configured);
    }

    /// See [`Board::behind`](super::Board::behind).
    pub(super) fn behind(&self, mut looked: Vec<(String, i64)>) -> Vec<String> {
        let mut own = HashMap::<&str, f64>::new();
        for (project, job) in self.jobs.values().flatten() {
            // Milliseconds are whole, and their sums exact.
            *own.entry(project).or_default() += (job.last * 1000.0).round();
        }
        looked.retain(|(project, sum)| {
            self.has(project, |_| true) && own.get(project.as_str()) != Some(&(*sum as f64))
        });
        looked.into_iter().map(|(project, _)| project).collect()
    }

    /// How many jobs there are, in all or in a part.
    pub(super) fn count(&self, shard: Option<Shard>) -> usize {
        let jobs = self.jobs.values();
        match shard {
            None => jobs.map(BTreeMap::len).sum(),
            Some(shard) => {
                jobs.flat_map(BTreeMap::values).filter(|job| shard.holds(job.hash)).count()
            }
        }
    }

    /// Whether no part of so many holds more than `most` jobs.
    pub(super) fn fits(&self, of: u32, most: usize) -> bool {
        let mut counts = BTreeMap::<u64, usize>::new();
        for job in self.jobs.values().flat_map(BTreeMap::values) {
            *counts.entry(job.hash % u64::from(of.max(1))).or_default() += 1;
        }
        counts.values().all(|count| *count <= most)
    }

    /// Writes the samples of a family; whatever belongs to no project goes with the first part.
    pub(super) fn samples(&self, out: &mut String, name: &str, source: Source, shard: Shard) {
        let open = format!("{name}{{");
        let jobs =
            || self.jobs.values().flat_map(BTreeMap::values).filter(|job| shard.holds(job.hash));
        let projects = || self.projects.values().filter(|project| shard.holds(project.hash));
        match source {
            Source::Status => jobs().for_each(|job| job.statuses(out, &open)),
            Source::Duration => jobs().for_each(|job| job.line(out, &open, job.duration)),
            Source::LastRun => jobs().for_each(|job| job.line(out, &open, job.last)),
            Source::NextDue => jobs().for_each(|job| job.line(out, &open, job.next)),
            Source::Measurement { check, place } => {
                let place = u16::try_from(place).unwrap_or(u16::MAX);
                let jobs = self.jobs.get(check).into_iter().flat_map(BTreeMap::values);
                for job in jobs.filter(|job| shard.holds(job.hash)) {
                    for (_, end) in job.measured.iter().filter(|(at, _)| *at == place) {
                        out.push_str(&open);
                        out.push_str(job.project_label());
                        out.push_str(end);
                    }
                }
            }
            Source::Findings => {
                projects().for_each(|it| it.severities(out, &open, &it.figures.findings));
            }
            Source::Verdict => projects().for_each(|it| it.verdicts(out, &open)),
            Source::Incidents => {
                projects().for_each(|it| it.severities(out, &open, &it.figures.incidents));
            }
            Source::Threshold if shard.index == 1 => self.write_thresholds(out, &open),
            Source::Threshold | Source::Own | Source::Process | Source::Build => {}
        }
    }

    fn write_thresholds(&self, out: &mut String, open: &str) {
        for ((check, measurement, level), counts) in &self.thresholds {
            // Projects may differ; the value that most have is shown, of equals the first.
            let most = counts.values().max();
            let Some((value, _)) = counts.iter().find(|(_, count)| Some(*count) == most) else {
                continue;
            };
            out.push_str(open);
            for (name, text) in [("check", check), ("measurement", measurement)] {
                label(out, name, text);
                out.push(',');
            }
            label(out, "level", level);
            _ = writeln!(out, "}} {value}");
        }
    }
}

/// What follows the labels of the status series, for each status: as it is, and as it is not.
const STATUSES: [(Status, &str, &str); 5] = [
    (Status::Pass, ",status=\"pass\"} 1\n", ",status=\"pass\"} 0\n"),
    (Status::Warn, ",status=\"warn\"} 1\n", ",status=\"warn\"} 0\n"),
    (Status::Fail, ",status=\"fail\"} 1\n", ",status=\"fail\"} 0\n"),
    (Status::Unknown, ",status=\"unknown\"} 1\n", ",status=\"unknown\"} 0\n"),
    (Status::Skipped, ",status=\"skipped\"} 1\n", ",status=\"skipped\"} 0\n"),
];

impl JobText {
    fn new(run: &LatestRun, meta: &'static CheckMeta, earlier: Option<Self>) -> Self {
        let mut labels = String::new();
        label(&mut labels, "project", &run.key.project);
        let project = u32::try_from(labels.len()).unwrap_or_default();
        for (name, value) in [("check", &run.key.check), ("target", &run.target)] {
            labels.push(',');
            label(&mut labels, name, value);
        }
        let looked = matches!(run.status, Status::Pass | Status::Warn | Status::Fail)
            || !run.assessment.measurements.is_empty();
        let kept = earlier.filter(|_| !looked && run.status == Status::Unknown);
        let (measured, bounds) = if let Some(earlier) = kept {
            still_true(earlier, meta)
        } else {
            let values = &run.assessment.measurements;
            (measured(meta, values), bounds(meta, values))
        };
        let seconds = |at: jiff::Timestamp| at.as_millisecond() as f64 / 1000.0;
        Self {
            hash: hash(&run.key.project),
            labels: labels.into(),
            project,
            status: run.status,
            duration: run.at.map_or(f64::NAN, |_| run.duration.as_secs_f64()),
            last: run.at.map_or(f64::NAN, seconds),
            next: seconds(run.next_due),
            measured,
            bounds,
        }
    }

    fn statuses(&self, out: &mut String, open: &str) {
        for (status, is, is_not) in STATUSES {
            out.push_str(open);
            out.push_str(&self.labels);
            out.push_str(if status == self.status { is } else { is_not });
        }
    }

    fn line(&self, out: &mut String, open: &str, value: f64) {
        if value.is_finite() {
            out.push_str(open);
            out.push_str(&self.labels);
            out.push_str("} ");
            number(out, value);
            out.push('\n');
        }
    }

    /// `project="…"`.
    fn project_label(&self) -> &str {
        self.labels.get(..self.project as usize).unwrap_or_default()
    }
}

/// What follows the label of the project, to the end of the line, by the place of the measurement in its check.
type Lines = Box<[(u16, Box<str>)]>;
type Bounds = Arc<[(ThresholdKey, Box<str>)]>;

/// What an earlier look found and what holds although nobody can look: a date comes whoever watches,
/// whether the site answers is known only while somebody asks.
fn still_true(earlier: JobText, meta: &'static CheckMeta) -> (Lines, Bounds) {
    let is_date = |place: u16| {
        meta.measurements
            .get(usize::from(place))
            .is_some_and(|spec| spec.unit == Unit::TimestampSeconds)
    };
    let lines = earlier.measured.into_iter().filter(|(place, _)| is_date(*place)).collect();
    (lines, earlier.bounds)
}

fn measured(meta: &'static CheckMeta, values: &[Measurement]) -> Lines {
    let mut lines = Vec::new();
    for (place, spec) in (0_u16..).zip(meta.measurements) {
        let mut seen = BTreeSet::new();
        for value in values.iter().filter(|value| value.name == spec.name) {
            let subject = spec.label.map(|_| value.subject.as_deref().unwrap_or_default());
            // Two samples of one series make Prometheus refuse the whole scrape.
            if !seen.insert(subject) {
                continue;
            }
            let mut end = String::new();
            if let (Some(name), Some(subject)) = (spec.label, subject) {
                end.push(',');
                label(&mut end, name, subject);
            }
            end.push_str("} ");
            if number(&mut end, value.value) {
                end.push('\n');
                lines.push((place, end.into()));
            }
        }
    }
    lines.into()
}

fn bounds(meta: &'static CheckMeta, values: &[Measurement]) -> Bounds {
    let mut found = BTreeMap::new();
    for spec in meta.measurements {
        for value in values.iter().filter(|value| value.name == spec.name) {
            for (level, bound) in [("critical", value.critical), ("warning", value.warning)] {
                let mut text = String::new();
                if bound.is_some_and(|bound| number(&mut text, bound)) {
                    found.entry((meta.id, spec.name, level)).or_insert_with(|| text.into());
                }
            }
        }
    }
    found.into_iter().collect()
}

impl ProjectText {
    fn new(project: &str, figures: &ProjectFigures) -> Self {
        let mut own = String::new();
        label(&mut own, "project", project);
        Self { hash: hash(project), label: own.into(), figures: *figures }
    }

    fn severities(&self, out: &mut String, open: &str, counts: &BySeverity) {
        let BySeverity { critical, warning, info } = counts;
        for (word, count) in [("critical", critical), ("warning", warning), ("info", info)] {
            _ = writeln!(out, "{open}{},severity=\"{word}\"}} {count}", self.label);
        }
    }

    fn verdicts(&self, out: &mut String, open: &str) {
        for (word, verdict) in [
            ("go", Verdict::Go),
            ("go_with_conditions", Verdict::GoWithConditions),
            ("no_go", Verdict::NoGo),
        ] {
            let is = u64::from(self.figures.verdict == verdict);
            _ = writeln!(out, "{open}{},verdict=\"{word}\"}} {is}", self.label);
        }
    }
}
