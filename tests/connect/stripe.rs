//! Stripe: every list in full, its errors in its own words, and a million checkouts in flat memory.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::probe::{
    Accounts, CheckoutSession, EventFilter, KeyPower, PaymentEvent, Period, ProbeError, Walked,
};
use launchready_lab::{Sales, SalesPlan, sales};

use super::faults::{Case, Ends, Running, System, each_fault};

pub(crate) const TABLES: &str = r#"
[project.stripe]
key = { file = "stripe.key" }
api = "lab:stripe"

[secret]
"stripe.key" = "{{stripe_restricted_key}}"

[api.stripe]
id = "acct_1HarborExample01"
sales = { every_s = 3600, days = 40 }

[api.stripe.key.agent]
key = "{{stripe_restricted_key}}"

[api.stripe.webhook.Main]
url = "https://api.harbor.example/stripe"
events = ["checkout.session.completed", "charge.refunded"]

[api.stripe.destination.Bus]
kind = "amazon_eventbridge"
events = ["*"]
payload = "snapshot"
from = ["self"]
"#;

const OWN: &[Case] = &[
    (
        "a permission that is missing",
        r#"status = 403
body = '''{"error":{"type":"invalid_request_error","message":"The provided key does not have the required permissions. Having the 'rak_event_read' permission would allow this request to continue."}}'''"#,
        Ends::Error(&[
            "a permission is missing",
            "add rak_event_read to the restricted key at https://dashboard.stripe.com/apikeys",
        ]),
    ),
    ("a page that repeats", "repeats = true", Ends::Error(&["sends a page again"])),
    ("a cursor that loops", "from = 3\nrepeats = true", Ends::Error(&["sends a page again"])),
    (
        "more after nothing",
        r#"status = 200
body = '{"object":"list","data":[],"has_more":true}'"#,
        Ends::Error(&["promises more after an empty page"]),
    ),
    (
        "a field that is new",
        "find = '\"object\":\"event\"'\nput = '\"object\":\"event\",\"novel\":{\"a\":[1]}'",
        Ends::Well,
    ),
    (
        "a word that is new",
        "find = '\"object\":\"list\"'\nput = '\"object\":\"novel_list\"'",
        Ends::Well,
    ),
    (
        "a number that is none",
        "find = '\"created\":'\nput = '\"created\":\"x\",\"made\":'",
        Ends::Error(&["JSON of another shape"]),
    ),
];

fn month() -> Period {
    Period { since: SystemClock.now() - SignedDuration::from_hours(30 * 24 - 1), until: None }
}

pub(crate) async fn events(accounts: &Accounts) -> Result<(Walked, Vec<PaymentEvent>), ProbeError> {
    let mut all = Vec::new();
    // Up to a minute ago, so that a sale between two questions changes nothing.
    let until = Some(SystemClock.now() - SignedDuration::from_mins(1));
    let period = Period { until, ..month() };
    let filter = EventFilter { period, types: Vec::new(), undelivered: false };
    let mut visit = |event: PaymentEvent| all.push(event);
    let walked = accounts.payments.get().unwrap().events(filter, &mut visit).await?;
    Ok((walked, all))
}

#[tokio::test]
async fn every_fault_of_the_api_ends_in_the_answer_or_in_words_that_help() {
    let system = System { name: "stripe", vendor: "Stripe", tables: TABLES, own: OWN };
    each_fault(&system, async |accounts: &Accounts| {
        let (walked, all) = events(accounts).await?;
        let ids: BTreeSet<_> = all.iter().map(|event| &event.id).collect();
        assert_eq!((ids.len() as u64, walked.cut), (walked.entries, false));
        // The hour may turn between two worlds: whether there are many is what counts.
        Ok(format!("{}", walked.entries > 2_000))
    })
    .await;
}

#[tokio::test]
async fn the_lists_hold_what_the_plan_says() {
    let running = Running::start(TABLES).await;
    let payments = running.accounts.payments.get().unwrap();
    assert_eq!(payments.key(), KeyPower { live: true, restricted: true });
    let account = payments.account().await.unwrap();
    assert!(account.charges_enabled && account.payouts_enabled);
    let told = payments.destinations().await.unwrap();
    let kinds: Vec<_> = told.all.iter().map(|told| told.kind.as_str()).collect();
    assert_eq!((kinds, told.unseen), (vec!["webhook_endpoint", "amazon_eventbridge"], None));

    let now = SystemClock.now();
    let plan = SalesPlan { every_s: 3600, days: 40, ..SalesPlan::default() };
    let until = Some(now - SignedDuration::from_hours(2));
    let period = Period { until, ..month() };
    let within = |at: Timestamp| at >= period.since && at < period.until.unwrap();
    let made = sales(&plan, now, now);
    let wanted: BTreeSet<_> =
        made.iter().filter(|sale| within(sale.at)).map(|sale| sale.session.clone()).collect();
    let mut found = BTreeSet::new();
    let mut sums = (0, 0);
    payments
        .sessions(period, &mut |session| {
            sums.0 += session.amount.as_ref().map_or(0, |money| money.amount_minor);
            found.insert(session.id);
        })
        .await
        .unwrap();
    sums.1 = made.iter().filter(|sale| within(sale.at)).map(|sale| sale.amount_minor).sum();
    assert_eq!(found, wanted);
    assert_eq!(sums.0, sums.1);

    let mut refunds = BTreeSet::new();
    payments
        .refunds(period, &mut |refund| {
            refunds.extend(refund.payment_intent);
        })
        .await
        .unwrap();
    let refunded = made.iter().filter(|sale| sale.refunded.is_some_and(within));
    assert_eq!(refunds, refunded.map(|sale| sale.intent.clone()).collect());
    assert!(!refunds.is_empty());

    let mut ended = (0, 0);
    payments
        .subscriptions(period, &mut |subscription| {
            ended.0 += usize::from(subscription.ended.is_some());
        })
        .await
        .unwrap();
    ended.1 = made.iter().filter(|sale| within(sale.at) && sale.ended.is_some()).count();
    assert_eq!(ended.0, ended.1);

    let mut failed = 0;
    payments
        .charges(period, &mut |charge| failed += u32::from(charge.status == "failed"))
        .await
        .unwrap();
    assert!(failed > 10);
    let session = payments.session(wanted.first().unwrap().clone()).await.unwrap().unwrap();
    assert!(session.email.is_some() && session.reference.unwrap().starts_with("order-"));
    assert_eq!(payments.session("cs_live_none".to_owned()).await.unwrap(), None);
    assert_eq!(payments.session("../../v1/account".to_owned()).await.unwrap(), None);
    running.lab.stop().await;
}

