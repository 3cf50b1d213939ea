//! `secrets-bundle`: see `bundle.md`.

mod crawl;
pub mod downloads;
mod gap;
mod links;
mod references;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::crawl::Crawl;
use super::detector::Class;
use super::leak::Leak;
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Finding, FindingSpec, LookCx,
    MeasurementSpec, Schedule, Severity, Target, Unit, Unseen, Vantage,
};
use crate::probe::{Probes, Seen, look_up_hosts};

const SECRET: FindingSpec = FindingSpec::critical(
    "bundle-secret",
    "A private key stands in what browsers download",
    "Every visitor can read it: whoever does can take money, customer data or mail in your name, and \
     robots look for such keys within minutes of a deployment.",
)
.now()
.blocks();
const POSSIBLE_SECRET: FindingSpec = FindingSpec::warning(
    "bundle-possible-secret",
    "What looks like a private key stands in what browsers download",
    "If it is one, every visitor can use it; only you can tell, because its shape alone does not prove \
     it.",
);
const TEST_KEY: FindingSpec = FindingSpec::warning(
    "bundle-test-key",
    "A secret key of a test mode stands in what browsers download",
    "It opens no real money, but it shows that secret keys reach the browser: the live key takes the \
     same way on the day it is set.",
);
const SOURCE_MAP: FindingSpec = FindingSpec::info(
    "bundle-source-map",
    "The source maps of the scripts can be read by anyone",
    "They hold the source code with its comments, which makes every other weakness easier to find.",
);

/// The scripts, pages and source maps that browsers download.
#[derive(Debug)]
pub struct Bundle;

/// Limits of `secrets-bundle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "they are the names of settings")]
pub struct Options {
    /// At most so many pages of a host are read besides its home page.
    pub max_pages: usize,
    /// At most so many scripts and source maps are read.
    pub max_files: usize,
    /// At most so many mebibytes of one file are read.
    pub max_file_mib: usize,
    /// At most so many mebibytes are read in all.
    pub max_total_mib: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_pages: 6, max_files: 80, max_file_mib: 4, max_total_mib: 24 }
    }
}

/// What was read, and where keys stand in it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    crawl: Crawl,
}

const BYTES: MeasurementSpec = MeasurementSpec {
    name: "bytes-read",
    metric: "launchready_secrets_bundle_read_bytes",
    unit: Unit::Bytes,
    help: "Bytes of pages, scripts and source maps that were searched for keys.",
    label: None,
    window: Duration::ZERO,
};

