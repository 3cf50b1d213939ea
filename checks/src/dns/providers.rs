//! DNS providers whose name servers are recognised by name.
//!
//! Each of them answers from many places at once behind a few addresses (anycast), or spreads its
//! servers over several networks, so that two addresses in one prefix are no single point of
//! failure.

use crate::vendor::is_below;

/// Suffix of a name server's name, and whose it is.
const PROVIDERS: &[(&str, &str)] = &[
    ("ns.cloudflare.com", "Cloudflare"),
    ("foundationdns.com", "Cloudflare"),
    ("foundationdns.net", "Cloudflare"),
    ("foundationdns.org", "Cloudflare"),
    ("vercel-dns.com", "Vercel"),
    ("nsone.net", "NS1 (Netlify DNS)"),
    ("googledomains.com", "Google Cloud DNS"),
    ("ns.google.com", "Google"),
    ("azure-dns.com", "Azure DNS"),
    ("azure-dns.net", "Azure DNS"),
    ("azure-dns.org", "Azure DNS"),
    ("azure-dns.info", "Azure DNS"),
    ("akam.net", "Akamai"),
    ("dnsimple.com", "DNSimple"),
    ("dnsimple-edge.net", "DNSimple"),
    ("dnsimple-edge.org", "DNSimple"),
    ("domaincontrol.com", "GoDaddy"),
    ("registrar-servers.com", "Namecheap"),
    ("dnsmadeeasy.com", "DNS Made Easy"),
    ("ultradns.com", "UltraDNS"),
    ("ultradns.net", "UltraDNS"),
    ("ultradns.org", "UltraDNS"),
    ("ultradns.biz", "UltraDNS"),
    ("digitalocean.com", "DigitalOcean"),
    ("linode.com", "Linode"),
    ("squarespacedns.com", "Squarespace"),
    ("wixdns.net", "Wix"),
    ("porkbun.com", "Porkbun"),
    ("gandi.net", "Gandi"),
    ("bunny.net", "Bunny DNS"),
    ("dns-parking.com", "Hostinger"),
    ("name-services.com", "Enom"),
    ("name.com", "Name.com"),
    ("ui-dns.com", "IONOS"),
    ("ui-dns.org", "IONOS"),
    ("ui-dns.de", "IONOS"),
    ("ui-dns.biz", "IONOS"),
    ("anycast.me", "OVHcloud"),
    ("ovh.net", "OVHcloud"),
    ("hetzner.com", "Hetzner"),
    ("hetzner.de", "Hetzner"),
    ("your-server.de", "Hetzner"),
    ("he.net", "Hurricane Electric"),
    ("cloudns.net", "ClouDNS"),
    ("desec.io", "deSEC"),
    ("desec.org", "deSEC"),
    ("easydns.com", "easyDNS"),
    ("wordpress.com", "WordPress.com"),
    ("shopifydns.com", "Shopify"),
    ("hover.com", "Hover"),
    ("worldnic.com", "Network Solutions"),
    ("dnsv.jp", "GMO"),
    ("alidns.com", "Alibaba Cloud"),
    ("gname-dns.com", "Gname"),
    ("spaceship.net", "Spaceship"),
];

/// The provider that a name server belongs to.
pub(super) fn of_name_server(name: &str) -> Option<&'static str> {
    // Route 53 numbers its servers: ns-123.awsdns-45.co.uk.
    if name.split('.').any(|label| label.starts_with("awsdns-")) {
        return Some("Amazon Route 53");
    }
    PROVIDERS.iter().find(|(suffix, _)| is_below(name, suffix)).map(|(_, provider)| *provider)
}

/// The one provider of all these name servers, or words that stand for it.
pub(super) fn of_all<'a>(names: impl IntoIterator<Item = &'a str>) -> &'static str {
    let mut providers: Vec<_> = names.into_iter().map(of_name_server).collect();
    providers.dedup();
    match providers.as_slice() {
        [Some(provider)] => provider,
        _ => "your DNS provider",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_name_servers_are_recognised() {
        assert_eq!(of_name_server("ada.ns.cloudflare.com"), Some("Cloudflare"));
        assert_eq!(of_name_server("ns-2024.awsdns-61.co.uk"), Some("Amazon Route 53"));
        assert_eq!(of_name_server("ns1.harbor.com"), None);
        assert_eq!(of_all(["ns1.vercel-dns.com", "ns2.vercel-dns.com"]), "Vercel");
        assert_eq!(of_all(["ns1.vercel-dns.com", "ns1.harbor.com"]), "your DNS provider");
    }
}
