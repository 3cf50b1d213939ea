//! What people have signed, as the file beside the config.

use jiff::{SignedDuration, Timestamp};
use toml::{Table, Value};

use crate::plan::{AttestationPlan, Plan};

/// The file with its name, where the project has a name and anybody has signed.
pub(crate) fn file(plan: &Plan, now: Timestamp) -> Option<(String, String)> {
    let project = plan.project.get("name")?.as_str()?;
    let signed = plan.attestation.iter().filter(|(_, one)| !one.gone);
    let all: Vec<Value> =
        signed.filter_map(|(item, one)| entry(project, item, one, now)).map(Value::Table).collect();
    let mut table = Table::new();
    table.insert("attestation".to_owned(), all.into());
    (!plan.attestation.is_empty()).then(|| ("attestations.toml".to_owned(), table.to_string()))
}

fn entry(project: &str, item: &str, one: &AttestationPlan, now: Timestamp) -> Option<Table> {
    let days = |days: i64| Some(SignedDuration::from_hours(days.checked_mul(24)?));
    // A signature is never a moment ahead of a machine whose clock shows whole seconds.
    let at = Timestamp::from_second(now.as_second()).ok()?.checked_sub(days(one.ago_days)?).ok()?;
    let until = at.checked_add(days(one.valid_days)?).ok()?;
    let mut table = Table::new();
    for (key, text) in [("project", project), ("item", item), ("by", &one.by), ("note", &one.note)]
    {
        table.insert(key.to_owned(), text.into());
    }
    table.insert("at".to_owned(), at.to_string().into());
    table.insert("until".to_owned(), until.to_string().into());
    if let Some(took) = &one.took {
        table.insert("took".to_owned(), took.as_str().into());
    }
    if let Some(systems) = one.systems {
        table.insert("systems".to_owned(), i64::from(systems).into());
    }
    Some(table)
}
