//! Where a host runs and what stands in front of it, by the signs of [`launchready_checks::vendor`].

use std::net::IpAddr;

use launchready_checks::vendor::{self, Platform, is_below};

/// What was seen of one host.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The targets of its aliases, in order.
    pub aliases: Vec<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The headers of its first answer, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// The platform that answers for a host: its alias says most, then its address, then its headers.
pub fn platform(place: &Place) -> Option<&'static Platform> {
    let by_alias = place.aliases.iter().find_map(|alias| vendor::by_alias(alias));
    let by_address = || place.addresses.iter().find_map(|address| vendor::by_address(*address));
    by_alias.or_else(by_address).or_else(|| vendor::by_headers(&place.headers))
}

impl Place {
    /// The systems of [`super::ACCESS`] that this host shows, each with its sign. Cloudflare stands in front
    /// of many vendors' own pages, so it counts only where the host is no alias of somebody else's.
    pub fn systems(&self, domain: &str) -> Vec<(&'static str, String)> {
        let Some(platform) = platform(self) else { return Vec::new() };
        let sign = match (self.aliases.last(), self.addresses.first()) {
            (Some(alias), _) => format!("alias to {alias}"),
            (None, Some(address)) => format!("address {address}"),
            (None, None) => "headers".to_owned(),
        };
        let own = self.aliases.iter().all(|alias| is_below(alias, domain));
        match platform.name {
            "Vercel" => vec![("vercel", sign)],
            "Netlify" => vec![("netlify", sign)],
            "Cloudflare" if own => vec![("cloudflare", sign)],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(alias: &str, address: &str, header: (&str, &str)) -> Place {
        Place {
            aliases: Some(alias)
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            addresses: address.parse().into_iter().collect(),
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
        }
    }

    #[test]
    fn a_host_is_placed_by_alias_then_address_then_headers() {
        let systems = |place: Place| -> Vec<&str> {
            place.systems("harbor.example").into_iter().map(|(word, _)| word).collect()
        };
        assert_eq!(
            systems(place("cname.vercel-dns.com", "203.0.113.1", ("server", "x"))),
            ["vercel"]
        );
        assert_eq!(systems(place("", "76.76.21.21", ("server", "x"))), ["vercel"]);
        assert_eq!(systems(place("", "203.0.113.1", ("server", "Netlify"))), ["netlify"]);
        assert_eq!(systems(place("", "104.21.3.4", ("server", "cloudflare"))), ["cloudflare"]);
    }

    #[test]
    fn the_edge_of_a_vendor_is_not_the_products_own() {
        let page = place("harbor.instatus.com", "104.26.0.10", ("server", "cloudflare"));
        assert!(page.systems("harbor.example").is_empty());
        assert!(Place::default().systems("harbor.example").is_empty());
    }
}
