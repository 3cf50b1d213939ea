//! What a drill would do, and what came of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::DrillRecord;

/// The drills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drill {
    /// A test checkout becomes one order, one contact and one request, as far as the flow wants them.
    PaymentSuccess,
    /// A declined payment leaves nothing that looks paid.
    PaymentFailure,
    /// An event that comes several times changes the product once; a forged one changes nothing.
    WebhookReplay,
    /// One user neither reads nor writes what another one owns.
    TwoUsers,
    /// Requests reach the right queue with the right tags, and are acknowledged.
    SupportRouting,
    /// An alert reaches every channel in time.
    Alert,
}

impl Drill {
    /// Every drill, in the order in which `drill all` runs them.
    pub const ALL: [Self; 6] = [
        Self::PaymentSuccess,
        Self::PaymentFailure,
        Self::WebhookReplay,
        Self::TwoUsers,
        Self::SupportRouting,
        Self::Alert,
    ];

    /// The word of the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentSuccess => "payment-success",
            Self::PaymentFailure => "payment-failure",
            Self::WebhookReplay => "webhook-replay",
            Self::TwoUsers => "two-users",
            Self::SupportRouting => "support-routing",
            Self::Alert => "alert",
        }
    }

    /// What it tries, in a sentence.
    pub const fn question(self) -> &'static str {
        match self {
            Self::PaymentSuccess => {
                "A paid checkout becomes one order, and what else has to follow"
            }
            Self::PaymentFailure => "A declined payment leaves nothing that looks paid",
            Self::WebhookReplay => {
                "An event that comes again changes nothing, and a forged one is refused"
            }
            Self::TwoUsers => "One user neither reads nor writes what another one owns",
            Self::SupportRouting => {
                "Requests are tagged, reach the right queue and are acknowledged"
            }
            Self::Alert => "An alert reaches every channel in time",
        }
    }
}

/// What a drill would do. Making one touches nothing outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The drill.
    pub drill: Drill,
    /// What would be done, in order.
    pub does: Vec<String>,
    /// What would be read as proof.
    pub proves: Vec<String>,
    /// How everything is taken back.
    pub undoes: Vec<String>,
    /// What it needs and does not have, each with the remedy. It does not run while there is any.
    pub lacks: Vec<String>,
}

impl Plan {
    /// An empty plan of a drill.
    pub const fn new(drill: Drill) -> Self {
        Self { drill, does: Vec::new(), proves: Vec::new(), undoes: Vec::new(), lacks: Vec::new() }
    }
}

/// How a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every step held.
    Passed,
    /// A step did not hold.
    Failed,
    /// It could not be tried, or its proof could not be seen.
    NotRun,
}

/// How one step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// The product did what it has to.
    Held,
    /// It did not.
    Broken,
    /// Nobody could tell. The drill is then not passed.
    Unseen,
    /// It does not apply to this product, and is said so that nobody takes it for proven.
    Left,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What has to hold, such as `three times at once change the product once`.
    pub what: String,
    /// How it ended.
    pub state: StepState,
    /// What was seen: ids and counts, never a word of a person.
    pub saw: String,
    /// What is probably wrong and what to do, where it did not hold or was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Step {
    /// The product did what it has to.
    pub fn held(what: impl Into<String>, saw: impl Into<String>) -> Self {
        Self { what: what.into(), state: StepState::Held, saw: saw.into(), fix: None }
    }

    /// It did not.
    pub fn broken(what: impl Into<String>, saw: impl Into<String>, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into());
        Self { what: what.into(), state: StepState::Broken, saw: saw.into(), fix }
    }

    /// Nobody could tell.
    pub fn unseen(what: impl Into<String>, saw: impl Into<String>, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into());
        Self { what: what.into(), state: StepState::Unseen, saw: saw.into(), fix }
    }

    /// It does not apply.
    pub fn left(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), state: StepState::Left, saw: why.into(), fix: None }
    }
}

