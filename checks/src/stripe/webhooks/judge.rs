//! What is wrong with the destinations.

use jiff::Timestamp;
use jiff::civil::Date;

use super::pairs::doubled;
use super::{
    BAD_ADDRESS, DISABLED, DISPUTE, Evidence, FOREIGN, MIXED, MONEY_UNHEARD, NONE, OLD_VERSION,
    ONE_TIME, Options, Post, REFUND, RENEWAL, REVERSALS_UNHEARD, TWICE, Told, UNSIGNED,
};
use crate::contract::{Assessment, Connect, Target, Unseen};
use crate::probe::{EventScope, Seen};
use crate::stripe::{note_mode, seen};

/// Where destinations are made and changed.
const PAGE: &str = "https://dashboard.stripe.com/webhooks";

pub(super) fn judge(
    evidence: &Evidence,
    options: &Options,
    target: &Target,
    now: Timestamp,
) -> Assessment {
    let mut out = Assessment::default();
    let connect = target.accounts.stripe.as_ref().map_or(Connect::None, |facts| facts.connect);
    let all = &evidence.destinations.items;
    note_mode(evidence.key, "the destinations of live mode", Unseen::Blocks, &mut out);
    let enabled: Vec<&Told> = all.iter().filter(|told| told.enabled).collect();
    presence(evidence, &enabled, &target.domain, &mut out);
    if !enabled.is_empty() {
        money(evidence, &enabled, connect, &target.domain, &mut out);
        reversals(&enabled, &target.domain, &mut out);
    }
    for told in all {
        one(told, evidence.key.live, options, now, &mut out);
    }
    for (one, other, both) in doubled(all, connect) {
        out.find(
            TWICE
                .finding(&one.shown)
                .key(&other.shown)
                .summary(format!("{} and {} are told the same: {}.", one.id, other.id, both.join(", ")))
                .saw(format!("{} → {}", one.id, one.shown))
                .saw(format!("{} → {}", other.id, other.shown))
                .fix(format!(
                    "Open {PAGE}, keep the one that the product's code expects (its signing secret is set \
                     there), and disable the other. If both are wanted, take the events that both have out \
                     of one of them."
                ))
                .undo(format!("Open {PAGE} and enable the destination again.")),
        );
    }
    for post in &evidence.posts {
        unsigned(post, target, &mut out);
    }
    if evidence.destinations.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("{} more destinations", evidence.destinations.cut),
            "one run judges 40",
            "delete those that are no longer needed",
        );
    }
    out
}

fn presence(evidence: &Evidence, enabled: &[&Told], domain: &str, out: &mut Assessment) {
    if let Some(why) = &evidence.unseen {
        let unseen = if enabled.is_empty() { Unseen::Blocks } else { Unseen::Noted };
        let unlock = "grant Read on Event Destinations to the restricted key, if there are any";
        out.not_checked(unseen, "event destinations of the newer kind", why, unlock);
    }
    if enabled.is_empty() && evidence.unseen.is_none() {
        let off =
            evidence.destinations.items.iter().map(|told| format!("{} is disabled", told.shown));
        out.find(
            NONE.finding(domain)
                .summary("Stripe has no enabled webhook endpoint and no event destination.")
                .saw(format!("{} destinations, none enabled", evidence.destinations.total()))
                .saw_all(off)
                .fix(format!(
                    "Open {PAGE} → Add destination → the product's webhook address, with the events \
                     checkout.session.completed, checkout.session.async_payment_succeeded, \
                     charge.refunded and charge.dispute.created (and invoice.paid with subscriptions). Put \
                     its signing secret into the product's settings."
                ))
                .undo("Delete the destination in the dashboard."),
        );
    }
}

