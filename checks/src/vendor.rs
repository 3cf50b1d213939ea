//! Platforms that stand between a visitor and the product, and how they are recognised.
//!
//! The signs are the vendors' documented response headers, alias targets and address ranges.

use std::net::IpAddr;

/// A hosting platform or edge network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// The vendor's name.
    pub name: &'static str,
    /// It absorbs floods and caches in front of the product.
    pub is_edge: bool,
    /// Suffixes of alias targets that belong to it.
    pub aliases: &'static [&'static str],
    /// Signs in response headers: name, and a part of the value in lower case (`""` for any).
    pub headers: &'static [(&'static str, &'static str)],
    /// Address ranges, `address/bits`.
    pub ranges: &'static [&'static str],
    /// Cookies that it sets by itself on any answer, by prefix.
    pub cookies: &'static [&'static str],
}

const NONE: Platform =
    Platform { name: "", is_edge: true, aliases: &[], headers: &[], ranges: &[], cookies: &[] };

/// Every platform that is recognised. Cloudflare first: it stands in front of the others.
pub const PLATFORMS: &[Platform] = &[
    Platform {
        name: "Cloudflare",
        aliases: &["cdn.cloudflare.net", "pages.dev", "workers.dev"],
        headers: &[("server", "cloudflare"), ("cf-ray", "")],
        // https://www.cloudflare.com/ips-v4 and ips-v6.
        ranges: &[
            "173.245.48.0/20",
            "103.21.244.0/22",
            "103.22.200.0/22",
            "103.31.4.0/22",
            "141.101.64.0/18",
            "108.162.192.0/18",
            "190.93.240.0/20",
            "188.114.96.0/20",
            "197.234.240.0/22",
            "198.41.128.0/17",
            "162.158.0.0/15",
            "104.16.0.0/13",
            "104.24.0.0/14",
            "172.64.0.0/13",
            "131.0.72.0/22",
            "2400:cb00::/32",
            "2606:4700::/32",
            "2803:f800::/32",
            "2405:b500::/32",
            "2405:8100::/32",
            "2a06:98c0::/29",
            "2c0f:f248::/32",
        ],
        cookies: &["__cf_bm", "_cfuvid", "__cflb", "cf_clearance", "__cfruid"],
        ..NONE
    },
    Platform {
        name: "Vercel",
        aliases: &["vercel-dns.com", "vercel.app", "vercel.com", "now.sh"],
        headers: &[("server", "vercel"), ("x-vercel-id", ""), ("x-vercel-cache", "")],
        ranges: &[
            "76.76.21.0/24",
            "66.33.60.0/24",
            "216.198.79.0/24",
            "64.29.17.0/24",
            "216.150.1.0/24",
            "216.150.16.0/24",
        ],
        ..NONE
    },
    Platform {
        name: "Netlify",
        aliases: &["netlify.app", "netlify.com", "netlifyglobalcdn.com"],
        headers: &[("server", "netlify"), ("x-nf-request-id", "")],
        ranges: &["75.2.60.5/32", "99.83.190.102/32"],
        ..NONE
    },
    Platform {
        name: "Fastly",
        aliases: &["fastly.net", "fastlylb.net"],
        headers: &[("x-fastly-request-id", ""), ("x-served-by", "cache-")],
        ranges: &["151.101.0.0/16", "199.232.0.0/16", "146.75.0.0/17", "2a04:4e42::/32"],
        ..NONE
    },
    Platform {
        name: "CloudFront",
        aliases: &["cloudfront.net"],
        headers: &[("via", "cloudfront"), ("x-amz-cf-id", "")],
        cookies: &["AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS", "AWSELB"],
        ..NONE
    },
    Platform {
        name: "Bunny",
        aliases: &["b-cdn.net", "bunnycdn.com"],
        headers: &[("server", "bunnycdn")],
        ..NONE
    },
    Platform {
        name: "Akamai",
        aliases: &["akamaiedge.net", "akamai.net", "edgekey.net", "edgesuite.net"],
        headers: &[("x-akamai-transformed", ""), ("server", "akamaighost")],
        cookies: &["ak_bmsc", "bm_sv", "bm_sz", "_abck"],
        ..NONE
    },
    Platform {
        name: "Azure Front Door",
        aliases: &["azurefd.net", "azureedge.net"],
        headers: &[("x-azure-ref", "")],
        cookies: &["ARRAffinity", "ARRAffinitySameSite"],
        ..NONE
    },
    Platform {
        name: "Google Cloud",
        aliases: &["ghs.googlehosted.com", "web.app", "firebaseapp.com"],
        headers: &[("via", "1.1 google")],
        cookies: &["GCLB"],
        ..NONE
    },
    Platform { name: "Fly.io", aliases: &["fly.dev"], headers: &[("fly-request-id", "")], ..NONE },
    Platform {
        name: "Render",
        aliases: &["onrender.com"],
        headers: &[("x-render-origin-server", "")],
        ..NONE
    },
    Platform {
        name: "Railway",
        aliases: &["up.railway.app", "railway.app"],
        headers: &[("x-railway-request-id", ""), ("server", "railway-edge")],
        is_edge: false,
        ..NONE
    },
    Platform {
        name: "Heroku",
        aliases: &["herokudns.com", "herokuapp.com"],
        headers: &[("via", "vegur")],
        is_edge: false,
        ..NONE
    },
    Platform {
        name: "GitHub Pages",
        aliases: &["github.io"],
        headers: &[("server", "github.com"), ("x-github-request-id", "")],
        ranges: &["185.199.108.0/22"],
        ..NONE
    },
    Platform {
        name: "KeyCDN",
        aliases: &["kxcdn.com"],
        headers: &[("server", "keycdn-engine")],
        ..NONE
    },
    Platform {
        name: "Imperva",
        aliases: &["incapdns.net", "impervadns.net"],
        headers: &[("x-iinfo", ""), ("x-cdn", "imperva")],
        cookies: &["incap_ses_", "visid_incap_", "nlbi_"],
        ..NONE
    },
    Platform {
        name: "Sucuri",
        headers: &[("x-sucuri-id", ""), ("server", "sucuri/cloudproxy")],
        ..NONE
    },
    Platform {
        name: "Supabase",
        aliases: &["supabase.co", "supabase.com"],
        headers: &[("sb-gateway-version", ""), ("sb-project-ref", "")],
        ..NONE
    },
    Platform {
        name: "Squarespace",
        aliases: &["squarespace.com"],
        headers: &[("server", "squarespace")],
        ..NONE
    },
    Platform { name: "Shopify", aliases: &["myshopify.com"], headers: &[("x-shopid", "")], ..NONE },
    Platform {
        name: "Wix",
        aliases: &["wixdns.net", "wixsite.com"],
        headers: &[("x-wix-request-id", "")],
        ..NONE
    },
    Platform {
        name: "Webflow",
        aliases: &["webflow.io", "proxy-ssl.webflow.com", "cdn.webflow.com"],
        headers: &[("x-wf-region", "")],
        ..NONE
    },
    Platform {
        name: "Framer",
        aliases: &["framer.app", "framer.website"],
        headers: &[("server", "framer")],
        ..NONE
    },
    Platform { name: "Lovable", aliases: &["lovable.app", "lovableproject.com"], ..NONE },
];

