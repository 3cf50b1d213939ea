//! What the outside systems behind the accounts of a project answer.

use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use launchready::clock::Clock;
use launchready::config::{AccountSettings, parse};
use launchready::connect::database::bytes;
use launchready::connect::{CheckoutsFile, Reach, accounts};
use launchready_checks::probe::{
    Accounts, Automation, Crm, Depth, Desk, Edge, Email, EventFilter, Hosting, PaymentKey,
    Payments, Period, ProbeError, Slot, Supabase, SupabasePublic,
};

use super::files::Scratch;
use super::holds::ready;
use super::servers::is_short;
use super::world::{NEXT, Page, now, parts};

/// What no error and no answer may show.
const CREDENTIAL: &str = "sesame-0123456789-sesame";
/// Requests of one question after which it would never end.
const REQUESTS: usize = 5000;

/// Each connector by its tables of the config.
pub(super) const CONNECTORS: &[(&str, &str)] = &[
    ("attio", "[project.crm]\nkind = 'attio'\ntoken = { file = 'key' }"),
    ("cloudflare", "[project.edge]\nkind = 'cloudflare'\ntoken = { file = 'key' }"),
    (
        "freshdesk",
        "[project.support]\nkind = 'freshdesk'\nsubdomain = 'harbor'\ntoken = { file = 'key' }",
    ),
    ("front", "[project.support]\nkind = 'front'\ntoken = { file = 'key' }"),
    ("helpscout", "[project.support]\nkind = 'helpscout'\nuser = 'app'\ntoken = { file = 'key' }"),
    ("hubspot", "[project.crm]\nkind = 'hubspot'\ntoken = { file = 'key' }"),
    ("intercom", "[project.support]\nkind = 'intercom'\ntoken = { file = 'key' }"),
    (
        "make",
        "[project.automation]\nkind = 'make'\napi = 'https://eu1.make.com'\nteam = '215'\ntoken = { file = 'key' }",
    ),
    (
        "n8n",
        "[project.automation]\nkind = 'n8n'\napi = 'https://n8n.harbor.example'\ntoken = { file = 'key' }",
    ),
    ("netlify", "[project.hosting]\nkind = 'netlify'\nsite = '3970e0fe'\ntoken = { file = 'key' }"),
    ("pagespeed", "[project.pagespeed]\nkey = { file = 'key' }"),
    ("pipedrive", "[project.crm]\nkind = 'pipedrive'\ntoken = { file = 'key' }"),
    ("stripe", "[project.stripe]\nkey = { file = 'key' }"),
    (
        "supabase",
        "[project.supabase]\nref = 'abcdefghijklmnopqrst'\ntoken = { file = 'key' }\npublic_key = { file = 'key' }",
    ),
    (
        "vercel",
        "[project.hosting]\nkind = 'vercel'\nsite = 'harbor'\nteam = 'team_1'\ntoken = { file = 'key' }",
    ),
    ("zapier", "[project.automation]\nkind = 'zapier'\ntoken = { file = 'key' }"),
    (
        "zendesk",
        "[project.support]\nkind = 'zendesk'\nsubdomain = 'harbor'\nuser = 'ada@harbor.example'\ntoken = { file = 'key' }",
    ),
];

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| {
    let scratch = Scratch::new();
    scratch.write("key", CREDENTIAL.as_bytes());
    scratch
});

/// The settings of each connector.
static SETTINGS: LazyLock<Vec<AccountSettings>> = LazyLock::new(|| {
    let read = |(name, tables): &(&str, &str)| {
        let text = format!("[[project]]\nname = 'harbor'\ndomain = 'harbor.example'\n{tables}\n");
        let config =
            parse(&text, SCRATCH.folder()).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        config.projects.first().map(|project| AccountSettings::clone(&project.accounts)).unwrap()
    };
    CONNECTORS.iter().map(read).collect()
});

static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
});

/// A clock that stands still and is right, so that dates of answers are read too.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        now()
    }

    fn is_true(&self) -> bool {
        true
    }
}

/// Answers each request with the next page; what comes after the last is empty.
fn reach(pages: &[&[u8]]) -> Reach {
    let pages: Vec<Page> = pages.iter().map(|page| Page::read(page)).collect();
    let next = AtomicUsize::new(0);
    let answer = move |_request: reqwest::Request| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        assert!(number < REQUESTS, "a question that never ends");
        let page = pages.get(number).cloned().unwrap_or_else(|| Page::read(b"200\n\n{}"));
        let mut answer = hyper::Response::builder().status(page.status.max(200));
        for (name, value) in page.headers {
            answer = answer.header(name, value);
        }
        let answer = answer.body(page.body.to_vec());
        answer.map_or_else(|error| panic!("{error}"), reqwest::Response::from)
    };
    Reach { written: Some(Arc::new(answer)), ..Reach::new(CLIENT.clone(), Arc::new(Still)) }
}

