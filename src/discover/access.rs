//! The systems that launchready reads: what to create there, the least that it has to be allowed, and
//! where to click. The one home of these sentences.
//!
//! The permissions are those that the connectors in `connect` ask for; the places are those of the
//! vendors' own pages.

use launchready_checks::stripe::RIGHTS;

/// What a system is to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Takes the money.
    Payments,
    /// Holds the product's data and signs people in.
    Backend,
    /// The product's own database.
    Database,
    /// Knows the customers.
    Crm,
    /// Answers the customers.
    Support,
    /// Moves data between the others.
    Automation,
    /// Stands in front of the site.
    Edge,
    /// Runs the site.
    Hosting,
    /// Measures pages in a browser.
    Speed,
}

impl Part {
    /// The name of the project's table, also in `not_used`.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Payments => "stripe",
            Self::Backend => "supabase",
            Self::Database => "database",
            Self::Crm => "crm",
            Self::Support => "support",
            Self::Automation => "automation",
            Self::Edge => "edge",
            Self::Hosting => "hosting",
            Self::Speed => "pagespeed",
        }
    }

    /// In words, as in “you use no …”.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Payments => "payments with Stripe",
            Self::Backend => "Supabase",
            Self::Database => "a database of your own",
            Self::Crm => "CRM",
            Self::Support => "help desk",
            Self::Automation => "automation service",
            Self::Edge => "edge network",
            Self::Hosting => "host",
            Self::Speed => "PageSpeed Insights",
        }
    }
}

/// One credential of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential {
    /// The key in the system's table.
    pub key: &'static str,
    /// What follows the project's name in the variable's name.
    pub suffix: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
}

/// How a system is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The word in `kind`, and by which the command line names it.
    pub word: &'static str,
    /// The vendor's name, as a founder knows it.
    pub title: &'static str,
    /// What it is to the product.
    pub part: Part,
    /// What has to be read, one for each key.
    pub credentials: &'static [Credential],
    /// Where to click, and what to create there.
    pub create: &'static str,
    /// The least permissions, by the names that the vendor shows.
    pub grant: &'static [&'static str],
    /// What not to hand over.
    pub never: &'static str,
    /// The checks that it unlocks, by the beginning of their ids.
    pub unlocks: &'static [&'static str],
}

const fn key(key: &'static str, suffix: &'static str, about: &'static str) -> Credential {
    Credential { key, suffix, about }
}

