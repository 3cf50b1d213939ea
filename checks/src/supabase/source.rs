//! Where the catalogue of a Supabase database comes from, and which of its schemas the API shows.

use serde::{Deserialize, Serialize};

use crate::contract::{CheckError, SupabaseFacts, Target};
use crate::probe::{Catalogue, ProbeError, Probes};

/// Who read the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// The connection of `[project.database]`.
    Database,
    /// The management API.
    Management,
}

impl Source {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Database => "read over the connection of [project.database]",
            Self::Management => "read through the management API of Supabase",
        }
    }
}

/// A catalogue with the schemas that the API shows.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) catalogue: Catalogue,
    pub(super) exposed: Vec<String>,
    pub(super) source: Source,
}

/// Reads the catalogue, from the database where one is configured, else through the management API.
///
/// # Errors
/// Skipped where the project does not use Supabase, unknown where it does and nobody could read.
pub(super) async fn read(target: &Target, probes: &Probes) -> Result<Read, CheckError> {
    let (catalogue, source) = catalogue(target, probes).await?;
    let exposed = exposed(target, probes, &catalogue).await?;
    Ok(Read { catalogue, exposed, source })
}

async fn catalogue(target: &Target, probes: &Probes) -> Result<(Catalogue, Source), CheckError> {
    let mut first: Option<CheckError> = None;
    if let Some(database) = probes.accounts.database.optional() {
        match database.catalogue().await {
            Ok(catalogue) if catalogue.roles.contains("anon") => {
                return Ok((catalogue, Source::Database));
            }
            Ok(_) => {}
            Err(error) => first = Some(CheckError::unseen(error)),
        }
    }
    let management = match probes.accounts.supabase.get() {
        Ok(management) => management,
        Err(missing) if target.accounts.supabase.is_none() => {
            // A database alone is no sign of Supabase.
            let skipped = CheckError::skipped(missing.reason, missing.unlock);
            return Err(first.unwrap_or(skipped));
        }
        Err(missing) => {
            return Err(first.unwrap_or_else(|| {
                let cause =
                    format!("neither the database nor the management API can be read: {missing}");
                CheckError::unknown(cause, missing.unlock)
            }));
        }
    };
    match management.catalogue().await {
        Ok(catalogue) if catalogue.roles.contains("anon") => Ok((catalogue, Source::Management)),
        Ok(_) => Err(CheckError::unknown(
            "the catalogue that the management API gives names no role anon",
            "see that `ref` in [project.supabase] is that of the project",
        )),
        Err(error) => Err(first.unwrap_or_else(|| CheckError::unseen(error))),
    }
}

/// Declared, else asked, else as the database says.
async fn exposed(
    target: &Target,
    probes: &Probes,
    catalogue: &Catalogue,
) -> Result<Vec<String>, CheckError> {
    let declared = target.accounts.supabase.as_ref().map(|facts: &SupabaseFacts| &facts.schemas);
    if let Some(declared) = declared.filter(|schemas| !schemas.is_empty()) {
        return Ok(declared.clone());
    }
    let asked = match probes.accounts.supabase.optional() {
        Some(management) => Some(management.exposed().await),
        None => None,
    };
    let why = match (asked, &catalogue.exposed) {
        (Some(Ok(schemas)), _) => return Ok(schemas),
        (_, Some(schemas)) => return Ok(schemas.clone()),
        (Some(Err(error)), None) => format!(": {}", said(&error)),
        (None, None) => String::new(),
    };
    Err(CheckError::unknown(
        format!("which schemas the API shows is not known{why}"),
        "write schemas = [\"public\"] in [project.supabase] as Supabase shows them under Settings → Data \
         API, or give the token the permission data_api_config_read",
    ))
}

fn said(error: &ProbeError) -> String {
    error.to_string()
}

/// Whether a table is declared as one that anybody may read.
pub(super) fn is_declared(target: &Target, schema: &str, name: &str) -> bool {
    target.accounts.supabase.as_ref().is_some_and(|facts| {
        facts.public_tables.iter().any(|declared| match declared.split_once('.') {
            Some((in_schema, table)) => in_schema == schema && table == name,
            None => declared == name,
        })
    })
}

/// A name as SQL wants it.
pub(super) fn quoted(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

/// One identifier as SQL wants it: quoted where it has to be.
pub(super) fn identifier(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
