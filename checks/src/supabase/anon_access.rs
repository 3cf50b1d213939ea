//! `supabase-anon-access`: see `anon_access.md`.

mod judge;

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{self, Read};
use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Ownership, Schedule, Target, Unit, Vantage,
};
use crate::probe::{BucketLook, Probes, PublicLook, PublicNames, Seen, SupabasePublic};

const READABLE: FindingSpec = FindingSpec::critical(
    "anon-rows-readable",
    "Strangers can read a table with the public key",
    "The key is in every visitor's browser: whoever has it downloads the whole table with one request.",
)
.now();
const LISTED: FindingSpec = FindingSpec::critical(
    "anon-bucket-listed",
    "Strangers can list the files of a bucket",
    "With the names of all files a stranger downloads all of them: invoices, identity cards, pictures of \
     other customers.",
);
const FUNCTIONS: FindingSpec = FindingSpec::warning(
    "anon-functions-listed",
    "The API lists its functions to strangers",
    "A stranger sees which functions can be called and with which arguments, and tries each of them.",
);

const TABLES: MeasurementSpec = MeasurementSpec {
    name: "readable-tables",
    metric: "launchready_supabase_readable_tables",
    unit: Unit::Count,
    help: "Tables of which the public key reads rows and that are not declared public.",
    label: None,
    window: Duration::ZERO,
};

/// The most tables that one run asks.
const ASKED: usize = 100;
/// Questions at once.
const AT_ONCE: usize = 4;
/// The most buckets and names that evidence keeps.
const NAMES: usize = 60;

/// What strangers can read with the public key.
#[derive(Debug)]
pub struct AnonAccess;

/// What `supabase-anon-access` asks for beside what the catalogue names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Tables to ask for, `table` or `schema.table`, where no catalogue can be read.
    pub tables: Vec<String>,
    /// Buckets whose files anybody may list on purpose.
    pub listed_buckets: Vec<String>,
}

/// What was asked with the public key, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What proves that the project may be asked.
    proof: String,
    /// Tables with rows or with an answer of their own; those that refuse are only counted.
    tables: Vec<Asked>,
    /// Tables that refused, or that the API does not show.
    closed: usize,
    /// Tables without a row for this key, by name, where nothing tells why.
    empty: Bounded<String>,
    /// Tables without a row, whose row level security is on.
    hidden: usize,
    /// Tables that were not asked any more.
    cut: usize,
    buckets: Seen<Bounded<BucketLook>>,
    /// Why the names of buckets that strangers are not told are not known.
    no_bucket_names: Option<String>,
    names: Seen<PublicNames>,
    /// Why there is no catalogue.
    no_catalogue: Option<String>,
    /// Tables that were asked and that are not declared public.
    undeclared: usize,
}

/// One table.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    schema: String,
    table: String,
    look: Seen<PublicLook>,
    /// What opens it, from the catalogue.
    cause: Option<String>,
}

