//! `supabase-rls`: see `rls.md`.

mod facts;
mod judge;
mod personal;
mod policy;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::facts::{Fact, Kind, facts};
use super::source::{self, Read, Source};
use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Schedule, Target, Unit, Unseen, Vantage,
};
use crate::probe::{Catalogue, Probes};

const RLS_OFF: FindingSpec = FindingSpec::critical(
    "rls-disabled",
    "A table is open to whoever holds the public key",
    "The public key is in every visitor's browser. With it a stranger reads, and often changes, every row \
     of the table: orders, addresses, other people's messages.",
)
.blocks();
const POLICIES_OFF: FindingSpec = FindingSpec::critical(
    "rls-policies-off",
    "A table has policies that do nothing",
    "Somebody wrote policies and believes that the table is protected, while row level security is off and \
     none of them is asked.",
);
const USERS: FindingSpec = FindingSpec::critical(
    "auth-users-exposed",
    "The accounts of all users can be read through the API",
    "A stranger downloads the e-mail addresses of every customer, and with them what Supabase keeps beside \
     them. That is a data breach that has to be reported.",
);
const WRITE_OPEN: FindingSpec = FindingSpec::critical(
    "rls-write-open",
    "A policy lets everybody write",
    "A stranger fills, changes or empties the table from a browser console: prices, bookings, roles.",
);
const METADATA: FindingSpec = FindingSpec::critical(
    "rls-user-metadata",
    "A policy believes what users write about themselves",
    "Every signed-in user can write \"role: admin\" into their own metadata, and the policy lets them in.",
);
const READ_OPEN: FindingSpec = FindingSpec::critical(
    "rls-read-open",
    "A policy shows every row to everybody",
    "Whoever opens the site, or signs up, can download the whole table with one request.",
);
const VIEW: FindingSpec = FindingSpec::warning(
    "view-past-policies",
    "A view shows rows past every policy",
    "The view asks with the rights of its owner, so the policies of the tables below it are not asked, \
     whoever reads it.",
);
const FUNCTION_OPEN: FindingSpec = FindingSpec::warning(
    "function-past-policies",
    "A function with its owner's rights can be called by strangers",
    "Whatever the function reads or changes, it does for anybody who calls it, and no policy is asked.",
);
const NO_POLICY: FindingSpec = FindingSpec::info(
    "rls-without-policy",
    "A table with row level security has no policy",
    "Browsers see no row of it. That is right for what only the server uses, and else a page stays empty.",
);
const UNREACHABLE: FindingSpec = FindingSpec::info(
    "rls-disabled-unreachable",
    "Row level security is off on a table that nobody reaches",
    "One grant, such as the one that an older template makes for all tables, opens it at once.",
);
const KEY_UNINDEXED: FindingSpec = FindingSpec::info(
    "foreign-key-unindexed",
    "A foreign key has no index",
    "Joins over it and deletions on the other side read the whole table; that is slow once it has grown.",
);

const TABLES: MeasurementSpec = MeasurementSpec {
    name: "exposed-tables",
    metric: "launchready_supabase_exposed_tables",
    unit: Unit::Count,
    help: "Tables in the schemas that the API of Supabase shows.",
    label: None,
    window: Duration::ZERO,
};
const WITHOUT: MeasurementSpec = MeasurementSpec {
    name: "tables-without-rls",
    metric: "launchready_supabase_tables_without_rls",
    unit: Unit::Count,
    help: "Of these, tables without row level security.",
    label: None,
    window: Duration::ZERO,
};

/// What opens tables and views to people, by their full names, in words.
pub(super) fn causes(read: &Read) -> BTreeMap<String, String> {
    let mut causes = BTreeMap::new();
    for fact in facts(&read.catalogue, &read.exposed).items {
        let policies = || fact.policies.join(", ");
        let cause = match fact.kind {
            Kind::Unprotected | Kind::PoliciesOff => "row level security is off".to_owned(),
            Kind::WriteOpen | Kind::ReadOpen => {
                format!("true for everybody: the policy {}", policies())
            }
            Kind::OwnersView | Kind::UsersExposed => {
                "the view asks with the rights of its owner".to_owned()
            }
            _ => continue,
        };
        causes.entry(fact.subject()).or_insert(cause);
    }
    causes
}