/// The platform that a response header gives away; the first in the table wins.
pub fn by_headers(headers: &[(String, String)]) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| {
        platform.headers.iter().any(|(name, part)| {
            headers.iter().any(|(n, value)| n == name && value.to_ascii_lowercase().contains(part))
        })
    })
}

/// The platform that an alias target belongs to.
pub fn by_alias(target: &str) -> Option<&'static Platform> {
    let target = target.trim_end_matches('.');
    PLATFORMS.iter().find(|platform| platform.aliases.iter().any(|suffix| is_below(target, suffix)))
}

/// The platform in whose published ranges an address lies.
pub fn by_address(address: IpAddr) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| platform.ranges.iter().any(|range| contains(range, address)))
}

/// Whether a platform sets this cookie by itself, on any visitor's answer.
pub fn is_platform_cookie(name: &str) -> bool {
    PLATFORMS.iter().flat_map(|platform| platform.cookies).any(|prefix| name.starts_with(prefix))
}

/// Whether `name` is `suffix` or below it; both lower case.
pub fn is_below(name: &str, suffix: &str) -> bool {
    name == suffix || name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether an address lies in a range `address/bits`.
pub fn contains(range: &str, address: IpAddr) -> bool {
    let Some((network, bits)) = range.split_once('/') else { return false };
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_recognised_by_each_sign() {
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(by_headers(&header("server", "Vercel")).unwrap().name, "Vercel");
        assert_eq!(by_headers(&header("x-amz-cf-id", "abc")).unwrap().name, "CloudFront");
        assert!(by_headers(&header("server", "nginx")).is_none());
        assert_eq!(by_alias("cname.vercel-dns.com").unwrap().name, "Vercel");
        assert!(by_alias("notvercel-dns.com").is_none());
        assert_eq!(by_address("104.21.3.4".parse().unwrap()).unwrap().name, "Cloudflare");
        assert_eq!(by_address("2606:4700::6810:1".parse().unwrap()).unwrap().name, "Cloudflare");
        assert!(by_address("203.0.113.4".parse().unwrap()).is_none());
        assert!(is_platform_cookie("__cf_bm"));
        assert!(!is_platform_cookie("session"));
    }

    #[test]
    fn every_range_can_be_read() {
        for range in PLATFORMS.iter().flat_map(|platform| platform.ranges) {
            let (network, _) = range.split_once('/').unwrap();
            assert!(contains(range, network.parse().unwrap()), "{range}");
        }
    }
}
