//! The report: one model, drawn as terminal text, HTML, Markdown, JSON, SARIF and JUnit.
//!
//! Every format holds the same findings, and the same model gives the same bytes.

mod blind;
mod build;
mod checklist;
mod difference;
mod difference_text;
mod fold;
mod goal;
mod handover;
mod html;
mod json;
mod junit;
mod latest;
mod markdown;
mod order;
mod out_of_step;
mod own_words;
mod page;
mod redact;
mod sarif;
mod terminal;
mod texts;
mod verdict;
mod waivers;
mod words;

pub use blind::Blind;
pub use build::{build, with_handover};
pub use checklist::{
    AttestationReport, CheckReport, Coverage, FindingReport, NotCheckedReport, Report, Tool,
    UnseenPart, Waived, WaiverReport,
};
pub use difference::{Difference, DifferenceError, Noted};
pub use difference_text::{difference_to_markdown, difference_to_terminal};
pub use goal::{GOALS, GoalRules, rules};
pub(crate) use html::prose;
pub use html::{to_html, to_page};
pub use json::to_json;
pub use junit::to_junit;
pub use latest::{Standing, from_latest};
pub use markdown::to_markdown;
pub use order::incident_rank;
pub use out_of_step::{Item, OutOfStep, Stage, StageReport, Unlooked, out_of_step};
pub use page::page_to_terminal;
pub(crate) use page::{Block, blocks};
pub use redact::redact;
pub use sarif::to_sarif;
pub use terminal::{Paint, check_to_terminal, to_terminal};
pub use verdict::{AREAS_BY_SETTING, Verdict, decide};
pub(crate) use words::{
    GROUPS, Piece, counted, hand_work, money, of_severity, pieces, unseen_parts, unseen_word,
    visible, waived_note,
};