impl Check for AnonAccess {
    const META: CheckMeta = CheckMeta {
        id: "supabase-anon-access",
        area: Area::Supabase,
        title: "What strangers can read",
        vantage: Vantage::Outside,
        findings: &[READABLE, LISTED, FUNCTIONS],
        measurements: &[TABLES],
        // Each run asks for every table, and counting rows costs the product's own database.
        default_schedule: Schedule::Every(Duration::from_mins(5)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_mins(1),
        needs: &[Need::Ownership],
        evidence_version: 1,
        doc: include_str!("anon_access.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let public = probes.accounts.supabase_public.get()?;
        let proof = proof(target, probes).await?;
        public.key_works().await.map_err(CheckError::unseen)?;
        let names = Seen::from(public.names().await).map(short);
        let (read, no_catalogue) = match source::read(target, probes).await {
            Ok(read) => (Some(read), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let tables = tables(look.options, target, read.as_ref(), names.ok());
        let asked = Bounded::keep(tables, ASKED);
        let is_other = |name: &&Name| !source::is_declared(target, &name.schema, &name.table);
        let undeclared = asked.items.iter().filter(is_other).count();
        let causes = read.as_ref().map(super::rls::causes).unwrap_or_default();
        let known = match probes.accounts.supabase.optional() {
            Some(supabase) => Some(Seen::from(supabase.buckets().await)),
            None => None,
        };
        let also = known.as_ref().and_then(Seen::ok).cloned().unwrap_or_default();
        let buckets = public.buckets(also).await;
        let mut evidence = Evidence {
            proof,
            tables: Vec::new(),
            closed: 0,
            empty: Bounded::default(),
            hidden: 0,
            cut: asked.cut,
            buckets: Seen::from(buckets)
                .map(|all| Bounded::keep(all.into_iter().map(short_bucket), NAMES)),
            no_bucket_names: known.and_then(|known| match known {
                Seen::Ok(_) => None,
                Seen::Agent(fault) => Some(fault.to_string()),
                Seen::Target(fault) => Some(fault.to_string()),
            }),
            names,
            no_catalogue,
            undeclared,
        };
        let mut empty = Vec::new();
        for (name, look) in ask(public, asked.items).await {
            match look {
                Seen::Ok(PublicLook::Denied | PublicLook::Absent) => evidence.closed += 1,
                Seen::Ok(PublicLook::Empty) if is_protected(read.as_ref(), &name) => {
                    evidence.hidden += 1;
                }
                Seen::Ok(PublicLook::Empty) => empty.push(name.full()),
                look => {
                    let cause = causes.get(&name.full()).cloned();
                    let Name { schema, table } = name;
                    evidence.tables.push(Asked { schema, table, look, cause });
                }
            }
        }
        evidence.empty = Bounded::keep(empty, NAMES);
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}

/// A table with its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    schema: String,
    table: String,
}

impl Name {
    fn of(text: &str) -> Self {
        let (schema, table) = text.split_once('.').unwrap_or(("public", text));
        Self { schema: schema.to_owned(), table: table.to_owned() }
    }

    fn full(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// Asking in earnest needs the TXT record, or the token of this very project.
async fn proof(target: &Target, probes: &Probes) -> Result<String, CheckError> {
    if let Ownership::Proven { by } = &target.ownership {
        return Ok(by.clone());
    }
    if let Some(supabase) = probes.accounts.supabase.optional()
        && supabase.project().await.is_ok()
    {
        return Ok("the token of the Supabase project".to_owned());
    }
    let domain = &target.domain;
    Err(CheckError::skipped(
        target.ownership.reason(&format!("ownership of {domain} is not proven")),
        format!("set a token in [project.supabase], or {}", target.ownership.unlock(domain)),
    ))
}

/// Every table that is known by name, each once.
fn tables(
    options: &Options,
    target: &Target,
    read: Option<&Read>,
    names: Option<&PublicNames>,
) -> Vec<Name> {
    let mut all: Vec<Name> = Vec::new();
    let mut add = |name: Name| {
        if !all.contains(&name) {
            all.push(name);
        }
    };
    options.tables.iter().for_each(|name| add(Name::of(name)));
    if let Some(Read { catalogue, exposed, .. }) = read {
        let tables = catalogue.tables.iter().map(|table| (&table.schema, &table.name));
        let views = catalogue.views.iter().map(|view| (&view.schema, &view.name));
        for (schema, table) in tables.chain(views).filter(|(schema, _)| exposed.contains(schema)) {
            add(Name { schema: schema.clone(), table: table.clone() });
        }
    }
    names.into_iter().flat_map(|names| &names.tables).for_each(|name| add(Name::of(name)));
    let declared = target.accounts.supabase.iter().flat_map(|facts| &facts.public_tables);
    declared.for_each(|name| add(Name::of(name)));
    all
}

async fn ask(public: &dyn SupabasePublic, names: Vec<Name>) -> Vec<(Name, Seen<PublicLook>)> {
    let mut looks: Vec<(Name, Seen<PublicLook>)> = stream::iter(names)
        .map(async |name| {
            let look = public.table(name.full()).await;
            (name, look.into())
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    looks.sort_by(|a, b| a.0.cmp(&b.0));
    looks
}

/// Whether the catalogue tells that row level security stands in front of a table.
fn is_protected(read: Option<&Read>, name: &Name) -> bool {
    read.is_some_and(|read| {
        read.catalogue
            .tables
            .iter()
            .any(|table| table.schema == name.schema && table.name == name.table && table.rls)
    })
}

fn short(names: PublicNames) -> PublicNames {
    let few = |names: Vec<String>| names.into_iter().take(NAMES).map(short_name).collect();
    PublicNames { tables: few(names.tables), functions: few(names.functions), ..names }
}

fn short_name(name: String) -> String {
    if name.len() > 130 { name.chars().take(130).collect() } else { name }
}

fn short_bucket(bucket: BucketLook) -> BucketLook {
    BucketLook { name: short_name(bucket.name), ..bucket }
}