type Told = Result<String, ProbeError>;

fn told<T: Debug>(answer: Result<T, ProbeError>) -> Told {
    answer.map(|answer| format!("{answer:?}"))
}

/// What a walk told, counted and shown.
fn walked<T: Debug, W: Debug>(
    walk: impl AsyncFnOnce(&mut (dyn FnMut(T) + Send)) -> Result<W, ProbeError>,
) -> Told {
    let mut shown = String::new();
    let mut visit = |one: T| _ = writeln!(shown, "{one:?}");
    let end = ready(walk(&mut visit))?;
    Ok(format!("{shown}{end:?}"))
}

fn period() -> Period {
    let since = Timestamp::from_second(now().as_second() - 14 * 86_400).unwrap_or(now());
    Period { since, until: Some(now()) }
}

fn payments(port: &dyn Payments, question: u8) -> Told {
    let id = || "pi_1".to_owned();
    match question % 18 {
        0 => told(ready(port.account())),
        1 => told(ready(port.destinations())),
        2 => {
            let filter = EventFilter { period: period(), types: Vec::new(), undelivered: true };
            walked(async |visit| port.events(filter, visit).await)
        }
        3 => walked(async |visit| port.sessions(period(), visit).await),
        4 => walked(async |visit| port.payments(period(), visit).await),
        5 => walked(async |visit| port.charges(period(), visit).await),
        6 => walked(async |visit| port.refunds(period(), visit).await),
        7 => walked(async |visit| port.disputes(period(), visit).await),
        8 => walked(async |visit| port.subscriptions(period(), visit).await),
        9 => told(ready(port.session(id()))),
        10 => told(ready(port.sessions_of(PaymentKey::Customer(id())))),
        11 => told(ready(port.payment(id()))),
        12 => told(ready(port.event(id()))),
        13 => told(ready(port.charge(id()))),
        14 => told(ready(port.refund(id()))),
        15 => told(ready(port.subscription(id()))),
        16 => told(ready(port.payments_of(id()))),
        _ => told(ready(port.reversals_of(id()))),
    }
}

fn desk(port: &dyn Desk, question: u8) -> Told {
    match question % 3 {
        0 => walked(async |visit| port.open(visit).await),
        1 => walked(async |visit| port.created(period(), visit).await),
        _ => told(ready(port.acknowledgements(vec!["1".to_owned(), "2".to_owned()]))),
    }
}

fn crm(port: &dyn Crm, question: u8) -> Told {
    let address = |text: &str| Email::new(text).unwrap_or_else(|| panic!("{text}"));
    let two = || vec![address("ada@harbor.example"), address("bo@harbor.example")];
    match question % 3 {
        0 => told(ready(port.contacts(two(), Depth::Any))),
        1 => told(ready(port.contacts(two(), Depth::All))),
        _ => told(ready(port.any())),
    }
}

fn automation(port: &dyn Automation, question: u8) -> Told {
    match question % 3 {
        0 => told(ready(port.flows())),
        1 => {
            let flows = vec!["1".to_owned(), "925".to_owned()];
            walked(async |visit| port.runs(flows, period().since, visit).await)
        }
        _ => told(ready(port.credentials())),
    }
}

fn supabase(port: &dyn Supabase, question: u8) -> Told {
    let end = now();
    let day = Period {
        since: Timestamp::from_second(end.as_second() - 3600).unwrap_or(end),
        until: Some(end),
    };
    match question % 11 {
        0 => told(ready(port.project())),
        1 => told(ready(port.health())),
        2 => told(ready(port.functions())),
        3 => told(ready(port.calls(day))),
        4 => told(ready(port.prints(day))),
        5 => told(ready(port.auth())),
        6 => told(ready(port.backups())),
        7 => told(ready(port.ssl_enforced())),
        8 => told(ready(port.exposed())),
        9 => told(ready(port.buckets())),
        _ => told(ready(port.catalogue())),
    }
}

fn public(port: &dyn SupabasePublic, question: u8) -> Told {
    match question % 4 {
        0 => told(ready(port.key_works())),
        1 => told(ready(port.table("public.orders".to_owned()))),
        2 => told(ready(port.buckets(vec!["avatars".to_owned()]))),
        _ => told(ready(port.names())),
    }
}

fn edge(port: &dyn Edge, question: u8) -> Told {
    match question % 2 {
        0 => told(ready(port.zone("harbor.example".to_owned()))),
        _ => told(ready(port.records("023e105f".to_owned()))),
    }
}

fn hosting(port: &dyn Hosting, question: u8) -> Told {
    match question % 2 {
        0 => told(ready(port.deployments(vec!["harbor.example".to_owned()]))),
        _ => told(ready(port.variables())),
    }
}

fn page() -> String {
    "https://harbor.example/".to_owned()
}

fn of<T: ?Sized>(slot: &Slot<T>, ask: impl FnOnce(&T) -> Told) -> Option<Told> {
    slot.optional().map(ask)
}

