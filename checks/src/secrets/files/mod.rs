//! `secrets-files`: see `files.md`.

mod look;
mod paths;

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use self::look::{HostFiles, Readable, Stop};
use self::paths::Exposure;
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Finding, FindingSpec, LookCx,
    Schedule, Target, Unseen, Vantage,
};
use crate::probe::{Probes, look_up_hosts};

const ENV_FILE: FindingSpec = FindingSpec::critical(
    "exposed-env-file",
    "A file of environment variables can be read by anyone",
    "It holds the keys of the product: robots ask every new domain for it within hours.",
)
.now();
const GIT_FOLDER: FindingSpec = FindingSpec::critical(
    "exposed-git-folder",
    "The git repository can be read by anyone",
    "From it the whole source code and its history can be downloaded, with every key that was ever \
     committed.",
)
.now();
const BACKUP: FindingSpec = FindingSpec::critical(
    "exposed-backup",
    "A backup or a dump of the database can be read by anyone",
    "Whoever finds it has the data of all customers, which must be reported to them and to the \
     authority.",
)
.now();
const DEBUG_PAGE: FindingSpec = FindingSpec::critical(
    "exposed-debug-page",
    "A debug page can be read by anyone",
    "It shows settings, addresses and often keys of the server, and some run commands.",
);
const ADMIN_PAGE: FindingSpec = FindingSpec::critical(
    "exposed-admin-page",
    "An administration page opens without signing in",
    "Anybody who guesses its address can do what you can do there.",
);
const LISTING: FindingSpec = FindingSpec::warning(
    "exposed-directory-listing",
    "The names of files are listed to anyone",
    "Uploads and forgotten files that nobody links to can be found and downloaded.",
);

/// Files on the web server that nobody should be able to read.
#[derive(Debug)]
pub struct Files;

/// Limits of `secrets-files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// At most so many requests are sent to one host in one run; from 1 to 40.
    #[serde(deserialize_with = "max_requests")]
    #[schemars(range(min = 1, max = 40))]
    pub max_requests: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_requests: 40 }
    }
}

/// Refuses a limit that would read nothing, and one above what a stranger's server is asked.
fn max_requests<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let wanted = usize::deserialize(from)?;
    if (1..=REQUESTS).contains(&wanted) {
        Ok(wanted)
    } else {
        Err(D::Error::custom(format!("max_requests is from 1 to {REQUESTS}, not {wanted}")))
    }
}

/// What each host answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    hosts: Vec<HostFiles>,
    /// Hosts past the limit of hosts.
    #[serde(default)]
    hosts_cut: usize,
}

/// No option raises the number of requests to one host above this.
const REQUESTS: usize = 40;
/// The most hosts that are asked.
const HOSTS: usize = 20;

