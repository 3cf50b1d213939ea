//! `supabase-settings`: see `settings.md`.

mod judge;
mod redirects;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx, Schedule,
    Target, Vantage,
};
use crate::probe::{
    AuthSettings, Backups, Probes, Seen, ServiceHealth, SupabaseProject, TokenPower,
};

const DOWN: FindingSpec = FindingSpec::critical(
    "supabase-project-down",
    "The Supabase project is paused or does not serve",
    "Nobody can sign in, read or pay: everything that the product keeps is out of reach.",
)
.now();
const UNHEALTHY: FindingSpec = FindingSpec::critical(
    "supabase-service-unhealthy",
    "A service of the Supabase project is unhealthy",
    "What needs the service fails for every customer: sign-in, data or files.",
)
.now();
const SITE_URL: FindingSpec = FindingSpec::critical(
    "auth-site-url-local",
    "Links in sign-in mails lead to localhost",
    "Whoever confirms an address or resets a password lands on their own machine, where nothing answers, \
     and cannot sign in.",
);
const REDIRECT_BARE: FindingSpec = FindingSpec::warning(
    "auth-redirect-anywhere",
    "A sign-in may lead to any site",
    "An attacker sends a sign-in link of yours that hands the customer's session over to a page of theirs.",
);
const REDIRECT_SCOPED: FindingSpec = FindingSpec::info(
    "auth-redirect-wildcard",
    "A sign-in may lead to preview addresses",
    "That is how previews work; a preview of an old branch can then take sessions of real customers.",
);
const MAIL: FindingSpec = FindingSpec::critical(
    "auth-default-mail",
    "Sign-in mails go through the test mail server of Supabase",
    "It sends two mails an hour, and only to members of the team: customers wait for a link that never \
     comes.",
);
const NO_BACKUP: FindingSpec = FindingSpec::warning(
    "supabase-backup-missing",
    "There is no recent backup of the database",
    "A mistaken deletion or a broken migration takes orders and customers with it for good.",
);
const CODE_LIFE: FindingSpec = FindingSpec::warning(
    "auth-code-lives-long",
    "Codes and links in sign-in mails stay valid for too long",
    "Whoever finds the mail later, in a shared mailbox or an archive, can still sign in with it.",
);
const LIMITS: FindingSpec = FindingSpec::warning(
    "auth-limits-raised",
    "Rate limits of sign-in are raised",
    "The limits are what keeps a script from trying codes until one fits and from sending mails and texts \
     at your cost.",
);
const TOKEN: FindingSpec = FindingSpec::warning(
    "supabase-token-full",
    "The token of launchready may do everything",
    "Whoever reads this machine can delete every project of the account. Reading needs a scoped token only.",
)
.noted();
const SSL: FindingSpec = FindingSpec::info(
    "supabase-ssl-optional",
    "The database takes connections without encryption",
    "A server or tool that connects without it sends passwords and rows in clear text.",
);
const LEAKED: FindingSpec = FindingSpec::info(
    "auth-leaked-passwords-allowed",
    "Passwords are not compared with those that have leaked",
    "Accounts with a password from another site's breach are taken over first.",
);

/// The most entries of the redirect list that evidence keeps.
const REDIRECTS: usize = 100;
/// The most characters of one text of the provider.
const TEXT: usize = 200;

/// How a Supabase project is set.
#[derive(Debug)]
pub struct Settings;

/// Thresholds of `supabase-settings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning when codes and links in mails are valid for longer.
    pub code_life: Age,
    /// Warning when the newest backup is older, and no point in time can be restored.
    pub backup_age: Age,
    /// Warning when a limit is above this; by Supabase's own names, with its defaults.
    pub limits: BTreeMap<String, u64>,
}

impl Default for Options {
    fn default() -> Self {
        let limits = [
            "rate_limit_anonymous_users",
            "rate_limit_otp",
            "rate_limit_sms_sent",
            "rate_limit_verify",
        ];
        Self {
            code_life: Age::secs(3600),
            backup_age: Age::hours(48),
            limits: limits.into_iter().map(|name| (name.to_owned(), 30)).collect(),
        }
    }
}

/// The state and the settings of the project.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    token: TokenPower,
    project: SupabaseProject,
    /// The rest; absent where the project is paused and answers nothing.
    rest: Option<Rest>,
}

/// What only a project that runs tells.
#[derive(Debug, Serialize, Deserialize)]
struct Rest {
    health: Seen<Vec<ServiceHealth>>,
    auth: Seen<AuthSettings>,
    backups: Seen<Backups>,
    ssl: Seen<bool>,
}

impl Check for Settings {
    const META: CheckMeta = CheckMeta {
        id: "supabase-settings",
        area: Area::Supabase,
        title: "Supabase project and sign-in",
        vantage: Vantage::Provider,
        findings: &[
            DOWN,
            UNHEALTHY,
            SITE_URL,
            REDIRECT_BARE,
            REDIRECT_SCOPED,
            MAIL,
            NO_BACKUP,
            CODE_LIFE,
            LIMITS,
            TOKEN,
            SSL,
            LEAKED,
        ],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(1),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("settings.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let supabase = probes.accounts.supabase.get()?;
        let project = supabase.project().await.map_err(CheckError::unseen)?;
        let rest = if judge::is_paused(&project.status) {
            None
        } else {
            let (health, auth, backups, ssl) = join!(
                supabase.health(),
                supabase.auth(),
                supabase.backups(),
                supabase.ssl_enforced()
            );
            Some(Rest {
                health: health.into(),
                auth: Seen::from(auth).map(bounded),
                backups: backups.into(),
                ssl: ssl.into(),
            })
        };
        Ok((Evidence { token: supabase.token(), project, rest }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}

/// Settings whose texts and lists have a limit.
fn bounded(auth: AuthSettings) -> AuthSettings {
    let short = |text: String| text.chars().take(TEXT).collect::<String>();
    AuthSettings {
        site_url: auth.site_url.map(short),
        redirects: auth.redirects.into_iter().take(REDIRECTS).map(short).collect(),
        ..auth
    }
}
