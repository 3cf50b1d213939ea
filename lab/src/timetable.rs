//! What goes wrong in a demo and when, as data.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::error::LabError;
use crate::{Lab, data};

const DEMO: &str = include_str!("../scenarios/timetable.toml");

/// Steps that repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    period: Duration,
    /// In the order of their times; each is below the period.
    steps: Vec<(Duration, Step)>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happens.
    pub change: Change,
    /// The same for a visitor, such as "app.harbor.example goes down".
    pub say: String,
}

/// What a step does to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A defect or outage appears.
    Plant(String),
    /// A defect or outage heals.
    Heal(String),
    /// A job stops running, and with it its calls.
    Stop(String),
    /// A job runs again.
    Run(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    period: String,
    step: Vec<StepData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepData {
    at: String,
    plant: Option<String>,
    heal: Option<String>,
    stop: Option<String>,
    run: Option<String>,
    say: String,
}

impl Timetable {
    /// The timetable of the demo.
    ///
    /// # Errors
    /// Data that makes no sense, which a test excludes.
    pub fn demo() -> Result<Self, LabError> {
        Self::from_toml(DEMO)
    }

    /// A timetable from other data: `period`, and a list of `[[step]]` with `at`, one of `plant`,
    /// `heal`, `stop` and `run`, and `say`.
    ///
    /// # Errors
    /// Data that makes no sense.
    pub fn from_toml(text: &str) -> Result<Self, LabError> {
        let data: Data = data::read("the timetable", text)?;
        let wrong = |what: &str| LabError::Plan(format!("the timetable: {what}"));
        let time = |text: &str| {
            duration(text).ok_or_else(|| wrong(&format!("{text:?} is no time such as 2m30s")))
        };
        let period = time(&data.period)?;
        let mut steps: Vec<(Duration, Step)> = Vec::new();
        for step in data.step {
            let at = time(&step.at)?;
            if at >= period || steps.last().is_some_and(|(before, _)| *before >= at) {
                return Err(wrong(&format!("{} is after the period or not in order", step.at)));
            }
            let changes = [
                step.plant.map(Change::Plant),
                step.heal.map(Change::Heal),
                step.stop.map(Change::Stop),
                step.run.map(Change::Run),
            ];
            let mut changes = changes.into_iter().flatten();
            let (Some(change), None) = (changes.next(), changes.next()) else {
                return Err(wrong(&format!("{}: either plant, heal, stop or run", step.at)));
            };
            steps.push((at, Step { change, say: step.say }));
        }
        Ok(Self { period, steps })
    }

    /// After this long it begins again.
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// The steps of one period with their times.
    pub fn steps(&self) -> &[(Duration, Step)] {
        &self.steps
    }

    /// The first step after a time since the start, with its own time; `None` without any steps.
    pub fn next(&self, after: Duration) -> Option<(Duration, Step)> {
        let period = u64::try_from(self.period.as_nanos()).ok().filter(|period| *period > 0)?;
        let round = u64::try_from(after.as_nanos()).ok()? / period;
        let start = Duration::from_nanos(round.checked_mul(period)?);
        [start, start.checked_add(self.period)?].into_iter().find_map(|start| {
            let all = self.steps.iter().map(|(at, step)| (start.saturating_add(*at), step));
            all.into_iter().find(|(at, _)| *at > after).map(|(at, step)| (at, step.clone()))
        })
    }
}

impl Step {
    /// Does it to a running lab.
    ///
    /// # Errors
    /// An unknown defect.
    pub async fn apply(&self, lab: &Lab) -> Result<(), LabError> {
        match &self.change {
            Change::Plant(defect) => lab.plant(defect).await,
            Change::Heal(defect) => lab.heal(defect).await,
            Change::Stop(job) => {
                lab.set_job(job, false);
                Ok(())
            }
            Change::Run(job) => {
                lab.set_job(job, true);
                Ok(())
            }
        }
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in &self.steps {
            writeln!(f, "{}  {}", clock(*at), step.say)?;
        }
        write!(f, "{}  and again from the start", clock(self.period))
    }
}

/// Minutes and seconds, as in `02:30`.
fn clock(time: Duration) -> String {
    format!("{:02}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// A time such as `40s`, `2m` or `2m30s`.
fn duration(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let unit = after.chars().next()?;
        let size = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(size)?)?;
        rest = after.get(unit.len_utf8()..)?;
    }
    (!text.is_empty()).then_some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::World;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_demo_plants_what_there_is_and_heals_what_it_planted() {
        let table = Timetable::demo().unwrap();
        let mut world = World::load("healthy").unwrap();
        let mut planted = BTreeSet::new();
        for (_, step) in table.steps() {
            match &step.change {
                Change::Plant(defect) => {
                    assert!(planted.insert(defect.clone()), "{defect} twice");
                    world = world.with(defect).unwrap();
                }
                Change::Heal(defect) => {
                    assert!(planted.remove(defect), "{defect} was not there");
                    world = world.without(defect).unwrap();
                }
                Change::Stop(job) => assert!(planted.insert(job.clone()), "{job} twice"),
                Change::Run(job) => assert!(planted.remove(job), "{job} was not stopped"),
            }
            world.plan().unwrap();
        }
        assert!(planted.is_empty(), "{planted:?} outlast the period");
        let text = table.to_string();
        assert!(text.starts_with("00:40  app.harbor.example goes down\n02:00  "), "{text}");
        assert!(text.ends_with("10:00  and again from the start"), "{text}");
    }

    #[test]
    fn steps_follow_each_other_round_and_round() {
        let table = Timetable::demo().unwrap();
        let mut at = Duration::ZERO;
        for round in 0..3 {
            for (own, step) in table.steps() {
                let (next, found) = table.next(at).unwrap();
                assert_eq!((next, &found), (*own + table.period() * round, step));
                at = next;
            }
        }
        assert_eq!(table.next(seconds(39)).unwrap().0, seconds(40));
        assert_eq!(table.next(seconds(40)).unwrap().0, seconds(120));
        let empty = Timetable::from_toml("period = '1m'\nstep = []").unwrap();
        assert_eq!(empty.next(seconds(1)), None);
    }

    #[test]
    fn data_that_makes_no_sense_is_refused() {
        for text in [
            "period = '1m'\nstep = [{ at = '2m', plant = 'x', say = '' }]",
            "period = 'soon'\nstep = []",
            "period = '1m'\nstep = [{ at = '1', plant = 'x', say = '' }]",
            "period = '1m'\nstep = [{ at = '1s', say = '' }]",
            "period = '1m'\nstep = [{ at = '1s', plant = 'x', heal = 'x', say = '' }]",
            "period = '1m'\nstep = [{ at = '2s', plant = 'x', say = '' }, { at = '2s', heal = 'x', say = '' }]",
        ] {
            assert!(Timetable::from_toml(text).is_err(), "{text}");
        }
        assert_eq!(duration("1h2m3s"), Some(seconds(3_723)));
        assert_eq!(duration(""), None);
    }
}
