//! The mail checks against `checkdmarc`, and keys against `dkimpy`: both ask the same name server.

mod dkim;
mod dkim_cases;
mod dmarc;
mod dmarc_cases;
mod spf;
mod spf_cases;
mod spf_syntax;
mod transport;

use std::sync::Arc;

use futures_util::StreamExt as _;
use launchready::clock::{Clock as _, SystemClock};
use launchready::probe::{Dialer, DnsProbe, Network};
use launchready_checks::contract::{Assessment, MailFacts, Target};
use launchready_checks::probe::Probes;
use launchready_checks::probe::replay::{Replay, World};
use serde_json::{Value, json};

use crate::names::{NameServer, PROGRAMS};
use crate::{look, peer, support};

/// Cases that are looked at at once.
const AT_ONCE: usize = 16;

/// A generated case: its zone stands in the common one.
#[derive(Debug)]
struct Case {
    family: &'static str,
    domain: String,
    /// What was generated, for whoever reads a failure.
    input: String,
}

fn has_peers(test: &str) -> bool {
    support::has(test, &PROGRAMS) && peer::has(test, "checkdmarc")
}

/// Ports that ask the name server, and a written-down world for everything else.
fn probes(server: &NameServer, world: World) -> Probes {
    let network = Network { resolvers: vec![server.at], ..Network::default() };
    let dialer = Arc::new(Dialer::new(&network));
    let others = Replay::new(world, SystemClock.now()).unwrap().probes();
    Probes { dns: Arc::new(DnsProbe::new(&network, dialer)), ..others }
}

/// Looks at every case with one check.
async fn look_at(
    check: &str,
    cases: &[Case],
    probes: &Probes,
    facts: impl Fn(&Case) -> MailFacts,
) -> Vec<Result<Assessment, String>> {
    let looks = cases.iter().map(|case| {
        let target = Target { domain: case.domain.clone(), mail: facts(case), ..Target::default() };
        async move { look::look(check, &target, probes, SystemClock.now()).await }
    });
    futures_util::stream::iter(looks).buffered(AT_ONCE).collect().await
}

/// Asks the peer about all cases: one answer a case.
fn ask(server: &NameServer, what: &str, cases: &[Case]) -> Vec<Value> {
    let names: Vec<&str> = cases.iter().map(|case| case.domain.as_str()).collect();
    let question = json!({ "port": server.at.port(), "what": what, "names": names });
    let answer = peer::ask("checkdmarc", "mail.py", &question);
    answer.as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Whether one of the warnings holds these words.
fn warned(value: &Value, words: &str) -> bool {
    let warnings = value["warnings"].as_array();
    warnings.is_some_and(|all| all.iter().any(|w| w.as_str().unwrap_or_default().contains(words)))
}
