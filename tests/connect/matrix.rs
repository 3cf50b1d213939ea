//! Every connector against everything that goes wrong: each cell is tried, or says why it cannot happen.
//!
//! A connector that is missing in the table, and a file of `src/connect` that nobody has named, fail here.

use std::collections::BTreeSet;
use std::path::Path;

use launchready_checks::contract::CheckError;
use launchready_checks::probe::{Accounts, Answer, ProbeError};

use super::faults::Running;
use super::table;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    WrongKey,
    MissingScope,
    LimitWithWait,
    LimitWithoutWait,
    LimitForAMoment,
    Broken,
    BrokenForAMoment,
    PageRepeats,
    CursorLoops,
    Truncated,
    NothingInside,
    Null,
    NewWord,
    ClockAhead,
    ClockBehind,
    Empty,
}

impl Fault {
    const ALL: [Self; 16] = [
        Self::WrongKey,
        Self::MissingScope,
        Self::LimitWithWait,
        Self::LimitWithoutWait,
        Self::LimitForAMoment,
        Self::Broken,
        Self::BrokenForAMoment,
        Self::PageRepeats,
        Self::CursorLoops,
        Self::Truncated,
        Self::NothingInside,
        Self::Null,
        Self::NewWord,
        Self::ClockAhead,
        Self::ClockBehind,
        Self::Empty,
    ];
}

