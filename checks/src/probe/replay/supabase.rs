//! Answers the ports to a Supabase project from a written-down world.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{
    Answer, AuthSettings, Backups, BucketLook, Catalogue, EdgeFunction, FunctionCalls,
    FunctionLogs, FunctionPrints, Period, ProbeError, PublicLook, PublicNames, ServiceHealth,
    Supabase, SupabaseProject, SupabasePublic, TokenPower,
};

/// A Supabase project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupabaseWorld {
    /// What the token may do.
    pub token: TokenPower,
    /// The state of the project.
    pub project: SupabaseProject,
    /// The state of its services.
    pub service: Vec<ServiceHealth>,
    /// Its functions.
    pub function: Vec<EdgeFunction>,
    /// What functions did.
    pub calls: Vec<CallsWorld>,
    /// What functions printed.
    pub prints: Vec<PrintsWorld>,
    /// There are more functions than the logs tell of.
    pub cut: bool,
    /// Settings of sign-in.
    pub auth: AuthSettings,
    /// What could be restored.
    pub backups: Backups,
    /// The database refuses connections without TLS.
    pub ssl: bool,
    /// The schemas that the API shows.
    pub exposed: Vec<String>,
    /// What the database says about itself.
    pub catalogue: Catalogue,
    /// What the public key sees; absent means that no key is configured.
    pub public: Option<PublicWorld>,
    /// No token is configured.
    pub no_token: bool,
    /// What fails, by the name of the question: the words of [`super::HttpEntry::fault`], and
    /// `bad_credential`, `forbidden`, `clock_off`.
    pub fault: BTreeMap<String, String>,
}

/// Calls of one function at one time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallsWorld {
    /// When.
    pub at: Timestamp,
    /// The id of the function.
    pub function: String,
    /// Calls by status.
    pub statuses: BTreeMap<String, u64>,
    /// 95th percentile of the time that a call took.
    #[serde(default)]
    pub p95_ms: Option<f64>,
}

/// What one function printed at one time.
#[derive(Debug, Clone, Deserialize)]
pub struct PrintsWorld {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub prints: FunctionPrints,
}

/// What the public key sees.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublicWorld {
    /// By table; one that is not named is absent.
    pub table: BTreeMap<String, PublicLook>,
    /// Buckets.
    pub bucket: Vec<BucketLook>,
    /// What the API lists.
    pub names: PublicNames,
}

impl Replay {
    fn managed(&self, what: &str) -> Result<&SupabaseWorld, ProbeError> {
        self.count(format!("SUPABASE {what}"));
        let world = self.world.supabase.as_ref();
        let world = world.ok_or_else(|| fault("bad_credential", "no project is written down"))?;
        match world.fault.get(what) {
            Some(word) => Err(fault(word, "Supabase")),
            None => Ok(world),
        }
    }

    fn public(&self, what: &str) -> Result<&PublicWorld, ProbeError> {
        let world = self.managed(what)?.public.as_ref();
        world.ok_or_else(|| fault("bad_credential", "no public key is written down"))
    }
}

/// Answers with a part of the world.
fn part<'a, T: Send + 'a>(answer: Result<T, ProbeError>) -> Answer<'a, Result<T, ProbeError>> {
    Box::pin(async move { answer })
}

impl Supabase for Replay {
    fn token(&self) -> TokenPower {
        self.world.supabase.as_ref().map(|world| world.token).unwrap_or_default()
    }

    fn project(&self) -> Answer<'_, Result<SupabaseProject, ProbeError>> {
        part(self.managed("project").map(|world| world.project.clone()))
    }

    fn health(&self) -> Answer<'_, Result<Vec<ServiceHealth>, ProbeError>> {
        part(self.managed("health").map(|world| world.service.clone()))
    }

    fn functions(&self) -> Answer<'_, Result<Vec<EdgeFunction>, ProbeError>> {
        part(self.managed("functions").map(|world| world.function.clone()))
    }

    fn calls(&self, period: Period) -> Answer<'_, Result<FunctionLogs<FunctionCalls>, ProbeError>> {
        part(self.managed("calls").map(|world| {
            let mut all: BTreeMap<&str, FunctionCalls> = BTreeMap::new();
            for entry in world.calls.iter().filter(|entry| period.holds(entry.at)) {
                let one = all.entry(&entry.function).or_default();
                one.function.clone_from(&entry.function);
                for (status, times) in &entry.statuses {
                    let status = status.parse().unwrap_or_default();
                    *one.statuses.entry(status).or_default() += times;
                }
                // Percentiles of parts cannot be joined: the slowest part stands for the whole.
                one.p95_ms = match (one.p95_ms, entry.p95_ms) {
                    (Some(one), Some(two)) => Some(one.max(two)),
                    (one, two) => one.or(two),
                };
            }
            FunctionLogs { functions: all.into_values().collect(), cut: world.cut }
        }))
    }

    fn prints(
        &self,
        period: Period,
    ) -> Answer<'_, Result<FunctionLogs<FunctionPrints>, ProbeError>> {
        part(self.managed("prints").map(|world| {
            let seen = world.prints.iter().filter(|entry| period.holds(entry.at));
            FunctionLogs { functions: seen.map(|entry| entry.prints.clone()).collect(), cut: false }
        }))
    }

    fn auth(&self) -> Answer<'_, Result<AuthSettings, ProbeError>> {
        part(self.managed("auth").map(|world| world.auth.clone()))
    }

    fn backups(&self) -> Answer<'_, Result<Backups, ProbeError>> {
        part(self.managed("backups").map(|world| world.backups.clone()))
    }

    fn ssl_enforced(&self) -> Answer<'_, Result<bool, ProbeError>> {
        part(self.managed("ssl").map(|world| world.ssl))
    }

    fn exposed(&self) -> Answer<'_, Result<Vec<String>, ProbeError>> {
        part(self.managed("exposed").map(|world| world.exposed.clone()))
    }

    fn buckets(&self) -> Answer<'_, Result<Vec<String>, ProbeError>> {
        part(self.managed("bucket names").map(|world| {
            let buckets = world.public.iter().flat_map(|public| &public.bucket);
            buckets.map(|bucket| bucket.name.clone()).collect()
        }))
    }

    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>> {
        part(self.managed("catalogue").map(|world| world.catalogue.clone()))
    }
}

impl SupabasePublic for Replay {
    fn key_works(&self) -> Answer<'_, Result<(), ProbeError>> {
        part(self.public("key").map(|_world| ()))
    }

    fn table(&self, name: String) -> Answer<'_, Result<PublicLook, ProbeError>> {
        let look = self.public(&format!("table {name}"));
        part(look.map(|world| world.table.get(&name).cloned().unwrap_or(PublicLook::Absent)))
    }

    fn buckets(&self, _known: Vec<String>) -> Answer<'_, Result<Vec<BucketLook>, ProbeError>> {
        part(self.public("buckets").map(|world| world.bucket.clone()))
    }

    fn names(&self) -> Answer<'_, Result<PublicNames, ProbeError>> {
        part(self.public("names").map(|world| world.names.clone()))
    }
}
