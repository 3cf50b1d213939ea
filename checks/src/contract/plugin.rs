//! The object-safe twin of [`Check`]: one row of the registry.

use std::fmt;
use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use schemars::Schema;
use serde::Serialize;
use serde_json::Value;

use super::json;
use super::{
    Approvable, AssessCx, Assessment, Check, CheckError, CheckMeta, Fact, History, LookCx, Target,
};
use crate::probe::Probes;

/// The most that the evidence of one run may take as JSON: 64 KiB.
pub const EVIDENCE_LIMIT_BYTES: usize = 64 * 1024;

/// Why the options of a check could not be read.
#[derive(Debug, thiserror::Error)]
#[error("options of {id} cannot be read")]
pub struct OptionsError {
    id: &'static str,
    #[source]
    source: Misread,
}

/// What is wrong with an option, with what stands there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misread(String);

/// Evidence and carried state of one look, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// What was seen.
    pub evidence: Value,
    /// What the next run is given.
    pub carry: Value,
}

/// Everything that `assess` is given beside the evidence, as JSON where the check's own types stand.
#[derive(Debug)]
pub struct AssessInput<'a> {
    /// The time at which the run began.
    pub now: Timestamp,
    /// The declared facts of the project.
    pub target: &'a Target,
    /// The evidence of the last run of the same evidence version.
    pub previous: Option<&'a Value>,
    /// Bounded windows of the check's own measurements.
    pub history: &'a History,
    /// The approved evidence that drift is measured against.
    pub baseline: Option<&'a Value>,
}

/// A check whose own types are hidden behind JSON.
pub trait DynCheck: Send + Sync + fmt::Debug {
    /// What is known about the check.
    fn meta(&self) -> &'static CheckMeta;

    /// The options in force, defaults filled in.
    fn options(&self) -> Value;

    /// Looks.
    fn collect<'a>(
        &'a self,
        now: Timestamp,
        carry: Option<Value>,
        target: &'a Target,
        probes: &'a Probes,
    ) -> BoxFuture<'a, Result<Looked, CheckError>>;

    /// Judges stored evidence.
    fn assess(&self, evidence: &Value, input: &AssessInput<'_>) -> Result<Assessment, CheckError>;

    /// Stored evidence as facts that can be approved.
    fn facts(&self, evidence: &Value) -> Result<Vec<Fact>, CheckError>;
}

/// One row of the registry.
#[derive(Clone, Copy)]
pub struct Plugin {
    /// What is known about the check.
    pub meta: &'static CheckMeta,
    /// What of its evidence can be approved; nothing for a check that measures no drift.
    pub baseline: Option<Approvable>,
    /// JSON schema of its options.
    pub schema: fn() -> Schema,
    /// The default options.
    pub defaults: fn() -> Value,
    /// Builds the check with options; `null` and `{}` mean the defaults.
    pub build: fn(&Value) -> Result<Box<dyn DynCheck>, OptionsError>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("id", &self.meta.id).finish_non_exhaustive()
    }
}

/// The registry row of a check.
pub const fn plugin<C: Check>() -> Plugin {
    Plugin {
        meta: &C::META,
        baseline: C::BASELINE,
        schema: schema::<C>,
        defaults: defaults::<C>,
        build: build::<C>,
    }
}

fn schema<C: Check>() -> Schema {
    schemars::SchemaGenerator::default().into_root_schema_for::<C::Options>()
}

fn defaults<C: Check>() -> Value {
    to_value(&C::Options::default())
}

fn build<C: Check>(options: &Value) -> Result<Box<dyn DynCheck>, OptionsError> {
    let options = if options.is_null() {
        C::Options::default()
    } else {
        json::from_value(options)
            .map_err(|error| OptionsError { id: C::META.id, source: Misread(error.quoting()) })?
    };
    Ok(Box::new(Erased::<C> { options, check: PhantomData }))
}

struct Erased<C: Check> {
    options: C::Options,
    check: PhantomData<fn() -> C>,
}

impl<C: Check> fmt::Debug for Erased<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(C::META.id).field("options", &self.options).finish_non_exhaustive()
    }
}

impl<C: Check> DynCheck for Erased<C> {
    fn meta(&self) -> &'static CheckMeta {
        const { &C::META }
    }

    fn options(&self) -> Value {
        to_value(&self.options)
    }

    fn collect<'a>(
        &'a self,
        now: Timestamp,
        carry: Option<Value>,
        target: &'a Target,
        probes: &'a Probes,
    ) -> BoxFuture<'a, Result<Looked, CheckError>> {
        Box::pin(async move {
            // Carried state of an older shape is no error: the check starts afresh.
            let carry = carry.and_then(|value| json::from_value(&value).ok());
            let look = LookCx { now, options: &self.options, carry };
            let (evidence, carry) =
                C::collect(&look, target, probes).await.map_err(CheckError::in_short)?;
            let looked = Looked { evidence: to_value(&evidence), carry: to_value(&carry) };
            let size = looked.evidence.to_string().len();
            if size > EVIDENCE_LIMIT_BYTES {
                return Err(CheckError::unknown(
                    format!("the evidence takes {size} bytes, more than {EVIDENCE_LIMIT_BYTES}"),
                    "report this as a bug of launchready, with the name of the check",
                ));
            }
            Ok(looked)
        })
    }

    fn assess(&self, evidence: &Value, input: &AssessInput<'_>) -> Result<Assessment, CheckError> {
        let read = json::from_value::<C::Evidence>;
        let cx = AssessCx {
            now: input.now,
            options: &self.options,
            target: input.target,
            previous: input.previous.and_then(|value| read(value).ok()),
            history: input.history,
            baseline: input.baseline.map(read).transpose().map_err(unreadable::<C>)?,
        };
        let evidence = read(evidence).map_err(unreadable::<C>)?;
        Ok(C::assess(&evidence, &cx))
    }

    fn facts(&self, evidence: &Value) -> Result<Vec<Fact>, CheckError> {
        let evidence = json::from_value(evidence).map_err(unreadable::<C>)?;
        Ok(C::facts(&evidence))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn unreadable<C: Check>(source: json::Error) -> CheckError {
    CheckError::unknown(
        format!("stored evidence of {} cannot be read: {source}", C::META.id),
        "look again; evidence of another version of launchready cannot be judged",
    )
}

/// Our own types have string keys and finite numbers only, so they always become JSON.
fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
