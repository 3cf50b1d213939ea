//! The handbook pages of the accounts that launchready reads, one for each outside system.

use super::Entry;

/// Name, title and text of each, by name.
pub(super) const ACCOUNTS: [Entry; 17] = [
    ("attio", "Attio: CRM", include_str!("../../docs/connectors/attio.md")),
    ("cloudflare", "Cloudflare: edge", include_str!("../../docs/connectors/cloudflare.md")),
    ("freshdesk", "Freshdesk: help desk", include_str!("../../docs/connectors/freshdesk.md")),
    ("front", "Front: help desk", include_str!("../../docs/connectors/front.md")),
    ("helpscout", "Help Scout: help desk", include_str!("../../docs/connectors/helpscout.md")),
    ("hubspot", "HubSpot: CRM", include_str!("../../docs/connectors/hubspot.md")),
    ("intercom", "Intercom: help desk", include_str!("../../docs/connectors/intercom.md")),
    ("make", "Make: automations", include_str!("../../docs/connectors/make.md")),
    ("n8n", "n8n: automations", include_str!("../../docs/connectors/n8n.md")),
    ("netlify", "Netlify: hosting", include_str!("../../docs/connectors/netlify.md")),
    ("pagespeed", "PageSpeed Insights: speed", include_str!("../../docs/connectors/pagespeed.md")),
    ("pipedrive", "Pipedrive: CRM", include_str!("../../docs/connectors/pipedrive.md")),
    ("stripe", "Stripe: payments", include_str!("../../docs/connectors/stripe.md")),
    (
        "supabase",
        "Supabase: database and functions",
        include_str!("../../docs/connectors/supabase.md"),
    ),
    ("vercel", "Vercel: hosting", include_str!("../../docs/connectors/vercel.md")),
    ("zapier", "Zapier: automations", include_str!("../../docs/connectors/zapier.md")),
    ("zendesk", "Zendesk: help desk", include_str!("../../docs/connectors/zendesk.md")),
];
