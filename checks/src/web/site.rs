//! The web site of a project: its two usual names, and which hosts are its own.

use url::{Host, Url};

use crate::contract::{Assessment, Bounded, Target, Unseen};
use crate::suffix;
use crate::vendor::is_below;

/// The most hosts of a project that one check of this area asks.
const HOSTS: usize = 8;

/// The names of a web site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// The audited name without `www`.
    pub(super) apex: String,
    /// The `www` beside it, which may not exist; absent for a name below the registrable domain,
    /// where nobody expects one.
    pub(super) www: Option<String>,
    /// Declared hosts other than those two, in order, at most [`HOSTS`].
    pub(super) others: Vec<String>,
    /// How many more hosts were declared.
    pub(super) cut: usize,
    /// The registrable domains of all of them.
    domains: Vec<String>,
}

impl Site {
    /// The names of a project's web site.
    pub(super) fn of(target: &Target) -> Self {
        let apex = target.domain.strip_prefix("www.").unwrap_or(&target.domain).to_owned();
        let www = format!("www.{apex}");
        let expected = registrable(&apex) == apex || target.declared_hosts().contains(&www);
        let others = target.hosts.iter().filter(|host| **host != apex && **host != www);
        let others = Bounded::keep(others.cloned(), HOSTS);
        let mut domains: Vec<String> = Vec::new();
        for host in target.declared_hosts() {
            let domain = registrable(&host);
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        Self { www: expected.then_some(www), others: others.items, cut: others.cut, domains, apex }
    }

    /// Whether a URL lies on a host of the project: below the registrable domain of the audited or
    /// of a declared name.
    pub(super) fn owns(&self, url: &Url) -> bool {
        let Some(Host::Domain(name)) = url.host() else { return false };
        self.domains.iter().any(|domain| is_below(name.trim_end_matches('.'), domain))
    }

    /// Whether this is the apex or its `www`.
    pub(super) fn is_main(&self, host: &str) -> bool {
        host == self.apex || self.www.as_deref() == Some(host)
    }

    /// Lists the declared hosts that were not asked, if any.
    pub(super) fn note_cut(&self, out: &mut Assessment) {
        if self.cut > 0 {
            out.not_checked(
                Unseen::Condition,
                format!("{} more declared hosts", self.cut),
                format!("one run asks {HOSTS} declared hosts beside the apex and its www"),
                "declare the other hosts in a project of their own",
            );
        }
    }
}

fn registrable(host: &str) -> String {
    suffix::registrable(host).unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(domain: &str, hosts: &[&str]) -> Site {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Site::of(&Target { domain: domain.to_owned(), hosts, ..Target::default() })
    }

    #[test]
    fn a_site_has_an_apex_and_perhaps_a_www() {
        let one = site("www.harbor.example", &["app.harbor.example", "www.harbor.example"]);
        assert_eq!(one.apex, "harbor.example");
        assert_eq!(one.www.as_deref(), Some("www.harbor.example"));
        assert_eq!(one.others, ["app.harbor.example"]);
        assert_eq!(site("app.harbor.example", &[]).www, None);
    }

    #[test]
    fn a_host_is_the_projects_own_by_its_registrable_domain() {
        let one = site("harbor.example", &["abc.supabase.co"]);
        let owns = |url: &str| one.owns(&Url::parse(url).unwrap());
        assert!(owns("https://pay.harbor.example/x"));
        assert!(owns("https://abc.supabase.co/functions/v1/x"));
        assert!(!owns("https://other.supabase.co/"), "supabase.co is a public suffix");
        assert!(!owns("https://harbor.example.evil.example/"));
        assert!(!owns("https://192.0.2.1/"));
    }
}
