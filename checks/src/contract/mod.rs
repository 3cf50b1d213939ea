//! The contract between a check and everything around it: what a check is given and what it gives back.
//!
//! Nothing here knows a schedule, an incident, a channel or a store.

mod accounts;
mod assessment;
mod attestation;
mod baseline;
mod bounded;
mod check;
mod days;
mod error;
mod finding;
mod history;
pub mod json;
mod measurement;
mod money;
mod number;
mod ownership;
mod plugin;
mod quantity;
mod status;
mod target;

pub use accounts::{AccountFacts, Connect, StripeFacts, StripeOnly, SupabaseFacts};
pub use assessment::{Assessment, NotChecked};
pub use attestation::{
    ATTESTATIONS, AttestationFacts, AttestationFigure, AttestationItem, LONGEST_ATTESTATION,
    attestation_item,
};
pub use baseline::{Approvable, Change, Fact, changes, changes_of_both};
pub use bounded::Bounded;
pub use check::{AssessCx, Check, CheckMeta, LookCx, Need, Schedule};
pub use days::in_days;
pub use error::CheckError;
pub use finding::{Finding, FindingSpec, Severity, Unseen, Urgency};
pub use history::{History, Point};
pub use measurement::{Measurement, MeasurementSpec, Unit};
pub use money::{AtRisk, amount, minor_digits};
pub use number::{hours_and_minutes, number, whole};
pub use ownership::{Ownership, OwnershipRecord};
pub use plugin::{
    AssessInput, DynCheck, EVIDENCE_LIMIT_BYTES, Looked, OptionsError, Plugin, plugin,
};
pub use quantity::{Age, QuantityError, Ratio};
pub use status::{Area, Goal, Status, Vantage};
pub use target::{
    HeartbeatFacts, MailFacts, RedirectRule, RegistrationFacts, SourceFacts, Target, WebFacts,
};
