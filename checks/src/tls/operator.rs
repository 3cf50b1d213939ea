//! Who runs the end of a TLS connection, and where that vendor's dashboard keeps its settings.

use std::net::IpAddr;

use crate::probe::HostLook;
use crate::vendor;

/// The platform behind a host, by its aliases and then by one of its addresses.
pub(super) fn platform(host: &HostLook, address: Option<IpAddr>) -> Option<String> {
    let aliases = host.look.ok().map(|look| look.aliases.as_slice()).unwrap_or_default();
    let by_alias = aliases.iter().find_map(|alias| vendor::by_alias(alias));
    let found = by_alias.or_else(|| address.and_then(vendor::by_address));
    found.map(|platform| platform.name.to_owned())
}

/// How a certificate is renewed or issued anew at a platform; without one, on an own server.
pub(super) fn renew(platform: Option<&str>, host: &str) -> String {
    match platform {
        Some("Cloudflare") => format!(
            "In the Cloudflare dashboard open SSL/TLS → Edge Certificates, check that a certificate \
             for {host} is “Active”, and if it is not, switch Universal SSL off and on again. For a \
             certificate of your own, upload the new one there."
        ),
        Some("Vercel") => format!(
            "In Vercel open Project → Settings → Domains, press Refresh beside {host} until it says \
             “Valid Configuration”; if it does not, run `vercel certs issue {host}` and read what it \
             answers."
        ),
        Some("Netlify") => format!(
            "In Netlify open Domain management → HTTPS, check that {host} is listed, and press \
             “Renew certificate”."
        ),
        Some("GitHub Pages") => format!(
            "In the repository open Settings → Pages, remove the custom domain {host}, save, enter \
             it again, and wait until “Enforce HTTPS” can be ticked."
        ),
        Some(name) => format!(
            "In the dashboard of {name} open the custom domain {host}, read the state of its \
             certificate, and have it issued again."
        ),
        None => format!(
            "On the server of {host} renew the certificate and reload the web server. With certbot: \
             `sudo certbot renew --cert-name {host} --force-renewal`, then `sudo systemctl reload \
             nginx`; `systemctl list-timers` must show certbot, so that it happens by itself."
        ),
    }
}

/// How a host gets its first certificate at a platform; without one, on an own server.
pub(super) fn issue(platform: Option<&str>, host: &str) -> String {
    match platform {
        Some("Cloudflare" | "GitHub Pages") => renew(platform, host),
        Some("Vercel") => format!(
            "In Vercel open Project → Settings → Domains, add {host} if it is not listed, and press \
             Refresh until it says “Valid Configuration”."
        ),
        Some("Netlify") => format!(
            "In Netlify open Domain management, add {host} as a domain alias if it is not listed, \
             and press “Provision certificate” under HTTPS."
        ),
        Some(name) => format!(
            "In the dashboard of {name} add {host} as a custom domain, and wait until its \
             certificate is issued."
        ),
        None => format!(
            "On the server of {host}: `sudo certbot --nginx -d {host}` (or `--apache`), which also \
             puts it into the web server and renews it from then on."
        ),
    }
}

/// How the oldest accepted version is set at a platform; without one, on an own server.
pub(super) fn minimum_version(platform: Option<&str>, host: &str) -> (String, &'static str) {
    match platform {
        Some("Cloudflare") => (
            format!(
                "In the Cloudflare dashboard open the zone of {host}, SSL/TLS → Edge Certificates → \
                 Minimum TLS Version, and choose TLS 1.2."
            ),
            "Choose the earlier version in the same place.",
        ),
        Some("CloudFront") => (
            format!(
                "In the CloudFront console open the distribution of {host}, General → Settings → \
                 Edit, and choose the security policy TLSv1.2_2021."
            ),
            "Choose the earlier security policy in the same place.",
        ),
        Some("Bunny") => (
            format!(
                "In the Bunny dashboard open the pull zone of {host}, Security → General, and switch \
                 off TLS 1.0 and TLS 1.1."
            ),
            "Switch the versions on again in the same place.",
        ),
        Some(name) => (
            format!(
                "In the dashboard of {name} look for the minimum TLS version of {host} and choose \
                 TLS 1.2; where {name} offers no such setting, nothing has to be done."
            ),
            "Choose the earlier version in the same place.",
        ),
        None => (
            format!(
                "In the web server that answers for {host} allow only TLS 1.2 and 1.3. nginx: \
                 `ssl_protocols TLSv1.2 TLSv1.3;`. Apache: `SSLProtocol -all +TLSv1.2 +TLSv1.3`. \
                 Then reload it."
            ),
            "Put the earlier line back and reload the web server.",
        ),
    }
}
