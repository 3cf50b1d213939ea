//! Whether a request comes from a page of ours and was meant for us.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::Facts;
use super::fault::Fault;

/// Whether a host name, as it stands in a URL or a `Host` header, is this machine's loopback.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The `Host` header of a request, and the name in it without the port.
fn host(headers: &HeaderMap) -> Option<(&str, String)> {
    let line = headers.get(HOST)?.to_str().ok()?;
    // The parser of URLs knows what a host may look like.
    let url = Url::parse(&format!("http://{line}/")).ok()?;
    let is_bare = url.path() == "/" && url.username().is_empty() && url.query().is_none();
    is_bare.then_some((line, url.host_str()?.to_owned()))
}

/// Headers by which a proxy says that it passes on the request of somebody else.
const FORWARDED: [&str; 5] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Whether credentials are needed: not on loopback without a password, and always under a name by which
/// others reach the page.
pub(super) fn needs_credentials(facts: &Facts, headers: &HeaderMap) -> bool {
    // A proxy in front may send the name of loopback whatever the visitor asked for.
    let forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let from_here = !forwarded && host(headers).is_some_and(|(_, name)| is_loopback(&name));
    facts.password.is_some() || !facts.listen.ip().is_loopback() || !from_here
}

/// On loopback only the names of loopback and the public name are served: a page of a stranger whose
/// name was made to lead here (DNS rebinding) sends its own name.
pub(super) fn check_host(facts: &Facts, headers: &HeaderMap) -> Result<(), Fault> {
    let refuse = || {
        Fault::new(
            StatusCode::MISDIRECTED_REQUEST,
            "This agent is not served under that name.",
            format!(
                "Open http://localhost:{} or set public_url under [agent] in the config.",
                facts.listen.port()
            ),
        )
    };
    let (_, name) = host(headers).ok_or_else(refuse)?;
    let public = facts.public();
    let public = public.as_ref().and_then(Url::host_str);
    let is_known = is_loopback(&name) || public.is_some_and(|public| public == name);
    if facts.listen.ip().is_loopback() && !is_known {
        return Err(refuse());
    }
    Ok(())
}

/// A request that changes something comes from a page of ours, or from a program that is no browser.
pub(super) fn check_origin(
    facts: &Facts,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Fault> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site_is_ours =
        text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin_is_ours = headers.get(ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
        let Some(origin) = origin.filter(Url::has_host) else { return false };
        let is_public = facts.public().is_some_and(|public| public.origin() == origin.origin());
        let here = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .and_then(|host| Url::parse(&format!("{}://{host}/", origin.scheme())).ok());
        is_public || here.is_some_and(|here| here.origin() == origin.origin())
    });
    if site_is_ours && origin_is_ours {
        return Ok(());
    }
    Err(Fault::forbidden(
        "That request came from another site.",
        "Open the page itself and use its form.",
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::HeaderValue;

    use super::*;

    fn facts(listen: &str, public: Option<&str>) -> Facts {
        Facts {
            projects: Vec::new(),
            book: Arc::default(),
            password: None,
            metrics_token: None,
            public_url: public.map(str::to_owned),
            listen: listen.parse().unwrap(),
            heartbeats: Vec::new(),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn on_loopback_only_names_of_loopback_and_the_public_one_are_served() {
        let here = facts("127.0.0.1:9797", Some("https://watch.harbor.example"));
        let is_served = |host: &str| check_host(&here, &headers(&[("host", host)])).is_ok();
        for good in
            ["localhost:9797", "127.0.0.1:9797", "[::1]:9797", "LOCALHOST", "watch.harbor.example"]
        {
            assert!(is_served(good), "{good}");
        }
        for bad in ["evil.example:9797", "localhost.evil.example", "a@localhost", "", "localhost/x"]
        {
            assert!(!is_served(bad), "{bad}");
        }
        assert!(check_host(&here, &HeaderMap::new()).is_err());
        let open = facts("0.0.0.0:9797", None);
        assert!(check_host(&open, &headers(&[("host", "10.0.0.7:9797")])).is_ok());
    }

    #[test]
    fn credentials_are_needed_wherever_others_can_reach_the_page() {
        let local = headers(&[("host", "localhost:9797")]);
        let public = headers(&[("host", "watch.harbor.example")]);
        let here = facts("127.0.0.1:9797", Some("https://watch.harbor.example"));
        assert!(!needs_credentials(&here, &local));
        assert!(needs_credentials(&here, &public), "a proxy leads strangers here");
        assert!(needs_credentials(&facts("0.0.0.0:9797", None), &local));
        let guarded = Facts { password: Some(crate::config::Secret::new("x")), ..here };
        assert!(needs_credentials(&guarded, &local));
    }

    #[test]
    fn what_changes_something_comes_from_our_own_page() {
        let here = facts("127.0.0.1:9797", Some("https://watch.harbor.example"));
        let is_taken = |pairs: &[(&'static str, &str)]| {
            let mut pairs = pairs.to_vec();
            pairs.push(("host", "localhost:9797"));
            check_origin(&here, &Method::POST, &headers(&pairs)).is_ok()
        };
        assert!(is_taken(&[]), "a program sends neither");
        assert!(is_taken(&[
            ("origin", "http://localhost:9797"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(is_taken(&[("origin", "https://watch.harbor.example")]));
        for origin in ["null", "http://localhost:9798", "https://evil.example", "nonsense"] {
            assert!(!is_taken(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!is_taken(&[("sec-fetch-site", site)]), "{site}");
        }
    }
}
