//! Chains that are whole whatever is typed, and broken at each link.

use launchready::app::trace::{Kind, Outcome, Part, State};

use crate::shop::{PROJECT, Shop, link, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_chain_is_followed_from_every_id() {
    let shop = Shop::open(PROJECT, "", "").await;
    let sale = shop.sale(3, plain);
    let chain = shop.trace(&sale.session).await;
    assert_eq!(chain.outcome, Outcome::Whole, "{chain:#?}");
    let (there, not_due) = (State::There, State::NotDue);
    let states: Vec<State> = chain.links.iter().map(|link| link.state).collect();
    assert_eq!(
        states[..8],
        [there, there, not_due, there, there, there, there, there],
        "{chain:#?}"
    );
    assert_eq!(link(&chain, Part::Payment).ids, [sale.intent.clone(), sale.customer.clone()]);
    assert_eq!(link(&chain, Part::Order).ids, std::slice::from_ref(&sale.reference));
    let event = link(&chain, Part::Webhook).ids[0].clone();
    for (reference, kind) in [
        (&event, Kind::Event),
        (&sale.intent, Kind::Payment),
        (&sale.charge, Kind::Charge),
        (&sale.customer, Kind::Customer),
        (&sale.reference, Kind::Order),
    ] {
        let other = shop.trace(reference).await;
        assert_eq!((other.outcome, other.kind), (Outcome::Whole, kind), "{reference}: {other:#?}");
        for part in [Part::Checkout, Part::Payment, Part::EventRow, Part::Order, Part::Contact] {
            assert_eq!(link(&other, part).ids, link(&chain, part).ids, "{reference}");
        }
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_refunds_and_disputes_lead_to_their_order() {
    let shop = Shop::open(PROJECT, "", "").await;
    let sale = shop.sale(3, |sale| sale.subscription.is_some() && sale.ended.is_none());
    let chain = shop.trace(sale.subscription.as_ref().unwrap()).await;
    assert_eq!(chain.outcome, Outcome::Whole, "{chain:#?}");
    assert_eq!(link(&chain, Part::Order).ids, std::slice::from_ref(&sale.reference));
    // A payment of an invoice names no checkout; it is found through the customer.
    let chain = shop.trace(&sale.intent).await;
    assert_eq!(link(&chain, Part::Order).ids, [sale.reference], "{chain:#?}");
    for wanted in [
        (|sale: &launchready_lab::Sale| sale.refunded.is_some()) as fn(&_) -> bool,
        |sale: &launchready_lab::Sale| sale.disputed.is_some(),
    ] {
        let sale = shop.sale(24 * 4, wanted);
        let chain = shop.trace(&sale.session).await;
        assert_eq!(chain.outcome, Outcome::Whole, "{chain:#?}");
        let back = link(&chain, Part::Reversal);
        assert_eq!(back.state, State::There);
        let chain = shop.trace(&back.ids[0]).await;
        assert_eq!(link(&chain, Part::Order).ids, [sale.reference], "{chain:#?}");
        assert!(matches!(chain.kind, Kind::Refund | Kind::Dispute));
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_broken_link_is_named() {
    let cases = [
        ("lost_s = [10800]", "", Part::Webhook, State::Wrong),
        ("", "without_order_s = [10800]", Part::Order, State::Missing),
        ("", "duplicate_s = [10800]", Part::Order, State::Wrong),
        ("", "crm_unheard_s = [10800]", Part::CrmSync, State::Missing),
        ("", "crm_failed_each = 1", Part::CrmSync, State::Wrong),
        ("", "deaf_to = [\"checkout.session.completed\"]", Part::EventRow, State::Missing),
        ("", "[api.hubspot.customers]\nunknown_s = [10800]", Part::Contact, State::Missing),
        ("", "[api.hubspot.customers]\ntwice_s = [10800]", Part::Contact, State::Wrong),
    ];
    for (stripe, more, part, state) in cases {
        let shop = Shop::open(PROJECT, stripe, more).await;
        // What Stripe never told of is the last sale of all, what the shop lost is the last plain one.
        let sale = shop.sale(3, |sale| !stripe.is_empty() || plain(sale));
        let chain = shop.trace(&sale.session).await;
        assert_eq!(chain.broken, Some(part), "{stripe}{more}: {chain:#?}");
        assert_eq!(link(&chain, part).state, state, "{stripe}{more}: {chain:#?}");
        assert!(chain.next.is_some());
        shop.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_never_made_is_found_by_what_the_shop_wrote_at_stripe() {
    let shop = Shop::open(PROJECT, "", "without_order_s = [10800]").await;
    let sale = shop.sale(3, plain);
    let chain = shop.trace(&sale.reference).await;
    assert_eq!(chain.broken, Some(Part::Order), "{chain:#?}");
    assert_eq!(link(&chain, Part::Checkout).ids[0], sale.session);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_knows_is_told_as_unknown_and_never_as_whole_or_broken() {
    let shop = Shop::open(PROJECT, "", "").await;
    for reference in [
        "evt_1Cnothing",
        "cs_live_nothing",
        "pi_nothing",
        "ch_nothing",
        "re_nothing",
        "du_nothing",
        "sub_nothing",
        "cus_nothing",
        "order-nothing",
    ] {
        let chain = shop.trace(reference).await;
        assert_eq!(chain.outcome, Outcome::Unknown, "{reference}: {chain:#?}");
        assert_eq!(chain.broken, None, "{reference}");
        assert!(chain.in_short.starts_with("No system that could be asked"), "{}", chain.in_short);
        assert!(chain.next.unwrap().contains("What can be followed: an event (evt_…)"));
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_is_not_looked_at() {
    let shop = Shop::open(PROJECT, "", "[[api.stripe.fault]]\nstatus = 401\n").await;
    let sale = shop.sale(3, plain);
    let chain = shop.trace(&sale.session).await;
    for part in [Part::Checkout, Part::Payment, Part::Webhook, Part::EventRow] {
        let link = link(&chain, part);
        assert_eq!(link.state, State::NotLookedAt, "{chain:#?}");
        assert!(link.says.contains("credential was refused") && link.next.is_some(), "{link:?}");
    }
    assert_eq!(link(&chain, Part::Order).ids, [sale.reference]);
    assert_eq!(link(&chain, Part::CrmSync).state, State::There);
    shop.close().await;
    let (stripe, _) = PROJECT.split_once("[project.database]").unwrap();
    let shop = Shop::open(stripe, "", "").await;
    let chain = shop.trace(&shop.sale(3, plain).session).await;
    assert_eq!(chain.outcome, Outcome::Whole, "{chain:#?}");
    for part in [Part::EventRow, Part::Order, Part::CrmSync, Part::Contact, Part::Ticket] {
        assert_eq!(link(&chain, part).state, State::NotLookedAt, "{chain:#?}");
    }
    shop.close().await;
}
