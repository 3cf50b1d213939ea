//! The rows of the table: each connector with its world, its question, and the cells that are its own.

use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::probe::{Accounts, Answer, Depth, Email, ProbeError};

use super::matrix::{Cell, Connector};
use super::table_own::{other_rows, stripe_row, supabase_rows};
use super::{automation, hosting};

pub(crate) const AGAIN: &str = "so the list never ends";
pub(crate) const NO_CURSOR: &str = "its pages are counted, and there is no cursor to follow";

pub(crate) fn error(lines: impl Into<String>, says: &[&'static str]) -> Cell {
    Cell::Error(lines.into(), says.to_vec())
}

pub(crate) fn same(lines: &str) -> Cell {
    Cell::Same(lines.to_owned())
}

pub(crate) fn refused(path: &str, says: &'static str) -> Cell {
    error(
        format!("path = '{path}'\nstatus = 403\nbody = '{{}}'"),
        &["a permission is missing", says],
    )
}

fn repeats(path: &str, from: u32) -> Cell {
    error(format!("path = '{path}'\nfrom = {from}\nrepeats = true"), &[AGAIN])
}

/// How many wait and how many the desk counts.
fn desk(accounts: &Accounts) -> Answer<'_, Result<String, ProbeError>> {
    Box::pin(async {
        let (mut all, mut waiting) = (0_u32, 0_u32);
        let mut visit = |one: launchready_checks::probe::Conversation| {
            all += 1;
            waiting += u32::from(one.waiting_since.is_some());
        };
        let listed = accounts.desk.get().unwrap().open(&mut visit).await?;
        // A request more may come between two worlds: whether there are many is what counts.
        let told = listed.total.map(|total| total > 550);
        Ok(format!("{} {} {told:?} {}", all > 550, waiting > 450, listed.walked.cut))
    })
}

fn desk_row(
    name: &'static str,
    project: &str,
    api: &str,
    (list, from): (&'static str, u32),
    word: (&str, &str),
) -> Connector {
    let traffic = "every_s = 300\nanswered_s = 180000\nsolved_s = 180000\ndays = 3\n";
    let tables = format!(
        "[project.support]\nkind = \"{name}\"\n{project}token = {{ file = \"desk.key\" }}\napi = \"lab:{name}\"\n\
         [secret]\n\"desk.key\" = \"sesame\"\n[api.{name}]\n{api}[api.{name}.traffic]\n{traffic}"
    );
    let counts = name != "front";
    let none = if counts { "false false Some(false) false" } else { "false false None false" };
    Connector {
        name,
        file: name,
        fake: name,
        vendor: name,
        ask: desk,
        path: "",
        renew: "make a new one at",
        scope: refused(list, "grant the permission that is named"),
        repeats: repeats(list, from),
        loops: match name {
            // The second page leads to itself.
            "intercom" | "front" => repeats(list, from + 1),
            _ => Cell::Never(NO_CURSOR),
        },
        word: Cell::Same(format!("find = '{}'\nput = '{}'", word.0, word.1)),
        empty: Cell::Tells(tables.replace("every_s = 300", "every_s = 0"), none),
        tables,
    }
}

/// Whether the buyer of an hour ago is one contact, and whether there is any contact.
fn crm(accounts: &Accounts) -> Answer<'_, Result<String, ProbeError>> {
    Box::pin(async {
        let crm = accounts.crm.get().unwrap();
        let number = SystemClock.now().as_second() / 1_200 - 3;
        let email = Email::new(&format!("buyer{number}@customers.example")).unwrap();
        let found = crm.contacts(vec![email], Depth::All).await?;
        Ok(format!(
            "{:?} {}",
            found.iter().map(|one| one.ids.len()).collect::<Vec<_>>(),
            crm.any().await?
        ))
    })
}

fn crm_row(name: &'static str, list: &'static str, scope: &'static str) -> Connector {
    let tables = format!(
        "[project.crm]\nkind = \"{name}\"\ntoken = {{ file = \"crm.key\" }}\napi = \"lab:{name}\"\n\
         [secret]\n\"crm.key\" = \"sesame\"\n[api.{name}]\ntoken = \"sesame\"\n"
    );
    let one_page = "one answer holds every contact of an address, and no further page is asked for";
    let first = "path = '/api/v2/persons/search'\nfind = '\"next_cursor\":null'\nput = '\"next_cursor\":\"lab0\"'";
    Connector {
        name,
        file: name,
        fake: name,
        vendor: name,
        ask: crm,
        path: "",
        renew: "make a new one at",
        scope: refused(list, scope),
        repeats: match name {
            "pipedrive" => error(first, &[AGAIN]),
            _ => Cell::Never(one_page),
        },
        loops: match name {
            // The cursor of the first page leads to the first page.
            "pipedrive" => error(first, &[AGAIN]),
            _ => Cell::Never(one_page),
        },
        word: match name {
            "hubspot" => same("find = '\"status\":\"COMPLETE\"'\nput = '\"status\":\"NOVEL\"'"),
            "pipedrive" => same("find = '\"type\":\"person\"'\nput = '\"type\":\"novel\"'"),
            _ => same("find = '\"data\":'\nput = '\"novel\":\"word\",\"data\":'"),
        },
        empty: Cell::Tells(format!("{tables}[api.{name}.customers]\nevery_s = 0\n"), "[0] false"),
        tables,
    }
}

