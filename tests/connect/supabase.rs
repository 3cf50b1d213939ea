//! Supabase: the management API, its logs and the project itself, well and with every fault.

use jiff::SignedDuration;
use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::probe::{
    Accounts, FunctionCalls, FunctionLogs, Period, ProbeError, PublicLook, Supabase,
    SupabasePublic, TokenPower,
};

use super::faults::{Case, Ends, Running, System, each_fault};

pub(crate) const TABLES: &str = r#"
[project.supabase]
ref = "abcdefghijklmnopqrst"
token = { file = "supabase.key" }
public_key = { file = "supabase-public.key" }
api = "lab:supabase"
url = "lab:supabase"

[secret]
"supabase.key" = "{{supabase_token}}"
"supabase-public.key" = "{{anon_jwt}}"

[api.supabase]
reference = "abcdefghijklmnopqrst"
public_keys = ["{{anon_jwt}}"]
status = "ACTIVE_HEALTHY"
region = "eu-central-1"
version = "17.4.1.074"
backups = 2
exposed = "public, graphql_public"
tokens = [
    { token = "{{supabase_token}}", permissions = ["*"] },
    { token = "{{supabase_full_token}}", permissions = ["project_admin_read"] },
]
service = { auth = "ACTIVE_HEALTHY", db = "ACTIVE_HEALTHY", rest = "ACTIVE_HEALTHY", storage = "ACTIVE_HEALTHY" }
auth = { site_url = "https://app.harbor.example", uri_allow_list = "https://a.example/**, https://b.example/**", external_email_enabled = true, smtp_host = "", mailer_otp_exp = 3600, rate_limit_verify = 30 }

[api.supabase.function.checkout]
id = "f1"
verify_jwt = true

[api.supabase.function.hook]
id = "f2"
verify_jwt = false

[api.supabase.traffic]
good = { function = "checkout", every = 60, status = 200, ms = 400 }
slow = { function = "checkout", every = 600, status = 200, ms = 2000 }
bad = { function = "checkout", every = 600, status = 500, ms = 90 }
hook = { function = "hook", every = 60, status = 204, ms = 30 }
says = { function = "checkout", every = 60, text = "session cs_1 made" }
json = { function = "checkout", every = 3600, text = "SyntaxError: Unexpected token '<', \"<html>\" is not valid JSON" }
leak = { function = "checkout", every = 7200, text = "key {{supabase_secret_key}} of buyer@shop.example" }

[api.supabase.table."public.listings"]
rls = false
rows = 212
columns = ["id uuid", "email text"]
grants = ["anon SELECT"]
[api.supabase.table."public.one"]
rls = false
rows = 1
columns = ["id uuid"]
grants = ["anon SELECT"]
[api.supabase.table."public.mine"]
rls = true
rows = 9
columns = ["id uuid"]
grants = ["anon SELECT"]
policy = [{ name = "own", command = "SELECT", roles = ["public"], using = "(auth.uid() = id)" }]
[api.supabase.table."public.closed"]
rls = true
columns = ["id uuid"]
[api.supabase.view."public.totals"]
columns = ["total bigint"]
grants = ["anon SELECT"]
reads = ["public.listings"]
rows = 1
[api.supabase.routine."public.wipe()"]
definer = true
callers = ["public"]

[api.supabase.bucket.invoices]
public = false
files = 12
listed = true
[api.supabase.bucket.pictures]
public = true
files = 3
"#;

/// What the API answers in its own words.
const OWN: &[Case] = &[
    (
        "a permission that is missing",
        "status = 403\nbody = '{\"message\":\"Your access token does not have the necessary permissions\"}'",
        Ends::Error(&["a permission is missing", "needs analytics_logs_read"]),
    ),
    (
        "an address that has changed",
        "status = 410",
        Ends::Error(&["the address of Supabase's logs has changed (410)"]),
    ),
    (
        "an error inside of 200",
        "status = 200\nbody = '{\"result\":null,\"error\":{\"message\":\"backend overloaded\"}}'",
        Ends::Error(&["answer with an error: backend overloaded"]),
    ),
    (
        "too many requests, told by its own header",
        "status = 429\nheaders = ['x-ratelimit-remaining: 0', 'x-ratelimit-reset: 45']",
        Ends::Error(&["rate-limited", "asks to wait 45 s"]),
    ),
    (
        "a row that repeats",
        "find = '\"status\":500'\nput = '\"status\":200'",
        Ends::Error(&["twice"]),
    ),
    ("a count that is none", "find = '\"n\":'\nput = '\"m\":'", Ends::Error(&["no count in n"])),
    ("counts as texts", "find = '\"status\":500'\nput = '\"status\":\"500\"'", Ends::Well),
    ("a column that is new", "find = '\"fn\":'\nput = '\"novel\":[1],\"fn\":'", Ends::Well),
    (
        "neither a result nor an error",
        "status = 200\nbody = '{}'",
        Ends::Error(&["neither a result nor an error"]),
    ),
];

fn supabase(accounts: &Accounts) -> &dyn Supabase {
    accounts.supabase.get().unwrap()
}