/// Every system that can be read, in the order in which a config names them.
pub const ACCESS: &[Access] = &[
    Access {
        word: "stripe",
        title: "Stripe",
        part: Part::Payments,
        credentials: &[key("key", "STRIPE_RESTRICTED_KEY", "restricted key, rk_live_…")],
        create: "https://dashboard.stripe.com/apikeys → Create restricted key, in live mode",
        grant: RIGHTS,
        never: "the secret key sk_live_…, which can move money",
        unlocks: &["stripe-", "orders-", "webhook-processing"],
    },
    Access {
        word: "supabase",
        title: "Supabase",
        part: Part::Backend,
        credentials: &[
            key("token", "SUPABASE_TOKEN", "scoped access token, sbp_…"),
            key("public_key", "SUPABASE_PUBLISHABLE_KEY", "the key that every browser is given"),
        ],
        create: "https://supabase.com/dashboard/account/tokens → a scoped token, for this project alone",
        grant: &[
            "project_admin_read",
            "analytics_logs_read",
            "edge_functions_read",
            "auth_config_read",
            "backups_read",
            "database_ssl_config_read",
            "data_api_config_read",
            "database_read",
            "storage_read",
        ],
        never: "the service_role key or an sb_secret_… key, which pass every policy",
        unlocks: &["supabase-"],
    },
    Access {
        word: "database",
        title: "Your database",
        part: Part::Database,
        credentials: &[key("url", "DATABASE_URL", "postgres://… of a user that only reads")],
        create: "As the owner of the database: CREATE ROLE launchready LOGIN PASSWORD '…'; \
                 GRANT USAGE ON SCHEMA public TO launchready",
        grant: &[
            "GRANT SELECT on the tables that [project.database] names, and on no other",
            "with row level security: a policy FOR SELECT TO launchready USING (true) on each of them",
        ],
        never: "the owner's or the postgres user's password: the user must not be able to write",
        unlocks: &["orders-", "webhook-processing", "crm-", "support-intake"],
    },
    Access {
        word: "hubspot",
        title: "HubSpot",
        part: Part::Crm,
        credentials: &[key("token", "HUBSPOT_TOKEN", "token of a private app")],
        create: "HubSpot → Settings → Integrations → Private Apps → Create a private app",
        grant: &["crm.objects.contacts.read"],
        never: "any write scope",
        unlocks: &["crm-"],
    },
    Access {
        word: "pipedrive",
        title: "Pipedrive",
        part: Part::Crm,
        credentials: &[key("token", "PIPEDRIVE_TOKEN", "API token")],
        create: "Pipedrive, signed in as a user of its own → Personal preferences → API",
        grant: &["a user whose permission set may see all people and change none"],
        never: "the token of an administrator: it may do whatever its user may do",
        unlocks: &["crm-"],
    },
    Access {
        word: "attio",
        title: "Attio",
        part: Part::Crm,
        credentials: &[key("token", "ATTIO_TOKEN", "access token")],
        create: "Attio → Workspace settings → Developers → Create an access token",
        grant: &["Records: Read", "Object configuration: Read"],
        never: "any permission to write",
        unlocks: &["crm-"],
    },
    Access {
        word: "zendesk",
        title: "Zendesk",
        part: Part::Support,
        credentials: &[key("token", "ZENDESK_TOKEN", "OAuth token, or an API token")],
        create: "Admin Center → Apps and integrations → APIs → OAuth clients → Add OAuth client, and a \
                 token of it; user is left out. Or → Zendesk API → Add API token; user is the address of \
                 an agent",
        grant: &[
            "for an OAuth token the scope read, by an agent who sees all tickets",
            "an API token may act as any agent, and Zendesk does not show what a token may do: prefer OAuth",
        ],
        never: "the scope write or impersonate",
        unlocks: &["support-"],
    },
    Access {
        word: "intercom",
        title: "Intercom",
        part: Part::Support,
        credentials: &[key("token", "INTERCOM_TOKEN", "access token of an app")],
        create: "https://app.intercom.com/a/apps/_/developer-hub → New app → Authentication",
        grant: &["Read conversations"],
        never: "Write conversations, or any other permission",
        unlocks: &["support-"],
    },
    Access {
        word: "freshdesk",
        title: "Freshdesk",
        part: Part::Support,
        credentials: &[key("token", "FRESHDESK_KEY", "API key of an agent")],
        create: "Freshdesk, signed in as an agent of its own → Profile settings → View API key",
        grant: &["a role that may view tickets and nothing else, with access to all tickets"],
        never: "the key of an administrator: it may do whatever its owner may do",
        unlocks: &["support-"],
    },
    Access {
        word: "helpscout",
        title: "Help Scout",
        part: Part::Support,
        credentials: &[key("token", "HELPSCOUT_APP_SECRET", "App Secret of an application")],
        create: "Help Scout → Your profile → My apps → Create my app; user is its App ID",
        grant: &["a user who sees every inbox and has the role User"],
        never: "an application of an owner or administrator",
        unlocks: &["support-"],
    },
    Access {
        word: "front",
        title: "Front",
        part: Part::Support,
        credentials: &[key("token", "FRONT_TOKEN", "API token")],
        create: "Front → Settings → Developers → API tokens → Create API token",
        grant: &["conversations:read"],
        never: "conversations:write or send",
        unlocks: &["support-"],
    },
    Access {
        word: "n8n",
        title: "n8n",
        part: Part::Automation,
        credentials: &[key("token", "N8N_API_KEY", "API key")],
        create: "n8n → Settings → n8n API → Create an API key; api is the address of your n8n",
        grant: &["workflow:list", "execution:list"],
        never: "any scope to create, update or delete",
        unlocks: &["automation-runs"],
    },
    Access {
        word: "make",
        title: "Make",
        part: Part::Automation,
        credentials: &[key("token", "MAKE_TOKEN", "API token")],
        create: "Make → Profile → API access → Add token; api is your zone, team the number in Make's \
                 address",
        grant: &["scenarios:read", "connections:read"],
        never: "any scope with write or run",
        unlocks: &["automation-runs"],
    },
    Access {
        word: "zapier",
        title: "Zapier",
        part: Part::Automation,
        credentials: &[key("token", "ZAPIER_TOKEN", "token of an OAuth application")],
        create: "https://developer.zapier.com → an application of your own, then sign in to it once",
        grant: &["zap", "zap:runs"],
        never: "any scope with write",
        unlocks: &["automation-runs"],
    },
    Access {
        word: "cloudflare",
        title: "Cloudflare",
        part: Part::Edge,
        credentials: &[key("token", "CLOUDFLARE_TOKEN", "API token")],
        create: "https://dash.cloudflare.com/profile/api-tokens → Create Token → Custom token, with this \
                 one zone under Zone Resources",
        grant: &["Zone: Read", "Zone Settings: Read", "DNS: Read"],
        never: "the Global API Key, or Edit on anything",
        unlocks: &["web-edge"],
    },
    Access {
        word: "vercel",
        title: "Vercel",
        part: Part::Hosting,
        credentials: &[key("token", "VERCEL_TOKEN", "access token")],
        create: "https://vercel.com/account/settings/tokens → Create, with the team that owns the project as its \
                 scope and a date on which it ends; site is the project's name",
        grant: &["the scope of the one team (Vercel has no token that only reads)"],
        never: "a token with Full Account as its scope",
        unlocks: &["ops-deployment"],
    },
    Access {
        word: "netlify",
        title: "Netlify",
        part: Part::Hosting,
        credentials: &[key("token", "NETLIFY_TOKEN", "personal access token")],
        create: "https://app.netlify.com/user/applications → New access token, with a date on which it \
                 ends; site is the site's id",
        grant: &["a user who sees this one site (Netlify has no token that only reads)"],
        never: "the token of an owner of the team",
        unlocks: &["ops-deployment"],
    },
    Access {
        word: "pagespeed",
        title: "PageSpeed Insights",
        part: Part::Speed,
        credentials: &[key("key", "PAGESPEED_KEY", "API key, which costs nothing")],
        create: "https://console.cloud.google.com/apis/credentials → Create credentials → API key, after \
                 “PageSpeed Insights API” is enabled",
        grant: &["API restrictions: PageSpeed Insights API alone"],
        never: "a key without a restriction",
        unlocks: &["web-speed"],
    },
];

