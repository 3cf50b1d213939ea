//! What kind of address events are sent to.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::contract::Target;
use crate::vendor::is_below;

/// Where an address leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// It is an address of the web; else a bus of a cloud.
    pub(super) is_web: bool,
    pub(super) host: String,
    /// The port, where it is not the usual one.
    port: Option<u16>,
    path: String,
    owner: Owner,
    /// It is sent without encryption.
    is_plain: bool,
    defect: Option<Defect>,
}

/// Whose host it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Owner {
    /// The project's.
    Own,
    /// That of a service that is known to take such events.
    Known,
    #[default]
    Foreign,
}

/// Why no production product can be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Defect {
    /// It is a machine that others cannot reach, or a tunnel to one.
    Local,
    /// It is a deployment that is not the production one.
    Preview,
    /// It is not encrypted.
    Plain,
}

/// Services that take events of the provider on purpose: automation, and figures of subscriptions.
const KNOWN: [&str; 14] = [
    "zapier.com",
    "make.com",
    "integromat.com",
    "n8n.cloud",
    "pipedream.net",
    "pipedream.com",
    "revenuecat.com",
    "chartmogul.com",
    "profitwell.com",
    "baremetrics.com",
    "hubspot.com",
    "hookdeck.com",
    "svix.com",
    "tray.io",
];
/// Tunnels to a developer's machine, and bins in which requests are looked at.
const TUNNELS: [&str; 12] = [
    "ngrok.io",
    "ngrok.app",
    "ngrok-free.app",
    "ngrok.dev",
    "ngrok-free.dev",
    "loca.lt",
    "trycloudflare.com",
    "serveo.net",
    "webhook.site",
    "requestbin.com",
    "beeceptor.com",
    "hookbin.com",
];

impl Place {
    pub(super) fn of(url: Option<&str>, target: &Target, allowed: &[String]) -> Self {
        let Some(url) = url else { return Self::default() };
        let Ok(url) = Url::parse(url) else {
            return Self { is_web: true, defect: Some(Defect::Local), ..Self::default() };
        };
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        let supabase = target.accounts.supabase.as_ref();
        let backend = supabase.is_some_and(|facts| {
            ["supabase.co", "functions.supabase.co"]
                .iter()
                .any(|zone| host == format!("{}.{zone}", facts.reference))
        });
        let own = is_below(&host, &target.domain)
            || target.hosts.iter().any(|own| is_below(&host, own))
            || backend;
        let is_known = allowed.iter().any(|name| is_below(&host, name))
            || KNOWN.iter().any(|known| is_below(&host, known));
        let is_plain = url.scheme() != "https";
        Self {
            is_web: true,
            owner: if own {
                Owner::Own
            } else if is_known {
                Owner::Known
            } else {
                Owner::Foreign
            },
            is_plain,
            defect: if is_local(&url) {
                Some(Defect::Local)
            } else if is_preview(&host) {
                Some(Defect::Preview)
            } else {
                is_plain.then_some(Defect::Plain)
            },
            path: url.path().to_owned(),
            port: url.port(),
            host,
        }
    }

    /// A host of the project.
    pub(super) fn is_own(&self) -> bool {
        self.owner == Owner::Own
    }

    /// A host of which nobody knows why it is told.
    pub(super) fn is_foreign(&self) -> bool {
        self.is_web && self.owner == Owner::Foreign
    }

    /// The address as it may be shown: the path of a foreign one is often a secret.
    pub(super) fn shown(&self, kind: &str) -> String {
        let scheme = if self.is_plain { "http" } else { "https" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        if !self.is_web {
            kind.to_owned()
        } else if self.host.is_empty() {
            "an address that cannot be read".to_owned()
        } else if self.is_own() || self.defect == Some(Defect::Local) {
            format!("{scheme}://{}{port}{}", self.host, self.path)
        } else {
            format!("{scheme}://{}{port}/…", self.host)
        }
    }

    /// Why no production product can be there.
    pub(super) fn unfit(&self) -> Option<&'static str> {
        Some(match self.defect? {
            Defect::Local => "it leads to a developer's machine, a private address or a tunnel",
            Defect::Preview => "it is a preview deployment and not the production one",
            Defect::Plain => "it is not encrypted (http)",
        })
    }

    /// Whether two addresses are the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        let parts =
            |place: &Self| (place.is_web, place.host.clone(), place.port, place.path.clone());
        parts(self) == parts(other)
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_private(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_private(IpAddr::V6(ip)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let only_here = ["localhost", "local", "internal", "test", "lan", "home.arpa"];
            only_here.iter().any(|end| is_below(name, end))
                || TUNNELS.iter().any(|tunnel| is_below(name, tunnel))
        }
        None => true,
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
        }
    }
}

/// The names that hosting platforms give to deployments of a branch or a commit.
fn is_preview(host: &str) -> bool {
    let label = |zone: &str| host.strip_suffix(zone).and_then(|rest| rest.strip_suffix('.'));
    if let Some(name) = label("vercel.app") {
        // `app-git-branch-team`, and `app-x1y2z3a4b-team` for one commit.
        let commit = |part: &str| {
            part.len() == 9
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && part.bytes().any(|byte| byte.is_ascii_digit())
        };
        return name.contains("-git-") || name.split('-').skip(1).any(commit);
    }
    if let Some(name) = label("netlify.app") {
        // `deploy-preview-12--app`, `branch--app`, and a commit in front of two dashes.
        return name.contains("--");
    }
    // `branch.app.pages.dev`; the production one has no more labels.
    label("pages.dev").is_some_and(|name| name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        let target = Target { domain: "harbor.example".to_owned(), ..Target::default() };
        Place::of(Some(url), &target, &[])
    }

    #[test]
    fn addresses_that_are_no_production_address_are_recognised() {
        for url in [
            "http://localhost:3000/api/webhook",
            "https://127.0.0.1/hook",
            "https://10.1.2.3/hook",
            "https://[::1]/hook",
            "https://a1b2c3.ngrok-free.app/hook",
            "http://api.harbor.example/hook",
            "https://harbor-git-main-team.vercel.app/api",
            "https://harbor-a1b2c3d4e-team.vercel.app/api",
            "https://deploy-preview-7--harbor.netlify.app/",
            "https://a1b2c3d4.harbor.pages.dev/",
        ] {
            assert!(place(url).unfit().is_some(), "{url}");
        }
        for url in [
            "https://api.harbor.example/hook",
            "https://harbor.vercel.app/api",
            "https://harbor-platform.vercel.app/api",
            "https://harbor.netlify.app/",
            "https://harbor.pages.dev/",
        ] {
            assert!(place(url).unfit().is_none(), "{url}");
        }
    }

    #[test]
    fn the_path_of_a_foreign_address_is_not_shown() {
        let zap = place("https://hooks.zapier.com/hooks/catch/1234/secret/");
        assert!(!zap.is_foreign() && !zap.is_own());
        assert_eq!(zap.shown("webhook_endpoint"), "https://hooks.zapier.com/…");
        let own = place("https://api.harbor.example/hook?token=secret");
        assert_eq!(own.shown("webhook_endpoint"), "https://api.harbor.example/hook");
    }
}
