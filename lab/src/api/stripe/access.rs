//! Who may ask what: keys, permissions and the rate.

use super::{Stripe, error};
use crate::api::{Ask, Reply};

/// The permission behind each address.
const PERMISSIONS: &[(&str, &str)] = &[
    ("/v1/account", "rak_accounts_kyc_basic_read"),
    ("/v1/charges", "rak_charge_read"),
    ("/v1/checkout/sessions", "rak_checkout_session_read"),
    ("/v1/disputes", "rak_dispute_read"),
    ("/v1/events", "rak_event_read"),
    ("/v1/payment_intents", "rak_payment_intent_read"),
    ("/v1/refunds", "rak_charge_read"),
    ("/v1/subscriptions", "rak_subscription_read"),
    ("/v1/webhook_endpoints", "rak_webhook_read"),
    ("/v2/core/event_destinations", "rak_event_destinations_read"),
];

impl Stripe {
    /// Lets a request in; whether it is one of live mode.
    pub(super) fn enter(&self, ask: &Ask<'_>) -> Result<bool, Reply> {
        let rate = self.account.requests_a_second;
        if rate > 0 && super::locked(&self.second).1 > rate {
            let message = "Request rate limit exceeded. Learn more about rate limits here \
                           https://stripe.com/docs/rate-limits.";
            let reply = error(429, "invalid_request_error", message, Some("rate_limit"), None);
            return Err(reply.with("stripe-rate-limited-reason", "global-rate"));
        }
        let Some(shown) = ask.bearer() else {
            let message = "You did not provide an API key. You need to provide your API key in the \
                           Authorization header, using Bearer auth.";
            return Err(error(401, "invalid_request_error", message, None, None));
        };
        let Some(key) = self.account.key.values().find(|key| key.key == shown) else {
            let start: String = shown.chars().take(8).collect();
            let message = format!("Invalid API Key provided: {start}****");
            return Err(error(401, "invalid_request_error", &message, None, None));
        };
        if ask.method != "GET" {
            let message = "This key may only read.";
            return Err(error(403, "invalid_request_error", message, None, None));
        }
        let needed = PERMISSIONS.iter().find(|(path, _)| ask.path.starts_with(path));
        if let (Some((path, slug)), Some(permissions)) = (needed, &key.permissions)
            && !permissions.iter().any(|permission| permission == slug)
        {
            let start: String = shown.chars().take(12).collect();
            let message = format!(
                "The provided key '{start}****' does not have the required permissions for this endpoint \
                 ({path}) on account '{}'. Having the '{slug}' permission would allow this request to \
                 continue.",
                self.account.id
            );
            return Err(error(403, "invalid_request_error", &message, None, None));
        }
        Ok(shown.contains("_live_"))
    }
}
