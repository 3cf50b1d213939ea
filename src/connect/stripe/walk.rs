//! Walks over a list page by page; it always comes to an end.

use std::collections::HashSet;
use std::time::Duration;

use launchready_checks::probe::{Period, ProbeError, TargetFault, Walked};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::Stripe;
use super::shapes::Listed;

/// After so long a walk ends with what it has: a check has 40 seconds, and may need three walks.
const WALK: Duration = Duration::from_secs(12);
/// The most entries of one page.
const PAGE: &str = "100";

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    has_more: bool,
}

/// What is asked of a list.
#[derive(Debug)]
pub(super) struct Query {
    path: &'static str,
    pairs: Vec<(&'static str, String)>,
}

impl Query {
    pub(super) fn new(path: &'static str) -> Self {
        Self { path, pairs: vec![("limit", PAGE.to_owned())] }
    }

    pub(super) fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.pairs.push((name, value.into()));
        self
    }

    pub(super) fn period(self, period: Period) -> Self {
        let query = self.and("created[gte]", period.since.as_second().to_string());
        match period.until {
            Some(until) => query.and("created[lt]", until.as_second().to_string()),
            None => query,
        }
    }
}

impl Stripe {
    /// Hands over every entry of a list.
    pub(super) async fn walk<T: DeserializeOwned + Listed>(
        &self,
        query: Query,
        visit: &mut (dyn FnMut(T) + Send),
    ) -> Result<Walked, ProbeError> {
        let end = Instant::now() + WALK;
        let mut walked = Walked::default();
        let mut cursor: Option<String> = None;
        let mut cursors = HashSet::new();
        loop {
            let mut pairs: Vec<(&str, &str)> =
                query.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            if let Some(cursor) = &cursor {
                pairs.push(("starting_after", cursor));
            }
            let page: Page<T> = self.api.get(query.path, &pairs).await?;
            // An entry that was the last of a page and comes again leads round in a circle.
            if page.data.iter().any(|entry| cursors.contains(entry.id())) {
                return Err(endless("sends a page again", query.path));
            }
            let last = page.data.last().map(|entry| entry.id().to_owned());
            for entry in page.data {
                walked.entries += 1;
                visit(entry);
            }
            if !page.has_more {
                return Ok(walked);
            }
            let last =
                last.ok_or_else(|| endless("promises more after an empty page", query.path))?;
            cursors.insert(last.clone());
            cursor = Some(last);
            if Instant::now() >= end {
                walked.cut = true;
                return Ok(walked);
            }
        }
    }
}

fn endless(what: &str, path: &str) -> ProbeError {
    TargetFault::Malformed(format!("Stripe {what} of {path}")).into()
}