/// Whether one of some destinations hears one of some kinds.
fn heard(enabled: &[&Told], kinds: &[&str], connect: Connect) -> bool {
    enabled.iter().any(|told| {
        // Sellers that are paid directly have their payments in their own accounts.
        let right = match connect {
            Connect::Direct => told.scope != EventScope::Account,
            Connect::None | Connect::Destination => told.scope != EventScope::Connect,
        };
        right && told.hears.iter().any(|kind| kinds.contains(&kind.as_str()))
    })
}

fn money(
    evidence: &Evidence,
    enabled: &[&Told],
    connect: Connect,
    domain: &str,
    out: &mut Assessment,
) {
    let missing = |kinds: &[&str], why: String| {
        MONEY_UNHEARD
            .finding(domain)
            .key(kinds.first().copied().unwrap_or_default())
            .summary(format!("No enabled destination is told of {}.", kinds.join(" or ")))
            .saw(why)
            .saw_all(enabled.iter().map(|told| format!("{} → {}: {}", told.id, told.shown, told.hears.join(", "))))
            .fix(format!(
                "Open {PAGE} → the product's destination → Edit → Select events → add {}. Then resend the \
                 events of the last days from Developers → Events.",
                kinds.first().copied().unwrap_or_default()
            ))
            .undo("Take the event out of the destination again.")
    };
    if connect == Connect::Direct {
        // Events of sellers' accounts are not in the platform's own list, so it is asked of every platform.
        if !heard(enabled, &ONE_TIME, connect) {
            let why = "buyers pay the sellers' accounts directly (connect = \"direct\")".to_owned();
            out.find(missing(&ONE_TIME, why));
        }
        return;
    }
    let Some(emitted) = seen(&evidence.emitted, "whether every payment is told of", out) else {
        return;
    };
    let of = |group: &[&'static str]| -> Vec<&'static str> {
        group.iter().copied().filter(|kind| emitted.iter().any(|known| known == kind)).collect()
    };
    for group in [&ONE_TIME[..], &RENEWAL[..]] {
        let kinds = of(group);
        if !kinds.is_empty() && !heard(enabled, &kinds, connect) {
            let why = format!("the account emitted {} in the last 30 days", kinds.join(", "));
            out.find(missing(&kinds, why));
        }
    }
    if emitted.is_empty() && !heard(enabled, &ONE_TIME, connect) {
        out.not_checked(
            Unseen::Condition,
            "whether payments are told of",
            "the account took no payment in 30 days, and no destination takes an event of one",
            "make one real payment and refund it, then run it again",
        );
    }
}

fn reversals(enabled: &[&Told], domain: &str, out: &mut Assessment) {
    for (what, kinds) in [("refunds", &REFUND[..]), ("disputes", &DISPUTE[..])] {
        let told =
            enabled.iter().any(|told| told.hears.iter().any(|kind| kinds.contains(&kind.as_str())));
        if !told {
            let first = kinds.first().copied().unwrap_or_default();
            out.find(
                REVERSALS_UNHEARD
                    .finding(domain)
                    .key(what)
                    .summary(format!("No enabled destination is told of {what}."))
                    .saw(format!("none of them takes {}", kinds.join(", ")))
                    .fix(format!(
                        "Open {PAGE} → the product's destination → Edit → Select events → add {first}, and \
                         let the product's code mark the order."
                    ))
                    .undo("Take the event out of the destination again."),
            );
        }
    }
}

fn one(told: &Told, live: bool, options: &Options, now: Timestamp, out: &mut Assessment) {
    let Told { id, shown, .. } = told;
    if !told.enabled {
        out.find(
            DISABLED
                .finding(shown)
                .key(id)
                .summary(format!("The destination {id} ({shown}) is disabled."))
                .saw(format!("{id}: status disabled"))
                .fix(format!(
                    "Open {PAGE} → {shown}. If it is still needed, read under Event deliveries why it \
                     failed, mend that, and choose Enable; then resend what was missed. Else delete it."
                ))
                .undo(format!("Open {PAGE} → {shown} → Disable.")),
        );
        return;
    }
    if told.live != live {
        let mode = if told.live { "live" } else { "test" };
        out.find(
            MIXED
                .finding(shown)
                .key(id)
                .summary(format!(
                    "The destination {id} ({shown}) belongs to {mode} mode, the key does not."
                ))
                .saw(format!("{id}: livemode {}", told.live))
                .fix(format!("Open {PAGE} in the other mode, and make the destination there."))
                .undo("Delete the new destination again."),
        );
    }
    if let Some(why) = told.place.unfit() {
        out.find(
            BAD_ADDRESS
                .finding(shown)
                .key(id)
                .summary(format!("Events go to {shown}: {why}."))
                .saw(format!("{id} → {shown}"))
                .fix(format!(
                    "Open {PAGE} → {shown} → Edit destination, and enter the production address, with https. \
                     For trials on a developer's machine use `stripe listen` with a key of test mode."
                ))
                .undo(format!("Open {PAGE} and enter the old address again.")),
        );
    } else if told.place.is_foreign() {
        let host = &told.place.host;
        out.find(
            FOREIGN
                .finding(host)
                .key(id)
                .summary(format!("Events go to {host}, which is no host of the project."))
                .saw(format!("{id} → {shown}"))
                .fix(format!(
                    "If {host} is yours, name it under `hosts` of the project; if it is a service that you \
                     use on purpose, name it under `hosts` in [checks.stripe-webhooks]. Else open {PAGE} and \
                     delete the destination {id}."
                ))
                .undo("Take the name out of the config, or make the destination again."),
        );
    }
    if let Some(version) =
        told.api_version.as_deref().filter(|version| is_old(version, options, now))
    {
        out.find(
            OLD_VERSION
                .finding(shown)
                .key(id)
                .summary(format!("{shown} is sent events in the API version {version}."))
                .saw(format!("{id}: api_version {version}"))
                .fix(format!(
                    "Open {PAGE} → Add destination with the same address, the same events and the newest \
                     version; let the code take both, then disable the old one."
                ))
                .undo("Enable the old destination and disable the new one."),
        );
    }
}

/// Whether a version, which begins with its day, is older than is wanted.
fn is_old(version: &str, options: &Options, now: Timestamp) -> bool {
    let day = version.get(..10).and_then(|day| day.parse::<Date>().ok());
    let begun = day.and_then(|day| format!("{day}T00:00:00Z").parse::<Timestamp>().ok());
    begun.is_some_and(|begun| {
        now.as_second() - begun.as_second() > options.version_age.whole_seconds()
    })
}

fn unsigned(post: &Post, target: &Target, out: &mut Assessment) {
    let part = format!("a call without a signature to {}", post.shown);
    match &post.answer {
        None => out.not_checked(
            Unseen::Noted,
            part,
            target.ownership.reason("the domain is not proven to be yours, so nothing is sent to it"),
            target.ownership.unlock(&target.domain),
        ),
        Some(Seen::Ok(status)) if (200..300).contains(status) => out.find(
            UNSIGNED
                .finding(&post.shown)
                .key(&post.id)
                .summary(format!("{} answers {status} to an empty call without a signature.", post.shown))
                .saw(format!("POST {{}} without Stripe-Signature → {status}"))
                .fix(
                    "Let the code check the signature first and answer 400 where it is wrong: \
                     stripe.webhooks.constructEvent(rawBody, header, secret) with the raw bytes of the body \
                     and the destination's whsec_ secret. If the address answers 200 because a catch-all \
                     page does, there is no webhook there: enter the right address in the dashboard.",
                )
                .undo("Deploy the earlier version."),
        ),
        Some(Seen::Ok(_)) => {}
        Some(Seen::Target(fault)) => {
            let unlock = "fix what web-uptime finds first, then run it again";
            out.not_checked(Unseen::Condition, part, fault.to_string(), unlock);
        }
        Some(Seen::Agent(fault)) => {
            out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
        }
    }
}
