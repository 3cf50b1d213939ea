//! The rows of the table that stand alone: Supabase, Stripe, Cloudflare and `PageSpeed` Insights.

use launchready_checks::probe::{Accounts, Answer, ProbeError};

use super::matrix::{Cell, Connector};
use super::table::{AGAIN, NO_CURSOR, error, refused, same};
use super::{edge, pagespeed, stripe, supabase};

fn supabase_row(
    name: &'static str,
    scope: &'static str,
    ask: for<'a> fn(&'a Accounts) -> Answer<'a, Result<String, ProbeError>>,
    word: Cell,
    empty: Cell,
) -> Connector {
    Connector {
        name,
        file: "supabase",
        fake: "supabase",
        vendor: "supabase",
        tables: supabase::TABLES.to_owned(),
        ask,
        path: "/v1/",
        renew: "make a new one at",
        scope: refused("/v1/", scope),
        repeats: Cell::Never("one answer holds the whole list, and no further page is asked for"),
        loops: Cell::Never("one answer holds the whole list, and no further page is asked for"),
        word,
        empty,
    }
}

pub(crate) fn supabase_rows() -> Vec<Connector> {
    let (bare, _) = supabase::TABLES.split_once("[api.supabase.function.checkout]").unwrap();
    let logs = Connector {
        repeats: error("find = '\"status\":500'\nput = '\"status\":200'", &["twice"]),
        ..supabase_row(
            "supabase-logs",
            "analytics_logs_read",
            |accounts| Box::pin(supabase::calls(accounts)),
            same("find = '\"fn\":'\nput = '\"novel\":[1],\"fn\":'"),
            Cell::Tells(bare.to_owned(), "no calls"),
        )
    };
    let public = Connector {
        path: "",
        renew: "Settings → API Keys",
        scope: Cell::Never("a public key has no scopes: what it may see is what is asked"),
        ..supabase_row(
            "supabase-public",
            "",
            |accounts| {
                Box::pin(async {
                    let port = accounts.supabase_public.get().unwrap();
                    let table = port.table("public.listings".to_owned()).await?;
                    let buckets = port.buckets(vec!["invoices".to_owned()]).await?;
                    Ok(format!("{table:?} {}", buckets.len()))
                })
            },
            Cell::Never("it reads statuses, counts and names, and no word of a list"),
            Cell::Tells(supabase::TABLES.replace("rows = 212", "rows = 0"), "Empty 1"),
        )
    };
    vec![
        supabase_row(
            "supabase-functions",
            "edge_functions_read",
            |accounts| {
                Box::pin(async {
                    let all = accounts.supabase.get().unwrap().functions().await?;
                    Ok(format!("{:?}", all.iter().map(|one| one.verify_jwt).collect::<Vec<_>>()))
                })
            },
            same("find = '\"ACTIVE\"'\nput = '\"NOVEL\"'"),
            Cell::Tells(bare.to_owned(), "[]"),
        ),
        logs,
        supabase_row(
            "supabase-management",
            "project_admin_read",
            |accounts| {
                Box::pin(async {
                    let project = accounts.supabase.get().unwrap().project().await?;
                    Ok(format!("{project:?}"))
                })
            },
            same("find = '\"region\":'\nput = '\"novel\":\"word\",\"region\":'"),
            Cell::Never("a project is there or it is not, and there is no empty one"),
        ),
        supabase_row(
            "supabase-settings",
            "auth_config_read",
            |accounts| {
                Box::pin(async {
                    let auth = accounts.supabase.get().unwrap().auth().await?;
                    Ok(format!("{:?} {:?}", auth.redirects, auth.own_mail_server))
                })
            },
            same("find = '\"site_url\":'\nput = '\"novel\":\"word\",\"site_url\":'"),
            Cell::Never("a project always has settings, and an answer without any is malformed"),
        ),
        public,
    ]
}

pub(crate) fn stripe_row() -> Connector {
    let list = |says: &'static str| error("repeats = true", &["sends a page again", says]);
    let none = stripe::TABLES.replace("sales = { every_s = 3600, days = 40 }", "");
    Connector {
        name: "stripe",
        file: "stripe",
        fake: "stripe",
        vendor: "stripe",
        tables: stripe::TABLES.to_owned(),
        ask: |accounts| {
            Box::pin(async {
                let (walked, _) = stripe::events(accounts).await?;
                Ok(format!("{} {}", walked.entries > 2_000, walked.cut))
            })
        },
        path: "",
        renew: "https://dashboard.stripe.com/apikeys",
        scope: error(
            "status = 403\nbody = '''{\"error\":{\"message\":\"Having the 'rak_event_read' permission would allow this request to continue.\"}}'''",
            &["add rak_event_read to the restricted key", "grant the permission that is named"],
        ),
        repeats: list("run it again once it answers"),
        loops: error("from = 3\nrepeats = true", &["sends a page again"]),
        word: same(
            "find = '\"type\":\"checkout.session.completed\"'\nput = '\"type\":\"novel.word\"'",
        ),
        empty: Cell::Tells(none, "false false"),
    }
}

pub(crate) fn other_rows() -> [Connector; 2] {
    let records = "path = '/zones/023e105f4ecef8ad9ca31a8372d0c353/dns_records'";
    let (no_zone, _) = edge::TABLES.split_once("[api.cloudflare.zone").unwrap();
    let (no_page, _) = pagespeed::TABLES.split_once("[api.pagespeed.page").unwrap();
    let one = "one answer is one report, and there is no list";
    [
        Connector {
            name: "cloudflare",
            file: "cloudflare",
            fake: "cloudflare",
            vendor: "cloudflare",
            tables: edge::TABLES.to_owned(),
            ask: |accounts| Box::pin(edge::told(accounts)),
            path: "",
            renew: "https://dash.cloudflare.com",
            scope: error(
                format!(
                    "{records}\nstatus = 403\nbody = '{{\"success\":false,\"errors\":[{{\"code\":10000,\"message\":\"Authentication error\"}}]}}'"
                ),
                &["a permission is missing", "Zone → DNS → Read"],
            ),
            repeats: error(
                format!(
                    "{records}\nfind = '\"total_pages\":1'\nput = '\"total_pages\":9'\nrepeats = true"
                ),
                &[AGAIN],
            ),
            loops: Cell::Never(NO_CURSOR),
            word: same("find = '\"errors\":[]'\nput = '\"errors\":[],\"novel\":{}'"),
            empty: Cell::Tells(no_zone.to_owned(), "no zone"),
        },
        Connector {
            name: "pagespeed",
            file: "pagespeed",
            fake: "pagespeed",
            vendor: "pagespeed insights",
            tables: pagespeed::TABLES.to_owned(),
            ask: |accounts| {
                Box::pin(async {
                    let speed = pagespeed::measure(accounts, "").await?;
                    Ok(format!(
                        "{:?} {}",
                        speed.lab.map(|lab| lab.performance).ok(),
                        speed.field.is_some()
                    ))
                })
            },
            path: "",
            renew: "https://console.cloud.google.com/apis/credentials",
            scope: error(
                "status = 403\nbody = '{\"error\":{\"code\":403,\"message\":\"the API is disabled\"}}'",
                &["a permission is missing", "the API is disabled"],
            ),
            repeats: Cell::Never(one),
            loops: Cell::Never(one),
            word: same("find = '\"captchaResult\"'\nput = '\"novel\":\"word\",\"captchaResult\"'"),
            // A page that the service cannot load has no number.
            empty: Cell::Tells(no_page.to_owned(), "None false"),
        },
    ]
}
