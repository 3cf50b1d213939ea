//! Single objects of Stripe, and one page of what belongs to them.

use launchready_checks::probe::{
    Answer, Charge, Payment, ProbeError, Reversal, Reversals, Subscription, Trail,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Stripe;
use super::shapes::{ChargeShape, DisputeShape, IntentShape, RefundShape, SubscriptionShape};

/// One page; more is not asked for.
#[derive(Deserialize)]
struct OnePage<T> {
    data: Vec<T>,
}

impl Stripe {
    /// The newest entries of a list that belong to one object; none where the vendor knows no such object.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        list: &str,
        (name, id): (&str, &str),
    ) -> Result<Vec<T>, ProbeError> {
        let query = [("limit", "100"), (name, id)];
        let reply = self.api.any(reqwest::Method::GET, list, &query, None).await?;
        match reply.status {
            200 => Ok(reply.json::<OnePage<T>>(self.api.vendor())?.data),
            // An id of another account, or of none, is refused as a parameter and not as a page.
            400 | 404 if is_missing(&reply.json(self.api.vendor())?) => Ok(Vec::new()),
            _ => Err(self.api.refused(&reply)),
        }
    }
}

fn is_missing(body: &serde_json::Value) -> bool {
    body.pointer("/error/code").is_some_and(|code| code == "resource_missing")
}

impl Trail for Stripe {
    fn charge(&self, id: String) -> Answer<'_, Result<Option<Charge>, ProbeError>> {
        Box::pin(async move {
            let shape: Option<ChargeShape> = self.one("v1/charges", &id, &[]).await?;
            Ok(shape.map(ChargeShape::normal))
        })
    }

    fn refund(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        Box::pin(async move {
            let shape: Option<RefundShape> = self.one("v1/refunds", &id, &[]).await?;
            Ok(shape.map(RefundShape::normal))
        })
    }

    fn dispute(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        Box::pin(async move {
            let shape: Option<DisputeShape> = self.one("v1/disputes", &id, &[]).await?;
            Ok(shape.map(DisputeShape::normal))
        })
    }

    fn subscription(&self, id: String) -> Answer<'_, Result<Option<Subscription>, ProbeError>> {
        Box::pin(async move {
            let shape: Option<SubscriptionShape> = self.one("v1/subscriptions", &id, &[]).await?;
            Ok(shape.map(SubscriptionShape::normal))
        })
    }

    fn payments_of(&self, customer: String) -> Answer<'_, Result<Vec<Payment>, ProbeError>> {
        Box::pin(async move {
            let page: Vec<IntentShape> =
                self.page("v1/payment_intents", ("customer", &customer)).await?;
            Ok(page.into_iter().map(IntentShape::normal).collect())
        })
    }

    fn reversals_of(&self, payment: String) -> Answer<'_, Result<Reversals, ProbeError>> {
        Box::pin(async move {
            let by = ("payment_intent", payment.as_str());
            let refunds: Vec<RefundShape> = self.page("v1/refunds", by).await?;
            let disputes: Vec<DisputeShape> = self.page("v1/disputes", by).await?;
            Ok(Reversals {
                refunds: refunds.into_iter().map(RefundShape::normal).collect(),
                disputes: disputes.into_iter().map(DisputeShape::normal).collect(),
            })
        })
    }
}
