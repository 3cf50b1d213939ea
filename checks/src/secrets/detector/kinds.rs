//! The kinds of keys that are known, and where each one is replaced.

/// What it means that a key of this kind lies open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The shape alone proves it: a prefix with its length, a checksum, or the role in a token.
    Live,
    /// It is known by the words around it only, so it may be something else.
    Weak,
    /// It opens a test mode without real money or customers.
    Test,
}

/// How a value of a kind is shown without giving it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Its public prefix and, where it is long, its last four characters.
    Token,
    /// Scheme and host, without user and password.
    Url,
    /// Its first line.
    Block,
}

/// One kind of key.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name in evidence and JSON lines, never renamed.
    pub id: &'static str,
    /// With its article, to stand in a sentence.
    pub title: &'static str,
    /// What it means that it lies open.
    pub class: Class,
    /// Where the owner replaces it, as an instruction without a full stop.
    pub replace: &'static str,
    pub(super) form: Form,
}

impl Kind {
    /// Whether the shape alone proves that the value is a key.
    pub const fn is_validating(&self) -> bool {
        !matches!(self.class, Class::Weak)
    }
}

macro_rules! kinds {
    ($($name:ident = $class:ident $form:ident $id:literal, $title:literal, $replace:literal;)*) => {
        $(pub(super) const $name: &Kind = &Kind {
            id: $id, title: $title, class: Class::$class, replace: $replace, form: Form::$form,
        };)*
        /// Every kind.
        pub const KINDS: &[&Kind] = &[$($name),*];
    };
}