/// The system of this word.
pub fn named(word: &str) -> Option<&'static Access> {
    ACCESS.iter().find(|access| access.word == word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use launchready_checks::registry;

    use super::*;

    #[test]
    fn every_system_says_what_to_create_and_what_it_unlocks() {
        let mut words = BTreeSet::new();
        let mut suffixes = BTreeSet::new();
        for access in ACCESS {
            assert!(words.insert(access.word), "{} is named twice", access.word);
            assert!(!access.grant.is_empty() && !access.create.is_empty(), "{}", access.word);
            for credential in access.credentials {
                assert!(suffixes.insert(credential.suffix), "{} is used twice", credential.suffix);
            }
            for start in access.unlocks {
                let some = registry::ALL.iter().any(|plugin| plugin.meta.id.starts_with(start));
                assert!(some, "{}: no check begins with {start}", access.word);
            }
            assert_eq!(named(access.word), Some(access));
        }
    }

    #[test]
    fn zendesk_is_told_as_its_page_tells_it() {
        let page = include_str!("../../docs/connectors/zendesk.md").to_lowercase();
        let grant = named("zendesk").unwrap().grant.join("; ");
        for words in [
            "an api token may act as any agent, and zendesk does not show",
            "prefer oauth",
            "scope",
        ] {
            assert!(page.contains(words), "the page lacks {words:?}");
            assert!(grant.to_lowercase().contains(words), "init lacks {words:?}");
        }
        let least = grant.split(';').next().unwrap();
        assert!(least.contains("OAuth") && !least.contains("API token"), "{least}");
    }
}
