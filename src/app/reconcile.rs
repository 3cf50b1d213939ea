//! The whole comparison of checkouts and orders, each difference told as it is found.

use std::path::Path;

use anyhow::anyhow;
use jiff::Timestamp;
use launchready_checks::contract::{CheckError, StripeOnly};
use launchready_checks::orders::{Difference, reconcile};
use launchready_checks::probe::{Payments, Period};

use super::Session;
use crate::config::Project;
use crate::connect::{self, CheckoutsFile};

impl Session {
    /// Compares every paid checkout, of Stripe or of a file, with every order, and tells each difference:
    /// its word (`missing`, `duplicated`, `orphan`) and the id of the checkout. Gives back whether a
    /// checkout has no order, or several.
    ///
    /// # Errors
    /// A side cannot be read; the text says what to do.
    pub async fn reconcile(
        &self,
        project: &Project,
        file: Option<&Path>,
        told: &mut (dyn FnMut(&'static str, &str) + Send),
    ) -> anyhow::Result<bool> {
        let accounts = connect::accounts(&project.accounts, &self.reach()?);
        let say = |error: CheckError| match error {
            CheckError::Skipped { reason, unlock } => anyhow!("{reason}; {unlock}"),
            CheckError::Unknown { cause, unlock } => anyhow!("{cause}; {unlock}"),
        };
        let stripe = project.target.accounts.stripe.clone().unwrap_or_default();
        // Without marks of a product to look for, the id alone is compared.
        let is_marked = stripe.only != StripeOnly::default();
        let file = file.map(|path| CheckoutsFile::new(path.to_owned()));
        let file = file.map(|file| if is_marked { file } else { file.brief() });
        let payments: &dyn Payments = match &file {
            Some(file) => file,
            None => accounts.payments.get().map_err(|missing| say(missing.into()))?,
        };
        let database = accounts.database.get().map_err(|missing| say(missing.into()))?;
        let since = stripe.since.unwrap_or(Timestamp::UNIX_EPOCH);
        let mut is_wrong = false;
        let mut tell = |difference: Difference, id: &str| {
            is_wrong |= difference != Difference::Orphan;
            told(difference.as_str(), id);
        };
        let period = Period { since, until: None };
        reconcile(payments, database, &stripe.only, period, &mut tell).await.map_err(say)?;
        Ok(is_wrong)
    }
}