impl Check for Bundle {
    const META: CheckMeta = CheckMeta {
        id: "secrets-bundle",
        area: Area::Secrets,
        title: "Keys in what browsers download",
        vantage: Vantage::Outside,
        findings: &[SECRET, POSSIBLE_SECRET, TEST_KEY, SOURCE_MAP],
        measurements: &[BYTES],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../bundle.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let hosts = look_up_hosts(target, &*probes.dns).await;
        // A declared name without an address is asked too: the answer says why it is not seen.
        let names = hosts.into_iter().filter(|host| host.declared || host.is_there());
        let names: Vec<String> = names.map(|host| host.name).collect();
        let crawl = crawl::crawl(target, look.options, &*probes.http, &names).await;
        Ok((Evidence { crawl }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let crawl = &evidence.crawl;
        for places in by_key(&crawl.leaks).values() {
            if let Some(finding) = leaked(places, &crawl.leaks) {
                out.find(finding);
            }
        }
        if !crawl.maps.is_empty() {
            out.find(maps_served(&crawl.maps, &cx.target.domain));
        }
        unseen(crawl, cx, &mut out);
        out.measure(BYTES.value(None, crawl.bytes as f64));
        out
    }
}

/// The places of each key, by kind and fingerprint.
fn by_key(leaks: &[Leak]) -> BTreeMap<(&str, &str), Vec<&Leak>> {
    let mut keys: BTreeMap<(&str, &str), Vec<&Leak>> = BTreeMap::new();
    for leak in leaks {
        keys.entry((leak.kind.as_str(), leak.fingerprint.as_str())).or_default().push(leak);
    }
    keys
}

fn leaked(places: &[&Leak], all: &[Leak]) -> Option<Finding> {
    let first = places.first()?;
    let kind = first.kind()?;
    let spec = match kind.class {
        Class::Live => SECRET,
        Class::Weak => POSSIBLE_SECRET,
        Class::Test => TEST_KEY,
    };
    let finding = spec.finding(first.subject()).key(&first.fingerprint);
    // The id of an AWS key is no secret by itself, but its other half is seldom far.
    let half = first.kind == "aws_access_key_id"
        && !all.iter().any(|leak| leak.kind == "aws_secret_access_key");
    let finding = if half { finding.at(Severity::Warning) } else { finding };
    let (others, hold) = match places.len() - 1 {
        0 => (String::new(), "holds"),
        1 => (" and one more place".to_owned(), "hold"),
        more => (format!(" and {more} more places"), "hold"),
    };
    let seen = |leak: &&Leak| {
        format!("{}, byte {}: {}, {} characters", leak.place, leak.offset, leak.masked, leak.length)
    };
    Some(
        finding
            .summary(format!("{}{others} {hold} {}: {}.", first.place, kind.title, first.masked))
            .saw_all(places.iter().map(seen))
            .fix(format!(
                "{}. Then move the call that needs it to a server or an Edge Function, which reads the \
                 key from an environment variable without a public prefix (NEXT_PUBLIC_, VITE_, \
                 REACT_APP_, PUBLIC_), and deploy again.",
                kind.replace
            ))
            .undo(
                "A key that was replaced stays invalid, and should; the code is taken back by \
                 deploying the version before.",
            ),
    )
}

fn maps_served(maps: &[String], domain: &str) -> Finding {
    let count = maps.len();
    let what = if count == 1 {
        "one source map is".to_owned()
    } else {
        format!("{count} source maps are")
    };
    SOURCE_MAP
        .finding(domain)
        .summary(format!("On {domain} {what} readable by anyone."))
        .saw_all(maps)
        .fix(
            "Build without public source maps: in Next.js productionBrowserSourceMaps: false, in Vite \
             build.sourcemap: \"hidden\", in Create React App GENERATE_SOURCEMAP=false; upload them to \
             your error tracker instead.",
        )
        .undo("Set the option back and build again.")
}

fn unseen(crawl: &Crawl, cx: &AssessCx<'_, Bundle>, out: &mut Assessment) {
    let options = cx.options;
    for home in &crawl.homes {
        // Other hosts may be no web servers; the product itself has to be seen.
        let is_product = home.host == cx.target.domain || crawl.pages == 0;
        let unseen = if is_product { SECRET.unseen } else { Unseen::Condition };
        let part = format!("scripts of {}", home.host);
        match &home.status {
            Seen::Ok(status @ (403 | 429)) if home.is_html || *status == 429 => out.not_checked(
                unseen,
                part,
                format!("the page answers {status}: it is refused to programs"),
                "let launchready through the bot protection, or run it from an allowed network",
            ),
            Seen::Ok(status) if *status >= 500 && (home.is_html || is_product) => out.not_checked(
                unseen,
                part,
                format!("the page answers {status}"),
                "mend the server, then look again",
            ),
            // The root of an API answers 401, 403 or 404, and has no scripts.
            Seen::Ok(_) => {}
            Seen::Target(fault) => out.not_checked(
                unseen,
                part,
                fault.to_string(),
                "make the host answer over https, or take it out of hosts in the config",
            ),
            Seen::Agent(fault) => out.not_checked(unseen, part, fault.to_string(), fault.unlock()),
        }
    }
    if crawl.pages == 0 && out.not_checked.is_empty() {
        out.not_checked(
            SECRET.unseen,
            "scripts of the product",
            "no host answers with a page",
            "name the hosts at which the product runs as hosts in the config",
        );
    }
    unread(crawl, out);
    past_the_limit(crawl, options, out);
}

/// Scripts and pages that were asked for and not read.
fn unread(crawl: &Crawl, out: &mut Assessment) {
    for gap in &crawl.gaps.pages {
        let (part, unseen) = if gap.blocks {
            (format!("scripts of {}", gap.page), SECRET.unseen)
        } else {
            (format!("the page {}", gap.page), Unseen::Condition)
        };
        let others = match gap.count {
            0 | 1 => String::new(),
            count => format!("{count} files could not be read; the first is "),
        };
        out.not_checked(unseen, part, format!("{others}{}: {}", gap.url, gap.reason), &gap.unlock);
    }
    if crawl.gaps.more > 0 {
        out.not_checked(
            SECRET.unseen,
            "scripts of further pages",
            format!("{} more files could not be read", crawl.gaps.more),
            "mend what keeps those from being read that are listed, then look again",
        );
    }
    let missing_at = crawl.gaps.missing_at.as_deref().unwrap_or_default();
    if crawl.gaps.missing > 0 {
        out.not_checked(
            Unseen::Noted,
            "missing scripts",
            match crawl.gaps.missing {
                1 => format!("{missing_at} is named and does not exist"),
                count => format!("{count} scripts are named and do not exist, {missing_at} first"),
            },
            "name only scripts that exist, or publish them",
        );
    }
    let is_blocked = out.not_checked.iter().any(|part| part.unseen == SECRET.unseen);
    if crawl.scripts_named > 0 && crawl.scripts_read == 0 && !is_blocked {
        out.not_checked(
            SECRET.unseen,
            "scripts of the product",
            format!("none of the {} scripts that are named could be read", crawl.scripts_named),
            "publish the scripts that the pages name, then look again",
        );
    }
}

/// What a limit left out.
fn past_the_limit(crawl: &Crawl, options: &Options, out: &mut Assessment) {
    if crawl.hosts_left > 0 {
        out.not_checked(
            Unseen::Condition,
            "hosts past the limit",
            format!("{} more hosts are declared than are asked", crawl.hosts_left),
            "split the hosts over several projects of the config",
        );
    }
    if let Some(first) = crawl.pages_left_at.first() {
        let and = match crawl.pages_left {
            0 | 1 => " is".to_owned(),
            2 => " and one more page are".to_owned(),
            more => format!(" and {} more pages are", more - 1),
        };
        out.not_checked(
            Unseen::Condition,
            "further pages",
            format!("{first}{and} past the limit of {} pages of a host", options.max_pages),
            "raise max_pages of checks.secrets-bundle",
        );
    }
    if crawl.left > 0 {
        out.not_checked(
            Unseen::Condition,
            "further scripts",
            format!(
                "{} files are past the limit of {} files or {} MiB",
                crawl.left, options.max_files, options.max_total_mib
            ),
            "raise max_files and max_total_mib of checks.secrets-bundle",
        );
    }
    if let Some(first) = crawl.cut.first() {
        out.not_checked(
            Unseen::Condition,
            "the rest of large files",
            format!("{first} is longer than what was read of it"),
            "raise max_file_mib and max_total_mib of checks.secrets-bundle",
        );
    }
    if crawl.leaks_cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "further keys",
            format!("{} more places hold keys", crawl.leaks_cut),
            "mend those that are listed, then look again",
        );
    }
}
