//! What is wrong with an account.

use jiff::Timestamp;

use super::{
    CHARGES_DISABLED, Charges, DISPUTE_RATIO, DISPUTES, DUE, Disputes, Evidence, FAILED_RATIO,
    FAILURES, FULL_KEY, Options, PAST_DUE, PAYOUTS_DISABLED, TEST_KEY,
};
use crate::contract::{Assessment, Finding, Ratio, Unseen};
use crate::probe::{KeyPower, PaymentAccount};
use crate::stripe::{note_mode, rights, seen};

/// Where the provider says what it waits for.
const STATUS_PAGE: &str = "https://dashboard.stripe.com/account/status";
/// The demands that a finding names.
const NAMED: usize = 12;

pub(super) fn judge(evidence: &Evidence, options: &Options, now: Timestamp) -> Assessment {
    let mut out = Assessment::default();
    key(evidence.key, &evidence.account, &mut out);
    if evidence.key.live {
        able(&evidence.account, &mut out);
        demands(&evidence.account, options, now, &mut out);
    }
    note_mode(
        evidence.key,
        "whether the live account can take and pay out money",
        Unseen::Blocks,
        &mut out,
    );
    rates(evidence, options, &mut out);
    out
}

fn key(power: KeyPower, account: &PaymentAccount, out: &mut Assessment) {
    if !power.live {
        out.find(
            TEST_KEY
                .finding(&account.id)
                .summary("The Stripe key in the config belongs to test mode; the live account is not seen.")
                .saw("the key contains _test_")
                .fix(format!(
                    "Make a restricted key in live mode: https://dashboard.stripe.com/apikeys → switch off \
                     test mode → Create restricted key → Read for {}. Put it where project.stripe.key \
                     points to.",
                    rights()
                ))
                .undo("Put the earlier key back, and delete the new one in the dashboard."),
        );
    }
    if !power.restricted {
        out.find(
            FULL_KEY
                .finding(&account.id)
                .summary("launchready was given a full secret key; a restricted one that reads is enough.")
                .saw("the key begins with sk_")
                .fix(format!(
                    "Make a restricted key (rk_…) at https://dashboard.stripe.com/apikeys with Read for {}, \
                     put it where project.stripe.key points to, and roll the secret key if it lay anywhere \
                     else.",
                    rights()
                ))
                .undo("Put the secret key back, and delete the restricted one in the dashboard."),
        );
    }
}

fn able(account: &PaymentAccount, out: &mut Assessment) {
    let reason = account.disabled_reason.as_deref();
    let with_fix = |finding: Finding| {
        finding
            .saw_all(reason.map(|reason| format!("disabled_reason: {reason}")))
            .saw_all(account.past_due.iter().take(NAMED).map(|due| format!("past due: {due}")))
            .fix(format!(
                "Open {STATUS_PAGE} as the owner of the account and hand in what is asked for there. If \
                 nothing is asked for, the provider has paused it: write to its support from that page."
            ))
            .undo("Nothing has to be undone.")
    };
    if !account.charges_enabled {
        out.find(with_fix(
            CHARGES_DISABLED
                .finding(&account.id)
                .summary(format!("Stripe takes no payments for {}.", account.id))
                .saw("charges_enabled: false"),
        ));
    }
    if !account.payouts_enabled {
        out.find(with_fix(
            PAYOUTS_DISABLED
                .finding(&account.id)
                .summary(format!("Stripe pays nothing out from {}.", account.id))
                .saw("payouts_enabled: false"),
        ));
    }
}

