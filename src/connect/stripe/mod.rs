//! Stripe behind the payments port: typed, newest first, one page in memory.

mod shapes;
mod trail;
mod walk;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use launchready_checks::probe::{
    Answer, Charge, CheckoutSession, Destination, Destinations, EventFilter, KeyPower, Payment,
    PaymentAccount, PaymentEvent, PaymentKey, Payments, Period, ProbeError, Reversal, Subscription,
    TargetFault, Visit, Walked,
};
use reqwest::Method;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::api::{Api, Vendor};
use super::reach::Reach;
use super::shown::Shown;
use crate::config::Secret;
use shapes::{
    AccountShape, BriefShape, ChargeShape, DisputeShape, EventShape, IntentShape, ModernPage,
    ModernShape, RefundShape, SessionShape, SubscriptionShape, WebhookShape,
};
use walk::Query;

/// The vendor's address.
const ADDRESS: &str = "https://api.stripe.com";
/// A fifth of what the vendor allows a live account each second, and less than a sandbox may: 5 a second.
const PACE: Duration = Duration::from_millis(200);
/// Pages of newer destinations; each holds a hundred, and an account may have 16.
const DESTINATION_PAGES: usize = 5;

const VENDOR: Vendor = Vendor {
    name: "Stripe",
    pace: PACE,
    headers: &[("stripe-version", "2026-07-29.dahlia")],
    permission: |body| slug(body.pointer("/error/message")?.as_str()?),
    where_to: "https://dashboard.stripe.com/apikeys",
};

/// The account that a key opens.
pub struct Stripe {
    api: Api,
    power: KeyPower,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("power", &self.power).finish_non_exhaustive()
    }
}

impl Stripe {
    /// An account at the vendor's address, or at `address`.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(key: Secret, address: Option<&str>, reach: &Reach) -> Result<Self, ProbeError> {
        let address = address.unwrap_or(ADDRESS);
        let power = power(key.expose());
        // Whoever points it at the own machine has a stand-in there, which no rate protects.
        let pace = if is_loopback(address) { Duration::ZERO } else { PACE };
        let api = Api::new(Vendor { pace, ..VENDOR }, address, Shown::Bearer(key), reach)?;
        Ok(Self { api, power })
    }

    async fn webhooks(&self) -> Result<Vec<Destination>, ProbeError> {
        let mut all = Vec::new();
        let query = Query::new("v1/webhook_endpoints");
        let mut keep = |shape: WebhookShape| all.push(shape.normal());
        let walked = self.walk(query, &mut keep).await?;
        if walked.cut {
            let what = "the list of webhook endpoints has no end".to_owned();
            return Err(TargetFault::Malformed(what).into());
        }
        Ok(all)
    }

    /// One object; `None` where there is none of that id.
    async fn one<T: DeserializeOwned>(
        &self,
        list: &str,
        id: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>, ProbeError> {
        // What is no id of theirs cannot be asked about, and must not change the path.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(None);
        }
        let reply = self.api.any(Method::GET, &format!("{list}/{id}"), query, None).await?;
        match reply.status {
            200 => reply.json(self.api.vendor()).map(Some),
            404 => Ok(None),
            _ => Err(self.api.refused(&reply)),
        }
    }

    /// Destinations of the newer kind, or why they cannot be listed.
    async fn modern(&self) -> Result<Result<Vec<Destination>, String>, ProbeError> {
        let mut all = Vec::new();
        let mut path = "v2/core/event_destinations".to_owned();
        let mut query: &[(&str, &str)] =
            &[("limit", "100"), ("include[0]", "webhook_endpoint.url")];
        for _ in 0..DESTINATION_PAGES {
            let reply = self.api.any(Method::GET, &path, query, None).await?;
            match reply.status {
                200 => {}
                // An account or a key that has no access to the newer API still has the older one.
                400 | 403 | 404 => return Ok(Err(self.api.refused(&reply).to_string())),
                _ => return Err(self.api.refused(&reply)),
            }
            let page: ModernPage = reply.json(self.api.vendor())?;
            all.extend(page.data.into_iter().map(ModernShape::normal));
            let Some(next) = page.next_page_url else { return Ok(Ok(all)) };
            (path, query) = (next, &[]);
        }
        let what = "the list of event destinations of Stripe has no end".to_owned();
        Err(TargetFault::Malformed(what).into())
    }
}

/// A checkout as an export has it, which may leave out what goes without saying.
/// Of a brief reading, only what tells whether and when it was a sale is there.
pub(super) fn read_session(line: &[u8], brief: bool) -> Option<CheckoutSession> {
    let mut session = if brief {
        serde_json::from_slice::<BriefShape>(line).ok()?.normal()
    } else {
        serde_json::from_slice::<SessionShape>(line).ok()?.normal()
    };
    let or = |word: &mut String, usual: &str| {
        if word.is_empty() {
            usual.clone_into(word);
        }
    };
    or(&mut session.status, "complete");
    or(&mut session.mode, "payment");
    Some(session)
}

/// What the form of a key tells.
fn power(key: &str) -> KeyPower {
    KeyPower { live: !key.contains("_test_"), restricted: !key.starts_with("sk_") }
}

/// The permission that a refusal names.
fn slug(message: &str) -> Option<String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = message.split(|c: char| !letter(c)).find(|word| word.starts_with("rak_"))?;
    Some(format!("add {word} to the restricted key at {}", VENDOR.where_to))
}

