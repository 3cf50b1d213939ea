//! The tables of the shop.

use super::ShopPlan;

/// Takes all of them away.
pub(super) const DROP: &str = "DROP TABLE IF EXISTS crm_sync_log; DROP TABLE IF EXISTS orders; \
                               DROP TABLE IF EXISTS stripe_events; DROP TABLE IF EXISTS subscriptions; \
                               DROP TABLE IF EXISTS contact_forms;\n";

/// Makes them.
pub(super) fn create(plan: &ShopPlan) -> String {
    let two = !plan.duplicate_s.is_empty() || plan.no_unique;
    let session = if two { "" } else { " UNIQUE" };
    let event = if plan.no_unique { "" } else { " PRIMARY KEY" };
    let order = if plan.no_foreign_key { "" } else { " REFERENCES orders (id)" };
    format!(
        "CREATE TABLE orders (id TEXT PRIMARY KEY, stripe_session_id TEXT{session}, payment_intent_id TEXT, \
         stripe_subscription_id TEXT, stripe_customer_id TEXT, email TEXT, amount_total INTEGER NOT NULL, \
         currency TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL, crm_synced_at TEXT);\n\
         CREATE TABLE stripe_events (event_id TEXT{event}, type TEXT NOT NULL, status TEXT NOT NULL, \
         created TEXT NOT NULL, received_at TEXT NOT NULL, processed_at TEXT, error TEXT);\n\
         CREATE TABLE crm_sync_log (id INTEGER PRIMARY KEY, order_id TEXT{order}, status TEXT NOT NULL, \
         created_at TEXT NOT NULL, error TEXT);\n\
         CREATE TABLE subscriptions (id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, \
         created_at TEXT NOT NULL, current_period_end TEXT NOT NULL);\n\
         CREATE TABLE contact_forms (id TEXT PRIMARY KEY, created_at TEXT NOT NULL, email TEXT NOT NULL);\n\
         CREATE INDEX orders_created ON orders (created_at);\n\
         CREATE INDEX events_received ON stripe_events (received_at);\n\
         CREATE INDEX log_order ON crm_sync_log (order_id);\n"
    )
}