/// One connector under one fault.
#[derive(Debug)]
pub(crate) enum Cell {
    /// These lines of `[[api.NAME.fault]]` end in an error that says each of these, the step included.
    Error(String, Vec<&'static str>),
    /// With these lines it tells what it tells without them.
    Same(String),
    /// In this world, which has no fault, it tells this.
    Tells(String, &'static str),
    /// It cannot happen, and why.
    Never(&'static str),
}

/// A connector, what it is asked, and the cells that are its own.
pub(crate) struct Connector {
    /// Its name, and the file or folder of `src/connect` that holds it.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    /// The name of its fake, and the tables of its world.
    pub(crate) fake: &'static str,
    pub(crate) tables: String,
    /// How errors name it, in small letters.
    pub(crate) vendor: &'static str,
    pub(crate) ask: for<'a> fn(&'a Accounts) -> Answer<'a, Result<String, ProbeError>>,
    /// Only paths that begin so are made to fail, where the first question proves nothing.
    pub(crate) path: &'static str,
    /// Where a new credential is made.
    pub(crate) renew: &'static str,
    pub(crate) scope: Cell,
    pub(crate) repeats: Cell,
    pub(crate) loops: Cell,
    pub(crate) word: Cell,
    pub(crate) empty: Cell,
}

/// The cell as lines of a fault, for one connector.
fn cell(of: Connector, fault: Fault) -> Cell {
    let path = of.path;
    let lines = |lines: &str| format!("path = '{path}'\n{lines}");
    let error = |text: &str, says: &[&'static str]| Cell::Error(lines(text), says.to_vec());
    let again = "run it again once it answers";
    match fault {
        Fault::WrongKey => {
            error("status = 401\nbody = '{}'", &["the credential was refused", of.renew])
        }
        Fault::MissingScope => of.scope,
        Fault::LimitWithWait => error(
            "status = 429\nheaders = ['retry-after: 900']",
            &["rate-limited", "asks to wait 900 s", "wait, then run it again"],
        ),
        Fault::LimitWithoutWait => {
            error("status = 429", &["rate-limited", "answers 429", "wait, then run it again"])
        }
        Fault::LimitForAMoment => {
            Cell::Same(lines("status = 429\nheaders = ['retry-after: 0']\nto = 1"))
        }
        Fault::Broken => error("status = 500\nbody = '<h1>oops</h1>'", &["answers 500", again]),
        Fault::BrokenForAMoment => Cell::Same(lines("status = 503\nto = 1")),
        Fault::PageRepeats => of.repeats,
        Fault::CursorLoops => of.loops,
        // The shortest answer of all is `[]`.
        Fault::Truncated => error("cut = 1", &["JSON of another shape", again]),
        Fault::NothingInside => error("status = 200\nbody = '{}'", &["malformed answer", again]),
        Fault::Null => error("status = 200\nbody = 'null'", &["malformed answer", again]),
        Fault::NewWord => of.word,
        Fault::ClockAhead => error(
            "clock = 600",
            &["the clock of this machine is", "behind that of", "set the clock of this machine"],
        ),
        Fault::ClockBehind => error(
            "clock = -600",
            &["the clock of this machine is", "ahead of that of", "set the clock of this machine"],
        ),
        Fault::Empty => of.empty,
    }
}

/// What it tells in a world, and how many answers a fault has changed.
async fn told(connector: &Connector, tables: &str) -> (Result<String, ProbeError>, u64) {
    let running = Running::start(tables).await;
    let answer = (connector.ask)(&running.accounts).await;
    let spoiled = running.lab.asked()[connector.fake].spoiled;
    running.lab.stop().await;
    (answer, spoiled)
}

/// Tries each cell of one connector.
pub(crate) async fn each_cell(name: &str) {
    let find = || table::all().into_iter().find(|one| one.name == name).unwrap();
    let connector = find();
    let (wanted, _) = told(&connector, &connector.tables).await;
    let wanted = wanted.unwrap();
    let mut wrong = Vec::new();
    for fault in Fault::ALL {
        let cell = cell(find(), fault);
        let with = |lines: &str| {
            format!("{}\n[[api.{}.fault]]\n{lines}\n", connector.tables, connector.fake)
        };
        match &cell {
            Cell::Never(why) => assert!(why.len() > 20, "{fault:?}: {why}"),
            Cell::Tells(world, text) => {
                let (answer, _) = told(&connector, world).await;
                if answer.as_deref() != Ok(*text) {
                    wrong.push(format!("{fault:?}: {answer:?}, wanted {text:?}"));
                }
            }
            Cell::Same(lines) => {
                let (answer, spoiled) = told(&connector, &with(lines)).await;
                if answer.as_ref() != Ok(&wanted) || spoiled == 0 {
                    wrong.push(format!("{fault:?}: {answer:?} ({spoiled}), wanted {wanted:?}"));
                }
            }
            Cell::Error(lines, parts) => {
                let (answer, spoiled) = told(&connector, &with(lines)).await;
                let Err(error) = answer else {
                    wrong.push(format!("{fault:?}: {answer:?}, wanted an error"));
                    continue;
                };
                let CheckError::Unknown { cause, unlock } = CheckError::unseen(error) else {
                    wrong.push(format!("{fault:?}: skipped"));
                    continue;
                };
                let text = format!("{cause}; {unlock}");
                let blamed = text.to_lowercase().contains(connector.vendor);
                if !blamed || unlock.is_empty() || !parts.iter().all(|part| text.contains(part)) {
                    wrong.push(format!("{fault:?}: {text}, wanted {parts:?}"));
                }
                if spoiled == 0 {
                    wrong.push(format!("{fault:?}: no answer was changed"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

/// Files of `src/connect` that reach no outside system by themselves, each with what it is for.
const GROUND: [(&str, &str); 13] = [
    ("answer", "what every API answers"),
    ("api", "credential, pace, retries and limits of every API"),
    ("checkouts_file", "a file on this machine, which tests/trace and tests/parts read"),
    ("database", "the project's own database, which tests/database breaks in its own ways"),
    ("grant", "tokens of an application, tried with Help Scout"),
    ("mod", "builds the ports"),
    ("outlying", "builds the ports"),
    ("pace", "waits for turns"),
    ("pages", "walks over pages"),
    ("reach", "how every API is reached"),
    ("relations", "builds the ports"),
    ("shape", "shapes that several vendors share"),
    ("shown", "how a credential is shown to every API"),
];

#[test]
fn every_file_of_a_connector_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/connect");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed = table::all().into_iter().map(|connector| connector.file.to_owned());
    let ground = GROUND.iter().map(|(file, why)| {
        assert!(!why.is_empty());
        (*file).to_owned()
    });
    let listed: BTreeSet<String> = listed.chain(ground).collect();
    assert_eq!(files, listed, "a connector without a row, or a row without a connector");
}

/// One test for each connector, and the list of them.
macro_rules! tried {
    ($($test:ident $name:literal)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            each_cell($name).await;
        })*

        #[test]
        fn every_row_of_the_table_is_tried() {
            let tried = [$($name),*];
            let rows: Vec<_> = table::all().into_iter().map(|connector| connector.name).collect();
            assert_eq!(rows, tried);
        }
    };
}

tried! {
    attio "attio"
    cloudflare "cloudflare"
    freshdesk "freshdesk"
    front "front"
    helpscout "helpscout"
    hubspot "hubspot"
    intercom "intercom"
    make "make"
    n8n "n8n"
    netlify "netlify"
    pagespeed "pagespeed"
    pipedrive "pipedrive"
    stripe "stripe"
    supabase_functions "supabase-functions"
    supabase_logs "supabase-logs"
    supabase_management "supabase-management"
    supabase_settings "supabase-settings"
    supabase_public "supabase-public"
    vercel "vercel"
    zapier "zapier"
    zendesk "zendesk"
}