fn demands(account: &PaymentAccount, options: &Options, now: Timestamp, out: &mut Assessment) {
    let deadline = account.deadline;
    let line = deadline.map(|at| format!("deadline: {at}"));
    let fix =
        format!("Open {STATUS_PAGE} as the owner of the account and hand in what is asked for.");
    if !account.past_due.is_empty() {
        out.find(
            PAST_DUE
                .finding(&account.id)
                .summary(format!("Stripe waits for {} overdue.", things(account.past_due.len())))
                .saw_all(account.past_due.iter().take(NAMED))
                .saw_all(line)
                .fix(fix)
                .undo("Nothing has to be undone."),
        );
        return;
    }
    // Without a deadline the provider may ask at any time.
    let soon = deadline
        .is_none_or(|at| at.as_second() - now.as_second() < options.due_soon.whole_seconds());
    if !account.currently_due.is_empty() && soon {
        let until = deadline.map(|at| format!(" until {}", at.strftime("%Y-%m-%d")));
        out.find(
            DUE.finding(&account.id)
                .summary(format!(
                    "Stripe wants {}{}.",
                    things(account.currently_due.len()),
                    until.unwrap_or_default()
                ))
                .saw_all(account.currently_due.iter().take(NAMED))
                .saw_all(line)
                .fix(fix)
                .undo("Nothing has to be undone."),
        );
    }
}

fn things(count: usize) -> String {
    if count == 1 {
        "one document or detail".to_owned()
    } else {
        format!("{count} documents or details")
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of payments are far below 2^52")]
fn part(of: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { of as f64 / all as f64 }
}

fn rates(evidence: &Evidence, options: &Options, out: &mut Assessment) {
    let subject = &evidence.account.id;
    let Some(charges) = seen(&evidence.charges, "how many payments fail or are disputed", out)
    else {
        return;
    };
    if !charges.whole {
        out.not_checked(
            Unseen::Noted,
            "payments of the whole 30 days",
            format!("they are too many for one run; the rates count from {} on", charges.since),
            "let the agent look a few times more; it goes on where it ended",
        );
    }
    let (day, all) = (charges.day, charges.all);
    let (now, mean) = (part(day.failed, day.all), part(all.failed, all.all));
    out.measure(FAILED_RATIO.value(None, now));
    if day.all >= options.sample
        && day.failed >= options.failures
        && now >= mean * options.failure_factor
    {
        out.find(
            FAILURES
                .finding(subject)
                .summary(format!(
                    "{} of the payments of the last 24 hours failed; over 30 days it was {}.",
                    percent(now),
                    percent(mean)
                ))
                .saw(format!("last 24 hours: {} of {} failed", day.failed, day.all))
                .saw(format!("since {}: {} of {} failed", charges.since, all.failed, all.all))
                .fix(
                    "Open https://dashboard.stripe.com/payments?status[0]=failed and group by reason. Many \
                     small amounts from new cards are a card test: switch on Radar's rule and a captcha at \
                     the checkout. One reason only, such as authentication_required, points to the last \
                     change of the checkout: take that back.",
                )
                .undo("Take the rule out again once the rate is back to normal."),
        );
    }
    if let Some(disputes) = seen(&evidence.disputes, "how many payments are disputed", out) {
        disputed(subject, charges, disputes, options, out);
    }
}

fn disputed(
    subject: &str,
    charges: &Charges,
    disputes: &Disputes,
    options: &Options,
    out: &mut Assessment,
) {
    let paid = charges.all.all - charges.all.failed;
    let rate = part(disputes.count, paid);
    out.measure(DISPUTE_RATIO.value(None, rate).bounds(Some(options.dispute_rate.0), None));
    if paid >= options.sample && disputes.count >= options.failures && rate > options.dispute_rate.0
    {
        let more = if disputes.cut { "at least " } else { "" };
        out.find(
            DISPUTES
                .finding(subject)
                .summary(format!(
                    "{more}{} of {paid} payments were disputed ({}); the bound is {}.",
                    disputes.count,
                    percent(rate),
                    options.dispute_rate
                ))
                .saw(format!("since {}: {} disputes, {paid} payments", charges.since, disputes.count))
                .fix(
                    "Open https://dashboard.stripe.com/disputes and read the reasons. Fraudulent: block with \
                     a Radar rule and demand 3D Secure. Not received, not as described: refund before the \
                     customer disputes, name the shop clearly in the statement descriptor, and answer within \
                     a day.",
                )
                .undo("Switch the Radar rule off again."),
        );
    }
}

fn percent(part: f64) -> String {
    Ratio((part * 100_000.0).round() / 100_000.0).to_string()
}