fn public(accounts: &Accounts) -> &dyn SupabasePublic {
    accounts.supabase_public.get().unwrap()
}

/// The hours until the last full one, so that the turn of a minute changes nothing.
fn last(hours: i64) -> Period {
    let now = SystemClock.now().as_second();
    let end = jiff::Timestamp::from_second(now - now.rem_euclid(3600)).unwrap();
    Period { since: end - SignedDuration::from_hours(hours), until: Some(end) }
}

fn statuses(logs: &FunctionLogs<FunctionCalls>, function: &str) -> Vec<(u16, u64)> {
    let one = logs.functions.iter().find(|one| one.function == function).unwrap();
    one.statuses.iter().map(|(status, times)| (*status, *times)).collect()
}

pub(crate) async fn calls(accounts: &Accounts) -> Result<String, ProbeError> {
    let logs = supabase(accounts).calls(last(10)).await?;
    if logs.functions.is_empty() {
        return Ok("no calls".to_owned());
    }
    Ok(format!("{:?} {:?}", statuses(&logs, "f1"), statuses(&logs, "f2")))
}

#[tokio::test]
async fn every_fault_of_the_logs_ends_in_the_answer_or_in_words_that_help() {
    let system = System { name: "supabase", vendor: "Supabase", tables: TABLES, own: OWN };
    each_fault(&system, calls).await;
}

#[tokio::test]
async fn every_fault_of_the_management_api_ends_in_the_answer_or_in_words_that_help() {
    let own: &[Case] = &[
        ("an unknown project", "status = 404", Ends::Error(&["Supabase knows no project"])),
        (
            "a status that is new",
            "find = 'ACTIVE_HEALTHY'\nput = 'NOVEL'",
            Ends::Error(&["Supabase says NOVEL"]),
        ),
        (
            "a field that is new",
            "find = '\"region\":'\nput = '\"novel\":{},\"region\":'",
            Ends::Well,
        ),
        (
            "a field that is gone",
            "find = '\"status\":'\nput = '\"s\":'",
            Ends::Error(&["another shape"]),
        ),
    ];
    let system = System { name: "supabase", vendor: "Supabase", tables: TABLES, own };
    each_fault(&system, async |accounts: &Accounts| {
        let project = supabase(accounts).project().await?;
        if project.status == "NOVEL" {
            // A word that is not known is handed on, and the check says that it does not know it.
            let what = "Supabase says NOVEL".to_owned();
            return Err(launchready_checks::probe::TargetFault::Malformed(what).into());
        }
        Ok(format!("{project:?}"))
    })
    .await;
}

#[tokio::test]
async fn the_logs_are_counted_as_the_plan_says() {
    let running = Running::start(TABLES).await;
    let supabase = supabase(&running.accounts);
    let logs = supabase.calls(last(10)).await.unwrap();
    assert_eq!(statuses(&logs, "f1"), [(200, 660), (500, 60)]);
    assert_eq!(statuses(&logs, "f2"), [(204, 600)]);
    let checkout = logs.functions.iter().find(|one| one.function == "f1").unwrap();
    assert_eq!((checkout.p95_ms, logs.cut), (Some(2000.0), false));
    let prints = supabase.prints(last(10)).await.unwrap();
    let one = &prints.functions[0];
    assert_eq!((one.lines, one.json_errors, one.secrets, one.addresses), (615, 10, 5, 5));
    running.lab.stop().await;
    // The other name of the column that holds the source.
    let renamed = TABLES.replace("backups = 2", "backups = 2\nsource_column = \"source_name\"");
    let running = Running::start(&renamed).await;
    assert_eq!(calls(&running.accounts).await.unwrap(), "[(200, 660), (500, 60)] [(204, 600)]");
    running.lab.stop().await;
}

#[tokio::test]
async fn settings_and_catalogue_are_read_without_a_secret() {
    let running = Running::start(TABLES).await;
    let supabase = supabase(&running.accounts);
    assert_eq!(supabase.token(), TokenPower::Scoped);
    let auth = supabase.auth().await.unwrap();
    assert_eq!(auth.redirects, ["https://a.example/**", "https://b.example/**"]);
    assert_eq!((auth.own_mail_server, auth.code_life_s), (Some(false), Some(3600)));
    assert_eq!(auth.limits.get("rate_limit_verify"), Some(&30));
    let backups = supabase.backups().await.unwrap();
    assert_eq!((backups.complete, backups.point_in_time), (2, false));
    assert!(SystemClock.now().duration_since(backups.latest.unwrap()).as_hours() < 24);
    assert!(!supabase.ssl_enforced().await.unwrap());
    assert_eq!(supabase.exposed().await.unwrap(), ["public", "graphql_public"]);
    assert_eq!(supabase.health().await.unwrap().len(), 4);
    assert_eq!(supabase.buckets().await.unwrap(), ["invoices", "pictures"]);
    let catalogue = supabase.catalogue().await.unwrap();
    let names: Vec<_> = catalogue.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["closed", "listings", "mine", "one"]);
    assert_eq!((catalogue.views.len(), catalogue.functions.len()), (1, 1));
    assert!(catalogue.roles.contains("anon"));
    running.lab.stop().await;
}