#[tokio::test]
async fn an_empty_account_is_empty_and_a_key_of_another_mode_sees_nothing() {
    let empty = TABLES.replace("sales = { every_s = 3600, days = 40 }", "");
    let running = Running::start(&empty).await;
    let (walked, _) = events(&running.accounts).await.unwrap();
    assert_eq!(walked, Walked::default());
    running.lab.stop().await;
    let running = Running::start(&TABLES.replace("stripe_restricted_key", "stripe_test_key")).await;
    let (walked, _) = events(&running.accounts).await.unwrap();
    let key = running.accounts.payments.get().unwrap().key();
    assert_eq!((walked, key), (Walked::default(), KeyPower { live: false, restricted: false }));
    running.lab.stop().await;
}

#[tokio::test]
async fn a_key_without_access_to_newer_destinations_still_sees_the_older() {
    let permissions = "key = \"{{stripe_restricted_key}}\"\npermissions = [\"rak_webhook_read\"]";
    let tables = TABLES.replace(
        "[api.stripe.key.agent]\nkey = \"{{stripe_restricted_key}}\"",
        &format!("[api.stripe.key.agent]\n{permissions}"),
    );
    let running = Running::start(&tables).await;
    let payments = running.accounts.payments.get().unwrap();
    let told = payments.destinations().await.unwrap();
    assert_eq!(told.all.len(), 1);
    assert!(told.unseen.unwrap().contains("add rak_event_destinations_read"));
    let error = payments.account().await.unwrap_err().to_string();
    assert!(error.contains("add rak_accounts_kyc_basic_read"), "{error}");
    running.lab.stop().await;
}

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// How many checkouts the memory test walks over: set to 1000000 for the full size.
fn many() -> u64 {
    let set = std::env::var("LAUNCHREADY_TEST_SESSIONS").ok().and_then(|text| text.parse().ok());
    set.unwrap_or(20_000)
}

#[tokio::test]
async fn a_long_list_is_walked_over_with_flat_memory() {
    let many = many();
    let tables =
        TABLES.replace("every_s = 3600, days = 40", &format!("days = 30, sessions = {many}"));
    let running = Running::start(&tables).await;
    let payments = running.accounts.payments.get().unwrap();
    let plan = SalesPlan { sessions: many, days: 30, ..SalesPlan::default() };
    let amounts = Sales { plan, start: SystemClock.now() };
    let wanted: i64 =
        (1..=many).map(|number| amounts.sale(number, SystemClock.now()).amount_minor).sum();
    let (mut count, mut sum, mut peak) = (0_u64, 0_i64, 0_u64);
    let (before, began) = (resident(), SystemClock.now());
    let since = began - SignedDuration::from_hours(31 * 24);
    // A walk that ends early is gone on with; the second in which it ended comes again.
    let mut second = (Timestamp::UNIX_EPOCH, BTreeSet::new());
    let mut until = None;
    loop {
        let mut visit = |session: CheckoutSession| {
            if second.1.contains(&session.id) {
                return;
            }
            if second.0 != session.created {
                second = (session.created, BTreeSet::new());
            }
            second.1.insert(session.id);
            count += 1;
            sum += session.amount.map_or(0, |money| money.amount_minor);
            if count.is_multiple_of(10_000) {
                peak = peak.max(resident());
            }
        };
        let walked = payments.sessions(Period { since, until }, &mut visit).await.unwrap();
        if !walked.cut {
            break;
        }
        until = Some(second.0 + SignedDuration::from_secs(1));
    }
    let grown = peak.saturating_sub(before);
    let took = SystemClock.now().as_second() - began.as_second();
    println!("{many} checkouts in {took} s, {} KiB more memory at the peak", grown / 1024);
    assert_eq!((count, sum), (many, wanted));
    assert!(grown < 32 * 1024 * 1024, "{grown} bytes");
    running.lab.stop().await;
}