kinds! {
    STRIPE_SECRET = Live Token "stripe_sk_live", "a live secret key of Stripe",
        "In the Stripe dashboard open Developers, API keys, and roll the secret key with immediate expiry";
    STRIPE_RESTRICTED = Live Token "stripe_rk_live", "a live restricted key of Stripe",
        "In the Stripe dashboard open Developers, API keys, Restricted keys, and roll this key with immediate expiry";
    STRIPE_SECRET_TEST = Test Token "stripe_sk_test", "a test secret key of Stripe",
        "In the Stripe dashboard switch to test mode, open Developers, API keys, and roll the secret key";
    STRIPE_RESTRICTED_TEST = Test Token "stripe_rk_test", "a test restricted key of Stripe",
        "In the Stripe dashboard switch to test mode, open Developers, API keys, and roll this key";
    WEBHOOK_SECRET = Live Token "stripe_whsec", "a webhook signing secret",
        "In the Stripe dashboard open Developers, Webhooks, the endpoint, and roll its signing secret";
    SUPABASE_SERVICE_ROLE = Live Token "supabase_service_role_jwt", "the service_role key of Supabase",
        "In the Supabase dashboard open Project Settings, API keys, create a secret key, move the servers to it and disable the legacy keys";
    SUPABASE_SECRET = Live Token "supabase_sb_secret", "a secret key of Supabase",
        "In the Supabase dashboard open Project Settings, API keys, create another secret key and delete this one";
    SUPABASE_ACCESS_TOKEN = Live Token "supabase_access_token", "a personal access token of Supabase",
        "In the Supabase dashboard open Account, Access Tokens, and delete this token";
    DATABASE_URL = Live Url "database_url", "a database address with its password",
        "Set another password for this database user";
    SERVICE_URL = Live Url "service_url", "a service address with its password",
        "Set another password for this user at the service";
    AWS_ACCESS_KEY_ID = Live Token "aws_access_key_id", "an access key id of AWS",
        "In the AWS console open IAM, the user, Security credentials, create another access key and deactivate this one";
    AWS_SECRET_ACCESS_KEY = Live Token "aws_secret_access_key", "a secret access key of AWS",
        "In the AWS console open IAM, the user, Security credentials, create another access key and deactivate this one";
    GITHUB_TOKEN = Live Token "github_token", "a token of GitHub",
        "On GitHub open Settings, Developer settings, Personal access tokens, and delete this token";
    GITHUB_FINE_GRAINED = Live Token "github_fine_grained_token", "a fine-grained token of GitHub",
        "On GitHub open Settings, Developer settings, Fine-grained tokens, and delete this token";
    GITLAB_TOKEN = Live Token "gitlab_token", "a token of GitLab",
        "On GitLab open Preferences, Access tokens, and revoke this token";
    NPM_TOKEN = Live Token "npm_token", "a token of npm",
        "On npmjs.com open Access Tokens and delete this token";
    SLACK_TOKEN = Live Token "slack_token", "a token of Slack",
        "At api.slack.com/apps open the app, OAuth & Permissions, and revoke its tokens";
    SLACK_WEBHOOK = Live Token "slack_webhook", "an incoming webhook of Slack",
        "At api.slack.com/apps open the app, Incoming Webhooks, and remove this address";
    DISCORD_WEBHOOK = Live Token "discord_webhook", "a webhook of Discord",
        "In the Discord server open Integrations, Webhooks, and delete this one";
    OPENAI_KEY = Live Token "openai_key", "a key of OpenAI",
        "At platform.openai.com/api-keys revoke this key";
    OPENAI_PROJECT_KEY = Weak Token "openai_project_key", "what looks like a project key of OpenAI",
        "At platform.openai.com/api-keys revoke this key";
    ANTHROPIC_KEY = Live Token "anthropic_key", "a key of Anthropic",
        "At console.anthropic.com open API keys and disable this key";
    OPENROUTER_KEY = Live Token "openrouter_key", "a key of OpenRouter",
        "At openrouter.ai open Keys and delete this key";
    GROQ_KEY = Live Token "groq_key", "a key of Groq",
        "At console.groq.com open API Keys and delete this key";
    PERPLEXITY_KEY = Live Token "perplexity_key", "a key of Perplexity",
        "In the Perplexity settings open API and delete this key";
    RESEND_KEY = Live Token "resend_key", "a key of Resend",
        "At resend.com open API Keys and delete this key";
    SENDGRID_KEY = Live Token "sendgrid_key", "a key of SendGrid",
        "At app.sendgrid.com open Settings, API Keys, and delete this key";
    POSTMARK_TOKEN = Weak Token "postmark_token", "what looks like a server token of Postmark",
        "In Postmark open the server, API Tokens, and generate another token";
    BREVO_KEY = Live Token "brevo_key", "a key of Brevo",
        "In Brevo open SMTP & API, API Keys, and delete this key";
    HUBSPOT_TOKEN = Live Token "hubspot_token", "an access token of a private app of HubSpot",
        "In HubSpot open Settings, Integrations, Private Apps, the app, Auth, and rotate the token";
    TWILIO_AUTH_TOKEN = Weak Token "twilio_auth_token", "what looks like an auth token of Twilio",
        "In the Twilio console open Account, API keys & tokens, create a secondary auth token and promote it";
    PRIVATE_KEY = Live Block "private_key", "a private key",
        "Create another key pair and withdraw the certificate or access that this one gives";
    ENCRYPTED_PRIVATE_KEY = Weak Block "encrypted_private_key", "a private key under a passphrase",
        "Create another key pair and withdraw the certificate or access that this one gives";
    GOOGLE_SERVICE_ACCOUNT = Live Block "google_service_account", "the private key of a Google service account",
        "In the Google Cloud console open IAM, Service Accounts, the account, Keys, and delete this key";
    GOOGLE_OAUTH_SECRET = Live Token "google_oauth_secret", "an OAuth client secret of Google",
        "In the Google Cloud console open APIs & Services, Credentials, the client, and reset its secret";
    MAPBOX_SECRET_TOKEN = Live Token "mapbox_secret_token", "a secret token of Mapbox",
        "At account.mapbox.com open Tokens and delete this token";
    SHOPIFY_TOKEN = Live Token "shopify_token", "an access token of Shopify",
        "In the Shopify admin open Settings, Apps, the app, and rotate its credentials";
    SENTRY_TOKEN = Live Token "sentry_token", "an auth token of Sentry",
        "At sentry.io open Settings, Auth Tokens, and revoke this token";
    DIGITALOCEAN_TOKEN = Live Token "digitalocean_token", "an access token of DigitalOcean",
        "In the DigitalOcean control panel open API, Tokens, and delete this token";
}

/// The kind of this name.
pub fn kind(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id).copied()
}