#[tokio::test]
async fn every_permission_that_is_missing_is_named() {
    let weak = TABLES.replace(
        "\"supabase.key\" = \"{{supabase_token}}\"",
        "\"supabase.key\" = \"{{supabase_full_token}}\"",
    );
    let running = Running::start(&weak).await;
    let supabase = supabase(&running.accounts);
    assert_eq!(supabase.token(), TokenPower::Full);
    let day = last(24);
    let told = [
        ("edge_functions_read", supabase.functions().await.unwrap_err()),
        ("analytics_logs_read", supabase.calls(day).await.unwrap_err()),
        ("analytics_logs_read", supabase.prints(day).await.unwrap_err()),
        ("auth_config_read", supabase.auth().await.unwrap_err()),
        ("backups_read", supabase.backups().await.unwrap_err()),
        ("database_ssl_config_read", supabase.ssl_enforced().await.unwrap_err()),
        ("data_api_config_read", supabase.exposed().await.unwrap_err()),
        ("storage_read", supabase.buckets().await.unwrap_err()),
        ("database_read", supabase.catalogue().await.unwrap_err()),
    ];
    for (permission, error) in told {
        assert!(error.to_string().contains(permission), "{error}");
    }
    assert!(supabase.project().await.is_ok());
    running.lab.stop().await;
}

#[tokio::test]
async fn the_public_key_sees_what_the_policies_let_it_see() {
    for key in ["{{anon_jwt}}", "{{supabase_publishable_key}}"] {
        let tables = TABLES
            .replace(
                "\"supabase-public.key\" = \"{{anon_jwt}}\"",
                &format!("\"supabase-public.key\" = \"{key}\""),
            )
            .replace("public_keys = [\"{{anon_jwt}}\"]", &format!("public_keys = [\"{key}\"]"));
        let running = Running::start(&tables).await;
        let public = public(&running.accounts);
        public.key_works().await.unwrap();
        for (table, wanted) in [
            ("public.listings", PublicLook::Rows { total: Some(212) }),
            ("listings", PublicLook::Rows { total: Some(212) }),
            ("public.one", PublicLook::Rows { total: Some(1) }),
            ("public.totals", PublicLook::Rows { total: Some(1) }),
            ("public.mine", PublicLook::Empty),
            ("public.closed", PublicLook::Denied),
            ("public.nowhere", PublicLook::Absent),
            ("private.listings", PublicLook::Absent),
            ("public...", PublicLook::Absent),
        ] {
            assert_eq!(public.table(table.to_owned()).await.unwrap(), wanted, "{table}");
        }
        assert!(public.buckets(Vec::new()).await.unwrap().is_empty());
        let known = vec!["invoices".to_owned(), "pictures".to_owned(), "gone".to_owned()];
        let listed: Vec<_> =
            public.buckets(known).await.unwrap().iter().map(|one| one.listed).collect();
        assert_eq!(listed, [true, false, false]);
        assert!(public.names().await.unwrap().refused);
        running.lab.stop().await;
    }
    let described = TABLES.replace("backups = 2", "backups = 2\ndescribed = true");
    let running = Running::start(&described).await;
    let names = public(&running.accounts).names().await.unwrap();
    assert_eq!(names.functions, ["wipe"]);
    assert!(names.tables.contains(&"listings".to_owned()) && !names.refused);
    running.lab.stop().await;
}

#[tokio::test]
async fn faults_of_the_project_say_nothing_about_its_tables() {
    let look = async |fault: &str| {
        let running = Running::start(&format!("{TABLES}\n[[api.supabase.fault]]\n{fault}\n")).await;
        let look = public(&running.accounts).table("public.listings".to_owned()).await;
        running.lab.stop().await;
        look
    };
    let refused = "path = '/rest/'\nstatus = 401\nbody = '{\"message\":\"Invalid API key\"}'";
    let error = look(refused).await.unwrap_err().to_string();
    assert!(error.contains("the credential was refused"), "{error}");
    let busy = look("path = '/rest/'\nstatus = 429\nheaders = ['retry-after: 90']").await;
    assert!(busy.unwrap_err().to_string().contains("rate-limited"));
    let broken = look("path = '/rest/'\nstatus = 503").await;
    assert!(broken.unwrap_err().to_string().contains("answers 503"));
    // Counting took too long for the first three tries, and looking without it did not.
    let counted = look("path = '/rest/'\nstatus = 500\nto = 3").await.unwrap();
    assert_eq!(counted, PublicLook::Rows { total: None });
    let odd = look("path = '/rest/'\nstatus = 418\nbody = '{\"code\":\"XX000\"}'").await.unwrap();
    assert_eq!(odd, PublicLook::Other { status: 418, code: Some("XX000".to_owned()) });
    let bare = look("path = '/rest/'\nstatus = 200\nbody = ''").await.unwrap();
    assert_eq!(bare, PublicLook::Other { status: 200, code: None });
}