fn flows(accounts: &Accounts) -> Answer<'_, Result<String, ProbeError>> {
    Box::pin(automation::told(accounts, 300))
}

fn automation_row(
    name: &'static str,
    tables: &str,
    (list, scope): (&str, &'static str),
    loops: Cell,
    word: Cell,
) -> Connector {
    let (head, _) = tables.split_once(&format!("[api.{name}.flow.")).unwrap();
    Connector {
        name,
        file: name,
        fake: name,
        vendor: name,
        tables: tables.to_owned(),
        ask: flows,
        path: "",
        renew: "make a new one at",
        scope: refused(list, scope),
        // The list of scenarios and the log of one begin alike.
        repeats: repeats(if name == "make" { "/api/v2/scenarios/925/logs" } else { list }, 1),
        loops,
        word,
        empty: Cell::Tells(head.to_owned(), "[] false false"),
    }
}

fn hosting_row(
    name: &'static str,
    own: &str,
    scope: &'static str,
    words: (&str, &str),
) -> Connector {
    let newest = "the newest twenty are asked for, and no further page";
    let tables = format!("{own}{}", hosting::SITE);
    Connector {
        name,
        file: name,
        fake: name,
        vendor: name,
        ask: |accounts| {
            Box::pin(async {
                let port = accounts.hosting.get().unwrap();
                let found = port.deployments(vec!["harbor.example".to_owned()]).await?;
                let live = found.live.map(|live| live.commit);
                let variables = port.variables().await?.len();
                Ok(format!("{live:?} {} {} {variables}", found.recent.len(), found.at.len()))
            })
        },
        path: "",
        renew: "make a new one at",
        scope: refused("", scope),
        repeats: Cell::Never(newest),
        loops: Cell::Never(newest),
        word: Cell::Same(format!("find = '{}'\nput = '{}'", words.0, words.1)),
        // No build is live, and none is made up.
        empty: Cell::Tells(own.replace("variables", "# variables"), "None 0 0 0"),
        tables,
    }
}

/// Every row, by name.
pub(crate) fn all() -> Vec<Connector> {
    let [cloudflare, pagespeed] = other_rows();
    let mut all = vec![
        crm_row("attio", "/v2/objects/people", "record_permission:read"),
        cloudflare,
        desk_row(
            "freshdesk",
            "subdomain = \"harbor\"\n",
            "key = \"sesame\"\n",
            ("/api/v2/tickets", 1),
            ("\"source\":1", "\"source\":77"),
        ),
        desk_row(
            "front",
            "",
            "token = \"sesame\"\n",
            ("/conversations", 1),
            ("\"status_category\":\"open\"", "\"status_category\":\"ajar\""),
        ),
        Connector {
            vendor: "help scout",
            ..desk_row(
                "helpscout",
                "user = \"app\"\n",
                "id = \"app\"\nsecret = \"sesame\"\ntoken = \"granted\"\n",
                ("/v2/conversations", 1),
                ("\"via\":\"customer\"", "\"via\":\"pigeon\""),
            )
        },
        Connector {
            scope: error(
                "status = 403\nbody = '{\"category\":\"MISSING_SCOPES\",\"errors\":[{\"context\":{\"requiredGranularScopes\":[\"crm.objects.contacts.read\"]}}]}'",
                &["a permission is missing", "crm.objects.contacts.read"],
            ),
            ..crm_row("hubspot", "", "")
        },
        desk_row(
            "intercom",
            "",
            "token = \"sesame\"\n",
            ("/conversations", 1),
            ("customer_initiated", "carrier_pigeon"),
        ),
        automation_row(
            "make",
            automation::MAKE,
            ("/api/v2/scenarios", "scenarios:read"),
            Cell::Never(NO_CURSOR),
            same("find = '\"type\":\"auto\"'\nput = '\"type\":\"novel\"'"),
        ),
        automation_row(
            "n8n",
            automation::N8N,
            ("/api/v1/executions", "execution:list"),
            repeats("/api/v1/executions", 3),
            same("find = '\"status\":\"success\"'\nput = '\"status\":\"evaluating\"'"),
        ),
        hosting_row(
            "netlify",
            hosting::NETLIFY,
            "join the team of the site",
            ("\"state\":", "\"novel\":\"word\",\"state\":"),
        ),
        pagespeed,
        crm_row("pipedrive", "/api/v2/persons", "contacts:read and search:read"),
        stripe_row(),
    ];
    all.extend(supabase_rows());
    all.extend([
        hosting_row("vercel", hosting::VERCEL, "project.hosting.team", ("\"READY\"", "\"NOVEL\"")),
        automation_row(
            "zapier",
            automation::ZAPIER,
            ("/v2/zap-runs", "zap:runs"),
            Cell::Never(NO_CURSOR),
            same("find = '\"status\":\"success\"'\nput = '\"status\":\"novel\"'"),
        ),
        desk_row(
            "zendesk",
            "user = \"a@harbor.example\"\n",
            "user = \"a@harbor.example\"\ntoken = \"sesame\"\n",
            ("/api/v2/search", 2),
            ("\"priority\":\"normal\"", "\"priority\":\"somewhat\""),
        ),
    ]);
    all
}