/// Whether something was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoState {
    /// It is gone, and that was looked at.
    Done,
    /// It is still there; `how` says what to do by hand.
    Left,
}

/// Something that a drill left in the product, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// What it is, such as `3 rows of public.orders`.
    pub what: String,
    /// Whether it is gone.
    pub state: UndoState,
    /// How it was taken back, or the exact command or click that does it.
    pub how: String,
}

/// Whether something is still there that was to be taken back.
pub fn is_left(undo: &[Undo]) -> bool {
    undo.iter().any(|one| one.state == UndoState::Left)
}

/// What came of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The drill.
    pub drill: Drill,
    /// The project.
    pub project: String,
    /// The mark that everything of this drill carries, such as `launchready_drill_1f…`.
    pub mark: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, undo included.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What was tried, in order.
    pub steps: Vec<Step>,
    /// What was taken back.
    pub undo: Vec<Undo>,
    /// What it needs and does not have, each with the remedy; then it was not begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// What it left was to be kept.
    #[serde(default)]
    pub kept: bool,
    /// Of the drill `alert`: what each channel did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelDrilled>,
}

impl Record {
    /// A record of a drill that has done nothing yet.
    pub fn begun(drill: Drill, project: &str, mark: &str, at: Timestamp) -> Self {
        Self {
            drill,
            project: project.to_owned(),
            mark: mark.to_owned(),
            started_at: at,
            finished_at: at,
            outcome: Outcome::NotRun,
            steps: Vec::new(),
            undo: Vec::new(),
            lacks: Vec::new(),
            kept: false,
            channels: Vec::new(),
        }
    }

    /// Whether something of it is still in the product, on purpose or not.
    pub fn is_left(&self) -> bool {
        self.kept || is_left(&self.undo)
    }

    /// The row of the store. One that has not ended may have left something.
    pub fn stored(&self, ended: bool) -> DrillRecord {
        DrillRecord {
            mark: self.mark.clone(),
            project: self.project.clone(),
            drill: self.drill.as_str().to_owned(),
            started_at: self.started_at,
            finished_at: ended.then_some(self.finished_at),
            passed: match self.outcome {
                Outcome::Passed => Some(true),
                Outcome::Failed => Some(false),
                Outcome::NotRun => None,
            },
            left: self.is_left() || (!ended && self.drill != Drill::Alert),
            record: serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

/// What a channel did in the drill `alert`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDrilled {
    /// Its name.
    pub channel: String,
    /// How long it took until the other side accepted the message, in milliseconds; none where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_after_ms: Option<u64>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a drill with these steps ended. One without any step that held proves nothing.
pub fn outcome(steps: &[Step]) -> Outcome {
    let any = |state| steps.iter().any(|step: &Step| step.state == state);
    if any(StepState::Broken) {
        Outcome::Failed
    } else if any(StepState::Unseen) || !any(StepState::Held) {
        Outcome::NotRun
    } else {
        Outcome::Passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_passed_by_what_held_and_by_nothing_unseen() {
        let held = Step::held("a", "b");
        let left = Step::left("a", "b");
        let unseen = Step::unseen("a", "b", "c");
        let broken = Step::broken("a", "b", "c");
        assert_eq!(outcome(&[]), Outcome::NotRun);
        assert_eq!(outcome(std::slice::from_ref(&left)), Outcome::NotRun);
        assert_eq!(outcome(&[held.clone(), left.clone()]), Outcome::Passed);
        assert_eq!(outcome(&[held.clone(), unseen.clone()]), Outcome::NotRun);
        assert_eq!(outcome(&[held, unseen, broken, left]), Outcome::Failed);
    }

    #[test]
    fn a_word_of_the_command_line_is_the_word_of_a_record() {
        for drill in Drill::ALL {
            let word = serde_json::to_value(drill).unwrap();
            assert_eq!(word, drill.as_str());
        }
    }
}
