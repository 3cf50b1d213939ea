//! What counts as hand-work, and which checks measure it.

use super::{Options, Told};
use crate::contract::Age;
use crate::probe::Figure;

/// Every figure that is read: check and measurement.
pub(super) const WANTED: &[(&str, &str)] = &[
    ("orders-orphaned-checkouts", "orphaned-checkouts"),
    ("orders-unpaid", "out-of-step"),
    ("orders-duplicates", "duplicate-payments"),
    ("orders-subscriptions", "out-of-step"),
    ("crm-sync", "failed-payments-missing"),
    ("support-backlog", "made-by-hand"),
    ("crm-contacts", "missing"),
    ("crm-sync", "missing"),
];

/// One kind of hand-work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Orders,
    FailedPayments,
    Tickets,
    Contacts,
}

impl Part {
    pub(super) const ALL: [Self; 4] =
        [Self::Orders, Self::FailedPayments, Self::Tickets, Self::Contacts];

    /// The value of the label `part`.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::FailedPayments => "failed-payments",
            Self::Tickets => "tickets",
            Self::Contacts => "contacts",
        }
    }

    /// What is counted, in words that follow a number.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Orders => "orders out of step",
            Self::FailedPayments => "failed payments missing in the CRM",
            Self::Tickets => "tickets made by hand",
            Self::Contacts => "customers missing in the CRM",
        }
    }

    /// The same after a number of them.
    pub(super) fn counted(self, items: f64) -> String {
        let words = self.words();
        let one = match self {
            Self::Orders => "order out of step",
            Self::FailedPayments => "failed payment missing in the CRM",
            Self::Tickets => "ticket made by hand",
            Self::Contacts => "customer missing in the CRM",
        };
        format!("{items} {}", if (items - 1.0).abs() < f64::EPSILON { one } else { words })
    }

    /// The figures that tell of it.
    pub(super) fn is_told_by(self, check: &str, measurement: &str) -> bool {
        match self {
            Self::Orders => check.starts_with("orders-"),
            Self::FailedPayments => measurement == "failed-payments-missing",
            Self::Tickets => check == "support-backlog",
            Self::Contacts => check.starts_with("crm-") && measurement == "missing",
        }
    }

    /// The number of a week from the figures that were seen.
    pub(super) fn of_week(self, values: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Orders | Self::FailedPayments => values.sum(),
            // Measured for a day.
            Self::Tickets => values.sum::<f64>() * 7.0,
            // Both checks see the same customers, one by the order and one by the contact.
            Self::Contacts => values.fold(0.0, f64::max),
        }
    }

    /// Whether one figure is enough, and another one adds nothing.
    pub(super) const fn one_is_enough(self) -> bool {
        matches!(self, Self::Contacts)
    }

    /// What one of it takes.
    pub(super) const fn takes(self, options: &Options) -> Age {
        match self {
            Self::Orders => options.per_order,
            Self::FailedPayments => options.per_failed_payment,
            Self::Tickets => options.per_ticket,
            Self::Contacts => options.per_contact,
        }
    }

    /// What ends it.
    pub(super) const fn fix(self) -> &'static str {
        match self {
            Self::Orders => {
                "Most of it is orders out of step. Open \"Orders out of step\" on the project's page and run \
                 `launchready trace ID` with the oldest id: the first broken link is the one to mend, \
                 usually one webhook handler that fails. Then resend its events from Stripe instead of \
                 mending rows by hand."
            }
            Self::FailedPayments => {
                "Most of it is failed payments that the CRM never hears of. Handle \
                 payment_intent.payment_failed in the webhook and hand it to the CRM by the same job \
                 that hands over paid orders."
            }
            Self::Tickets => {
                "Most of it is tickets that somebody types in. Let the contact form and the support \
                 address open the ticket themselves (the desk's own form, its e-mail address, or its API), \
                 with tag and queue set there."
            }
            Self::Contacts => {
                "Most of it is customers who are copied into the CRM by hand. Write a row of the sync in \
                 the transaction that marks the order paid, and let a job hand it over and try again with \
                 growing pauses."
            }
        }
    }
}

/// The figures of one part.
pub(super) fn told(figures: &[Told], part: Part) -> impl Iterator<Item = &Told> {
    figures.iter().filter(move |told| part.is_told_by(&told.check, &told.measurement))
}

/// Why a figure is no number, and the step that makes it one.
pub(super) fn why(figure: &Figure, check: &str) -> (String, String) {
    match figure {
        Figure::Measured { value, .. } if *value < 0.0 => (
            format!("{check} measured {value}, which is no number of things"),
            "report this as a bug of launchready".to_owned(),
        ),
        Figure::Measured { at, .. } => (
            format!("{check} last measured it at {}", at.strftime("%Y-%m-%d %H:%M UTC")),
            format!("run `launchready check {check}`, or see why the agent does not run it"),
        ),
        Figure::Unmeasured => (
            format!("{check} looked, and could not see it"),
            format!("see what {check} says is not checked"),
        ),
        Figure::Skipped { reason, unlock } => (reason.clone(), unlock.clone()),
        Figure::Unknown { cause, unlock } => (cause.clone(), unlock.clone()),
        Figure::NotAsked => (
            format!("{check} was not run"),
            format!("run `launchready audit` with the config, without --skip {check}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_belongs_to_one_part_and_every_part_has_one() {
        for (check, measurement) in WANTED {
            let parts = Part::ALL.iter().filter(|part| part.is_told_by(check, measurement));
            assert_eq!(parts.count(), 1, "{check} {measurement}");
        }
        for part in Part::ALL {
            assert!(WANTED.iter().any(|(check, name)| part.is_told_by(check, name)), "{part:?}");
        }
    }
}