/// Asks the one port of a connector the question of this number; Supabase has two, and the later numbers are of
/// the public one.
pub(super) fn ask(ports: &Accounts, question: u8) -> Told {
    let public_first = question >= b'k';
    let answer = of(&ports.payments, |port| payments(port, question))
        .or_else(|| of(&ports.desk, |port| desk(port, question)))
        .or_else(|| of(&ports.crm, |port| crm(port, question)))
        .or_else(|| of(&ports.automation, |port| automation(port, question)))
        .or_else(|| of(&ports.edge, |port| edge(port, question)))
        .or_else(|| of(&ports.hosting, |port| hosting(port, question)))
        .or_else(|| of(&ports.speed, |port| told(ready(port.page(page())))))
        .or_else(|| {
            of(&ports.supabase_public, |port| public(port, question)).filter(|_| public_first)
        })
        .or_else(|| of(&ports.supabase, |port| supabase(port, question)));
    answer.unwrap_or_else(|| panic!("no port is configured: {ports:?}"))
}

/// The answers of one connector to one question: the first byte says of which, the second to which.
pub(super) fn connector(data: &[u8]) {
    let [which, question, rest @ ..] = data else { return };
    let Some(settings) = SETTINGS.get(usize::from(*which) % SETTINGS.len()) else { return };
    let pages = parts(rest, NEXT, 16);
    let ports: Accounts = accounts(settings, &reach(&pages));
    let name = CONNECTORS.get(usize::from(*which) % CONNECTORS.len()).map(|(name, _)| *name);
    match ask(&ports, *question) {
        Ok(told) => {
            assert!(!told.contains(CREDENTIAL), "{name:?} tells its credential");
            // Whatever was read is kept in a form that is as long as what came, and not many times longer.
            let most = 64 * 1024 + 40 * rest.len();
            assert!(told.len() <= most, "{name:?}: {} bytes of {}", told.len(), rest.len());
        }
        Err(error) => {
            assert!(!error.to_string().contains(CREDENTIAL), "{name:?} tells its credential");
            is_short(&error);
        }
    }
}

/// Checkouts of a file that the user names, in full and in brief.
pub(super) fn checkouts(data: &[u8]) {
    SCRATCH.write("checkouts.jsonl", data);
    let path = SCRATCH.folder().join("checkouts.jsonl");
    let file = CheckoutsFile::new(path);
    let brief = file.clone().brief();
    let read = |file: &CheckoutsFile| {
        let (mut ids, mut count) = (Vec::new(), 0_u64);
        let walked = ready(file.sessions(period(), &mut |session| {
            count += 1;
            ids.push((session.id, session.status, session.payment_status));
        }));
        (walked.map(|walked| (walked.entries, count)), ids)
    };
    let ((whole, ids), (short, short_ids)) = (read(&file), read(&brief));
    if let Ok((entries, count)) = whole {
        assert_eq!(entries, count);
        // What is read in brief is a part of what is read in full.
        assert!(short.is_ok(), "a checkout that is read in full and not in brief");
        assert_eq!(ids.len(), short_ids.len());
    }
    if let Err(error) = whole.map_err(|error| error.to_string()) {
        assert!(error.len() <= 2000, "an error of {} bytes", error.len());
    }
}

/// Addresses of databases, rows as they come, and statements of the user, one behind the other.
pub(super) fn database(data: &[u8]) {
    let parts = parts(data, NEXT, 8);
    let first = parts.first().copied().unwrap_or_default();
    let rest = parts.get(1..).unwrap_or_default();
    let address = String::from_utf8_lossy(first);
    let password = password(&address);
    match bytes::address(&address, &format!("{address}: no route")) {
        Err(error) => {
            is_short(&error);
            if let Some(password) = &password {
                assert!(
                    !error.to_string().contains(password.as_str()),
                    "an error tells a password"
                );
            }
        }
        Ok((_name, cleaned)) => assert!(cleaned.chars().count() <= 300),
    }
    let error = launchready::store::postgres::PostgresStore::check(&address, Path::new("/srv"));
    if let (Err(error), Some(password)) = (error, &password) {
        assert!(!error.to_string().contains(password.as_str()), "an error tells a password");
    }
    bytes::is_one_statement(&address);
    // Where the pieces are cut makes no difference.
    let whole = rest.concat();
    let (cut, at_once) = (bytes::rows(rest), bytes::rows(&[&whole]));
    assert_eq!(cut, at_once);
    for row in cut.into_iter().flatten() {
        let size: usize = row.iter().flatten().map(String::len).sum();
        assert!(size <= whole.len(), "more came out than went in");
    }
}

/// A password of an address that no error says for another reason.
fn password(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let password = url.password()?.to_owned();
    (password.len() >= 12 && password.bytes().all(|byte| byte.is_ascii_digit())).then_some(password)
}
