//! Asks the host of the site, and the address that names the version.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{Account, Build, Evidence, Options, Variables, Version};
use crate::contract::{Bounded, CheckError, Target};
use crate::probe::{
    Deployment, Hosting, Http, HttpRequest, ProbeError, Probes, Seen, Stage, Variable,
};
use crate::suffix::registrable;
use crate::vendor::is_below;

/// Hosts that are asked about.
const HOSTS: usize = 8;
/// Names of variables that evidence keeps of each list.
const NAMES: usize = 60;
/// Commits of an answer that are kept.
const COMMITS: usize = 8;
/// How the names of credentials sound; what begins with one of the others is meant for browsers.
const CREDENTIALS: [&str; 8] =
    ["KEY", "SECRET", "TOKEN", "PASSWORD", "PASSWD", "DATABASE_URL", "DSN", "CREDENTIAL"];
const FOR_BROWSERS: [&str; 7] =
    ["NEXT_PUBLIC_", "PUBLIC_", "VITE_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "GATSBY_"];

pub(super) async fn look(
    options: &Options,
    target: &Target,
    probes: &Probes,
) -> Result<Evidence, CheckError> {
    let hosting = probes.accounts.hosting.get();
    let version = match &options.version_url {
        Some(address) => Some(version(&*probes.http, address, target).await),
        None => None,
    };
    let hosting = match hosting {
        Ok(hosting) => hosting,
        // Without an account and without an address there is nothing to look at.
        Err(missing) if version.is_none() => return Err(missing.into()),
        Err(missing) => {
            return Ok(Evidence {
                account: None,
                variables: None,
                version,
                no_account: Some((missing.reason, missing.unlock)),
            });
        }
    };
    let account = account(hosting, target).await;
    let variables = hosting.variables().await.map(|all| variables(&all, options));
    Ok(Evidence {
        account: Some(Seen::from(account)),
        variables: Some(Seen::from(variables)),
        version,
        no_account: None,
    })
}

async fn account(hosting: &dyn Hosting, target: &Target) -> Result<Account, ProbeError> {
    let mut hosts = target.likely_hosts();
    hosts.truncate(HOSTS);
    let told = hosting.deployments(hosts).await?;
    let newest = told.recent.iter().filter(|one| one.production).max_by_key(|one| one.created);
    Ok(Account {
        vendor: hosting.vendor().to_owned(),
        newest: newest.map(Build::of),
        live: told.live.as_ref().map(Build::of),
        at: told.at.iter().map(|(host, one)| (host.clone(), Build::of(one))).collect(),
    })
}

impl Build {
    fn of(one: &Deployment) -> Self {
        let short = |text: &String| text.chars().take(80).collect();
        Self {
            id: short(&one.id),
            created: one.created,
            production: one.production,
            state: short(&one.state),
            commit: one.commit.as_ref().map(short),
            branch: one.branch.as_ref().map(short),
        }
    }
}

fn variables(all: &[Variable], options: &Options) -> Variables {
    let mut by_name: BTreeMap<&str, Vec<&Variable>> = BTreeMap::new();
    for variable in all {
        by_name.entry(&variable.name).or_default().push(variable);
    }
    let in_stage =
        |some: &[&Variable], stage: Stage| some.iter().any(|one| one.stages.contains(&stage));
    let production: BTreeSet<&str> = by_name
        .iter()
        .filter(|(_, some)| in_stage(some, Stage::Production))
        .map(|(name, _)| *name)
        .collect();
    let missing =
        options.required_variables.iter().filter(|name| !production.contains(name.as_str()));
    let empty = by_name.iter().filter(|(_, some)| {
        some.iter().any(|one| one.empty && one.stages.contains(&Stage::Production))
    });
    let shared = by_name.iter().filter(|(name, some)| {
        is_credential(name)
            && !options.shared_variables.iter().any(|allowed| allowed == *name)
            && are_shared(some)
    });
    Variables {
        total: by_name.len(),
        missing: missing.map(|name| (name.clone(), by_name.contains_key(name.as_str()))).collect(),
        empty: Bounded::keep(empty.map(|(name, _)| (*name).to_owned()), NAMES),
        shared: Bounded::keep(shared.map(|(name, _)| (*name).to_owned()), NAMES),
        production: Bounded::keep(production.iter().map(|name| (*name).to_owned()), NAMES),
    }
}

fn is_credential(name: &str) -> bool {
    let upper = name.to_uppercase();
    let public = ["PUBLISHABLE", "ANON_KEY", "SITE_KEY"].iter().any(|word| upper.contains(word));
    let for_browsers = FOR_BROWSERS.iter().any(|start| upper.starts_with(start));
    !public && !for_browsers && CREDENTIALS.iter().any(|word| upper.contains(word))
}

/// One entry for both stages, or two entries of one value.
fn are_shared(some: &[&Variable]) -> bool {
    let of = |stage: Stage| some.iter().filter(move |one| one.stages.contains(&stage));
    of(Stage::Production).any(|live| {
        live.stages.contains(&Stage::Preview)
            || of(Stage::Preview).any(|other| live.hash.is_some() && live.hash == other.hash)
    })
}

async fn version(http: &dyn Http, address: &str, target: &Target) -> Version {
    let home = Url::parse(&format!("https://{}/", target.domain)).ok();
    let url = home.and_then(|home| home.join(address).ok());
    let own = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        let domain = registrable(&target.domain).unwrap_or(&target.domain);
        is_below(host, domain) || target.declared_hosts().iter().any(|own| own == host)
    };
    let Some(url) = url.filter(own) else {
        let unread = "it is no address on a host of the project".to_owned();
        let url = address.chars().take(200).collect();
        return Version { url, commits: Vec::new(), unread: Some(unread) };
    };
    let (commits, unread) = match http.send(HttpRequest::get(url.as_str())).await {
        Ok(answer) if (200..300).contains(&answer.status) => (commits(&answer.text()), None),
        Ok(answer) => (Vec::new(), Some(format!("it answers {}", answer.status))),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Version {
        url: format!("{}{}", url.origin().ascii_serialization(), url.path()),
        commits,
        unread,
    }
}

/// Words of 7 to 40 hexadecimal digits with a digit among them, as commits are written.
fn commits(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_commit = |word: &&str| {
        (7..=40).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
            && word.bytes().any(|byte| byte.is_ascii_digit())
    };
    let mut found: Vec<String> = Vec::new();
    for word in words.filter(is_commit) {
        let word = word.to_lowercase();
        if found.len() < COMMITS && !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, stages: &[Stage], hash: Option<u64>) -> Variable {
        Variable { name: name.to_owned(), stages: stages.to_vec(), hash, empty: false }
    }

    #[test]
    fn one_entry_for_both_stages_is_shared_and_so_are_two_of_one_value() {
        use Stage::{Preview, Production};
        let all = [
            variable("STRIPE_SECRET_KEY", &[Production, Preview], None),
            variable("DATABASE_URL", &[Production], Some(1)),
            variable("DATABASE_URL", &[Preview], Some(1)),
            variable("RESEND_API_KEY", &[Production], Some(1)),
            variable("RESEND_API_KEY", &[Preview], Some(2)),
            variable("SENTRY_DSN", &[Production], None),
            variable("SENTRY_DSN", &[Preview], None),
            variable("NEXT_PUBLIC_SUPABASE_KEY", &[Production, Preview], None),
            variable("NODE_ENV", &[Production, Preview], None),
        ];
        let seen = variables(&all, &Options::default());
        assert_eq!(seen.shared.items, ["DATABASE_URL", "STRIPE_SECRET_KEY"]);
        assert_eq!(seen.total, 6);
    }

    #[test]
    fn a_commit_is_found_in_text_and_in_json() {
        assert_eq!(commits("{\"commit\":\"A1b2c3d4e5\",\"node\":\"22.1\"}"), ["a1b2c3d4e5"]);
        assert!(commits("deadbeef-is-a-word facades").is_empty());
    }
}