impl Check for Files {
    const META: CheckMeta = CheckMeta {
        id: "secrets-files",
        area: Area::Secrets,
        title: "Files that should not be public",
        vantage: Vantage::Outside,
        findings: &[ENV_FILE, GIT_FOLDER, BACKUP, DEBUG_PAGE, ADMIN_PAGE, LISTING],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(6)),
        min_interval: Duration::from_hours(1),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../files.md"),
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
        let mut names: Vec<String> = names.map(|host| host.name).collect();
        let hosts_cut = names.len().saturating_sub(HOSTS);
        names.truncate(HOSTS);
        let most = look.options.max_requests;
        let hosts = look::look(target, look.now, &*probes.http, &names, most).await;
        Ok((Evidence { hosts, hosts_cut }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for host in &evidence.hosts {
            let exposures = [
                Exposure::EnvFile,
                Exposure::GitFolder,
                Exposure::Backup,
                Exposure::DebugPage,
                Exposure::AdminPage,
                Exposure::Listing,
            ];
            for exposure in exposures {
                let found = host.readable.iter().filter(|file| file.exposure == exposure);
                let found: Vec<_> = found.collect();
                if let Some(first) = found.first() {
                    out.find(exposed(&host.host, exposure, first, &found));
                }
            }
            unseen(host, &evidence.hosts, &mut out);
        }
        if evidence.hosts_cut > 0 {
            out.not_checked(
                Unseen::Condition,
                "hosts past the limit",
                format!("{} more hosts are declared than are asked", evidence.hosts_cut),
                "split the hosts over several projects of the config",
            );
        }
        past_the_limit(&evidence.hosts, cx.options.max_requests, &mut out);
        // A host that was asked for no file at all has shown nothing.
        let saw = |host: &HostFiles| {
            host.leads_to.is_some()
                || (matches!(host.stop, None | Some(Stop::Limit)) && host.asked > 0)
        };
        out.unless_seen(evidence.hosts.iter().any(saw));
        out
    }
}

fn exposed(host: &str, exposure: Exposure, first: &Readable, found: &[&Readable]) -> Finding {
    let spec = match exposure {
        Exposure::EnvFile => ENV_FILE,
        Exposure::GitFolder => GIT_FOLDER,
        Exposure::Backup => BACKUP,
        Exposure::DebugPage => DEBUG_PAGE,
        Exposure::AdminPage => ADMIN_PAGE,
        Exposure::Listing => LISTING,
    };
    let url = format!("https://{host}{}", first.path);
    let fix = match exposure {
        Exposure::EnvFile => format!(
            "Take the file out of the folder that is published, so that {url} answers 404, and deploy. \
             Then replace every key that it names: somebody may have read it."
        ),
        Exposure::GitFolder => format!(
            "Publish the build output and not the repository, or deny the folder (nginx: location ~ \
             /\\.git {{ return 404; }}), until {url} answers 404. Then replace every key that was ever \
             committed."
        ),
        Exposure::Backup => format!(
            "Delete the file from the server, so that {url} answers 404, and keep backups in storage \
             that needs a sign-in. Then change every password and key that it holds: somebody may have \
             read it, and the access log says who has downloaded it."
        ),
        Exposure::DebugPage => format!(
            "Switch the debug mode off in production and close the page to strangers, so that {url} \
             answers 404. Then replace the keys that it shows."
        ),
        Exposure::AdminPage => format!(
            "Ask for a sign-in before {url} and everything below it, on the server and not only in the \
             browser."
        ),
        Exposure::Listing => format!(
            "Switch listings off (nginx: autoindex off; Apache: Options -Indexes) or delete the file, \
             so that {url} names nothing."
        ),
    };
    let others = match found.len() - 1 {
        0 => String::new(),
        1 => ", and one more file like it,".to_owned(),
        more => format!(", and {more} more files like it,"),
    };
    spec.finding(host)
        .summary(format!("{url}{others} can be read by anyone: {}.", first.proof))
        .saw_all(
            found
                .iter()
                .map(|file| format!("GET https://{host}{} answers 200: {}", file.path, file.proof)),
        )
        .fix(fix)
        .undo("Put the file or the setting back and deploy again.")
}

fn unseen(host: &HostFiles, all: &[HostFiles], out: &mut Assessment) {
    let part = format!("files on {}", host.host);
    if let Some(other) = &host.leads_to {
        // A host that only redirects has no files; where it leads to is asked if it is ours.
        if !all.iter().any(|host| host.host == *other) {
            out.not_checked(
                Unseen::Noted,
                part,
                format!("everything is sent to {other}"),
                format!("name {other} as a host in the config if it is yours"),
            );
        }
        return;
    }
    match &host.stop {
        None | Some(Stop::Limit) => {}
        Some(Stop::Wall(status)) => out.not_checked(
            Unseen::Condition,
            part,
            format!("it answers {status} to programs, so the look was ended"),
            "let launchready through the bot protection, or wait and run it again",
        ),
        Some(Stop::Target(fault)) => out.not_checked(
            Unseen::Condition,
            part,
            fault.to_string(),
            "make the host answer over https, or take it out of hosts in the config",
        ),
        Some(Stop::Agent(fault)) => {
            out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
        }
    }
}

/// One part for all hosts whose list was cut short, by what the cut left out.
fn past_the_limit(all: &[HostFiles], most: usize, out: &mut Assessment) {
    let cut: Vec<_> =
        all.iter().filter(|host| matches!(host.stop, Some(Stop::Limit)) && host.left > 0).collect();
    let (unasked, shortened): (Vec<&HostFiles>, Vec<_>) =
        cut.into_iter().partition(|host| host.asked == 0);
    let (serious, harmless): (Vec<&HostFiles>, Vec<_>) =
        shortened.into_iter().partition(|host| host.left_critical > 0);
    let unlock =
        format!("raise max_requests of checks.secrets-files, up to {REQUESTS}, or leave it out");
    let names = |hosts: &[&HostFiles]| {
        let names: Vec<_> = hosts.iter().take(3).map(|host| host.host.as_str()).collect();
        match hosts.len().saturating_sub(names.len()) {
            0 => names.join(", "),
            more => format!("{} and {more} more hosts", names.join(", ")),
        }
    };
    if !unasked.is_empty() {
        out.not_checked(
            Unseen::Condition,
            "hosts that were asked for no file",
            format!("the limit of {most} requests to a host leaves none for {}", names(&unasked)),
            &unlock,
        );
    }
    let parts = [
        (Unseen::Condition, "files past the limit", serious),
        (Unseen::Noted, "less usual files", harmless),
    ];
    for (unseen, part, hosts) in parts {
        let left: usize = hosts.iter().map(|host| host.left).sum();
        if left > 0 {
            let names = names(&hosts);
            let reason =
                format!("{left} paths on {names} are past the limit of {most} requests to a host");
            out.not_checked(unseen, part, reason, &unlock);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::plugin;

    #[test]
    fn a_limit_that_reads_nothing_or_too_much_is_refused() {
        let build = |most: usize| (plugin::<Files>().build)(&json!({ "max_requests": most }));
        assert!(build(1).is_ok() && build(REQUESTS).is_ok());
        for wrong in [0, REQUESTS + 1] {
            let said = format!("{:?}", build(wrong).unwrap_err());
            assert!(said.contains("from 1 to 40"), "{said}");
        }
    }
}