/// A schema that every project shows, and that holds a function and no table.
const GRAPHQL: &str = "graphql_public";

/// Who may read and write the tables of a Supabase project.
#[derive(Debug)]
pub struct Rls;

/// `supabase-rls` has no options: what is public on purpose stands in `[project.supabase]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

/// What stands out in the catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    source: Source,
    /// The schemas that the API shows.
    exposed: Vec<String>,
    /// Those of them that the catalogue does not hold.
    unread: Vec<String>,
    /// Tables and views in them.
    tables: usize,
    without_rls: usize,
    views: usize,
    facts: Bounded<Fact>,
    /// The catalogue itself was cut.
    cut: bool,
}

impl Evidence {
    fn of(read: &Read) -> Self {
        let Catalogue { schemas, tables, views, cut, .. } = &read.catalogue;
        let exposed: Vec<String> = read.exposed.iter().take(40).cloned().collect();
        let unread = exposed.iter().filter(|shown| *shown != GRAPHQL && !schemas.contains(shown));
        let shown = |schema: &String| exposed.contains(schema);
        Self {
            source: read.source,
            unread: unread.cloned().collect(),
            tables: tables.iter().filter(|table| shown(&table.schema)).count(),
            without_rls: tables.iter().filter(|table| shown(&table.schema) && !table.rls).count(),
            views: views.iter().filter(|view| shown(&view.schema)).count(),
            facts: facts(&read.catalogue, &exposed),
            cut: *cut,
            exposed,
        }
    }
}

impl Check for Rls {
    const META: CheckMeta = CheckMeta {
        id: "supabase-rls",
        area: Area::Supabase,
        title: "Row level security",
        vantage: Vantage::Database,
        findings: &[
            RLS_OFF,
            POLICIES_OFF,
            USERS,
            WRITE_OPEN,
            METADATA,
            READ_OPEN,
            VIEW,
            FUNCTION_OPEN,
            NO_POLICY,
            UNREACHABLE,
            KEY_UNINDEXED,
        ],
        measurements: &[TABLES, WITHOUT],
        default_schedule: Schedule::Every(Duration::from_mins(15)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../rls.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        Ok((Evidence::of(&source::read(target, probes).await?), ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        judge::judge(evidence, cx.target, &mut out);
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        out.measure(TABLES.value(None, count(evidence.tables)));
        out.measure(WITHOUT.value(None, count(evidence.without_rls)));
        for schema in &evidence.unread {
            out.not_checked(
                Unseen::Blocks,
                format!("schema {schema}"),
                format!("the API shows {schema}, and the catalogue does not hold it"),
                "take the schema off the list under Settings → Data API where it does not exist any more",
            );
        }
        if evidence.exposed.is_empty() {
            out.not_checked(
                Unseen::Noted,
                "tables and policies",
                "the Data API of the project is off: it shows no schema",
                "nothing is missing where the product reads its database from the server alone",
            );
        } else if evidence.tables == 0 && evidence.views == 0 && evidence.unread.is_empty() {
            out.not_checked(
                Unseen::Condition,
                "tables and policies",
                format!("the schemas {} hold no table", evidence.exposed.join(", ")),
                "see that `ref` or the connection in the config is that of the product",
            );
        }
        if evidence.cut || evidence.facts.cut > 0 {
            let reason = if evidence.cut {
                "the catalogue is larger than what one run reads".to_owned()
            } else {
                format!("{} more things stand out than one run keeps", evidence.facts.cut)
            };
            let unlock = "mend what is found first, then run it again";
            out.not_checked(Unseen::Condition, "the rest of the catalogue", reason, unlock);
        }
        out.unless_seen(evidence.tables + evidence.views > 0);
        out
    }
}