fn is_loopback(address: &str) -> bool {
    match Url::parse(address).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

impl Payments for Stripe {
    fn key(&self) -> KeyPower {
        self.power
    }

    fn account(&self) -> Answer<'_, Result<PaymentAccount, ProbeError>> {
        Box::pin(async { Ok(self.api.get::<AccountShape>("v1/account", &[]).await?.normal()) })
    }

    fn destinations(&self) -> Answer<'_, Result<Destinations, ProbeError>> {
        Box::pin(async {
            let mut all = self.webhooks().await?;
            let unseen = match self.modern().await? {
                Ok(modern) => {
                    for destination in modern {
                        // One of the web is listed both ways where it was made the older way.
                        let known = all.iter().any(|known| {
                            known.id == destination.id
                                || (!destination.thin
                                    && known.url.is_some()
                                    && known.url == destination.url)
                        });
                        if !known {
                            all.push(destination);
                        }
                    }
                    None
                }
                Err(why) => Some(why),
            };
            Ok(Destinations { all, unseen })
        })
    }

    fn events<'a>(
        &'a self,
        filter: EventFilter,
        visit: Visit<'a, PaymentEvent>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let mut query = Query::new("v1/events").period(filter.period);
        for kind in filter.types {
            query = query.and("types[]", kind);
        }
        if filter.undelivered {
            query = query.and("delivery_success", "false");
        }
        Box::pin(
            async move { self.walk(query, &mut |shape: EventShape| visit(shape.normal())).await },
        )
    }

    fn sessions<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, CheckoutSession>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let query = Query::new("v1/checkout/sessions").period(period).and("status", "complete");
        Box::pin(
            async move { self.walk(query, &mut |shape: SessionShape| visit(shape.normal())).await },
        )
    }

    fn session(&self, id: String) -> Answer<'_, Result<Option<CheckoutSession>, ProbeError>> {
        Box::pin(async move {
            let shape: Option<SessionShape> = self.one("v1/checkout/sessions", &id, &[]).await?;
            Ok(shape.map(SessionShape::normal))
        })
    }

    fn sessions_of(&self, key: PaymentKey) -> Answer<'_, Result<Vec<CheckoutSession>, ProbeError>> {
        Box::pin(async move {
            let (name, id) = match &key {
                PaymentKey::Payment(id) => ("payment_intent", id),
                PaymentKey::Customer(id) => ("customer", id),
                PaymentKey::Subscription(id) => ("subscription", id),
            };
            let page: Vec<SessionShape> = self.page("v1/checkout/sessions", (name, id)).await?;
            Ok(page.into_iter().map(SessionShape::normal).collect())
        })
    }

    fn payment(&self, id: String) -> Answer<'_, Result<Option<Payment>, ProbeError>> {
        Box::pin(async move {
            let query = &[("expand[]", "latest_charge")];
            let shape: Option<IntentShape> = self.one("v1/payment_intents", &id, query).await?;
            Ok(shape.map(IntentShape::normal))
        })
    }

    fn event(&self, id: String) -> Answer<'_, Result<Option<PaymentEvent>, ProbeError>> {
        Box::pin(async move {
            let shape: Option<EventShape> = self.one("v1/events", &id, &[]).await?;
            Ok(shape.map(EventShape::normal))
        })
    }

    fn payments<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Payment>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let query = Query::new("v1/payment_intents").period(period);
        let query = query.and("expand[]", "data.latest_charge");
        Box::pin(
            async move { self.walk(query, &mut |shape: IntentShape| visit(shape.normal())).await },
        )
    }

    fn charges<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Charge>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let query = Query::new("v1/charges").period(period);
        Box::pin(
            async move { self.walk(query, &mut |shape: ChargeShape| visit(shape.normal())).await },
        )
    }

    fn refunds<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let query = Query::new("v1/refunds").period(period);
        Box::pin(
            async move { self.walk(query, &mut |shape: RefundShape| visit(shape.normal())).await },
        )
    }

    fn disputes<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let query = Query::new("v1/disputes").period(period);
        Box::pin(
            async move { self.walk(query, &mut |shape: DisputeShape| visit(shape.normal())).await },
        )
    }

    fn subscriptions<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Subscription>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let query = Query::new("v1/subscriptions").period(period).and("status", "all");
        Box::pin(async move {
            self.walk(query, &mut |shape: SubscriptionShape| visit(shape.normal())).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_mode_and_whether_it_is_restricted() {
        let key = |start: &str| power(&format!("{start}51abcdef"));
        assert_eq!(key("rk_live_"), KeyPower { live: true, restricted: true });
        assert_eq!(key("sk_live_"), KeyPower { live: true, restricted: false });
        assert_eq!(key("rk_test_"), KeyPower { live: false, restricted: true });
        assert_eq!(key("sk_test_"), KeyPower { live: false, restricted: false });
    }

    #[test]
    fn the_permission_is_read_out_of_a_refusal() {
        let message = "The provided key 'rk_live_*1' does not have the required permissions. Having the \
                       'rak_dispute_read' permission would allow this request to continue.";
        assert!(slug(message).unwrap().starts_with("add rak_dispute_read to the restricted key"));
        assert_eq!(slug("no"), None);
    }

    #[test]
    fn only_a_stand_in_on_this_machine_is_asked_without_a_pace() {
        for address in ["http://127.0.0.1:8080", "http://[::1]:80/", "http://localhost:3"] {
            assert!(is_loopback(address), "{address}");
        }
        for address in [ADDRESS, "https://127.0.0.1.example", "https://proxy.example"] {
            assert!(!is_loopback(address), "{address}");
        }
    }
}
