//! What a `Set-Cookie` header says, without its value.

use serde::{Deserialize, Serialize};

use crate::vendor::is_platform_cookie;

/// The most characters of a cookie's name that are kept.
const NAME_CHARS: usize = 60;

/// What a cookie is for, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// It keeps somebody signed in.
    Session,
    /// It keeps somebody signed in with Supabase, whose browser library has to read it.
    SupabaseSession,
    /// Anything else.
    Other,
}

/// One cookie that an answer sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cookie {
    /// Its name, at most 60 characters.
    pub(super) name: String,
    /// What it is for.
    pub(super) purpose: Purpose,
    /// Only sent over TLS.
    pub(super) secure: bool,
    /// Out of reach for scripts.
    pub(super) http_only: bool,
    /// The value of `SameSite`, lower case.
    pub(super) same_site: Option<String>,
}

impl Cookie {
    /// The header without its value, for evidence.
    pub(super) fn line(&self) -> String {
        let mut line = format!("Set-Cookie: {}=(not shown)", self.name);
        if self.secure {
            line.push_str("; Secure");
        }
        if self.http_only {
            line.push_str("; HttpOnly");
        }
        if let Some(value) = &self.same_site {
            line.push_str("; SameSite=");
            line.push_str(value);
        }
        line
    }
}

/// Reads the value of a `Set-Cookie` header (RFC 6265, section 5.2) into the facts and the value;
/// `None` for one without a name, for one that deletes a cookie, and for an edge network's own.
pub(super) fn read(line: &str) -> Option<(Cookie, &str)> {
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim().trim_matches('"'));
    if name.is_empty() || value.is_empty() || is_platform_cookie(name) {
        return None;
    }
    let mut cookie = Cookie {
        name: name.chars().take(NAME_CHARS).collect(),
        purpose: purpose(name),
        secure: false,
        http_only: false,
        same_site: None,
    };
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        match key.as_str() {
            "secure" => cookie.secure = true,
            "httponly" => cookie.http_only = true,
            "samesite"
                if ["strict", "lax", "none"].iter().any(|w| value.eq_ignore_ascii_case(w)) =>
            {
                cookie.same_site = Some(value.to_ascii_lowercase());
            }
            "max-age" if value.parse::<i64>().is_ok_and(|seconds| seconds <= 0) => return None,
            // The usual way to delete a cookie is a date at the beginning of Unix time.
            "expires" if value.contains("1970") => return None,
            _ => {}
        }
    }
    Some((cookie, value))
}

/// Cookies of analytics and chat tools whose names sound like a session, by prefix.
const TOOLS: [&str; 14] = [
    "_ga",
    "_gid",
    "_hj",
    "_fbp",
    "mp_",
    "ajs_",
    "amp_",
    "ph_",
    "intercom-",
    "crisp-",
    "_vercel_",
    "_vwo",
    "__hs",
    "_shopify_",
];

fn purpose(name: &str) -> Purpose {
    let name = name.to_ascii_lowercase();
    // A token against forged requests has to be readable by the page's own scripts.
    let guard = name.contains("csrf") || name.contains("xsrf");
    if guard || TOOLS.iter().any(|prefix| name.starts_with(prefix)) {
        return Purpose::Other;
    }
    // `sb-<ref>-auth-token`, its numbered pieces and its code verifier.
    if name.starts_with("sb-") && name.contains("-auth-token") {
        return Purpose::SupabaseSession;
    }
    let word = |wanted: &str| name.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == wanted);
    let session =
        ["session", "sessid", "next-auth", "authjs"].iter().any(|part| name.contains(part))
            || ["sid", "auth", "token", "jwt"].iter().any(|wanted| word(wanted))
            || ["token", "jwt"].iter().any(|end| name.ends_with(end))
            || name.starts_with("__secure-")
            || name.starts_with("__host-");
    if session { Purpose::Session } else { Purpose::Other }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attributes_are_read_whatever_their_case() {
        let (cookie, value) = read("sid=abc; PATH=/; secure; HTTPONLY; SameSite=Lax").unwrap();
        assert!(cookie.secure && cookie.http_only);
        assert_eq!(cookie.same_site.as_deref(), Some("lax"));
        assert_eq!(value, "abc");
        assert!(!cookie.line().contains("abc"));
    }

    #[test]
    fn deleted_nameless_and_platform_cookies_are_left_out() {
        for line in ["sid=; Path=/", "sid=x; Max-Age=0", "=x", "sid", "__cf_bm=abc; path=/"] {
            assert!(read(line).is_none(), "{line}");
        }
        assert!(read("sid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT").is_none());
    }

    #[test]
    fn the_name_tells_what_a_cookie_is_for() {
        for name in [
            "session",
            "connect.sid",
            "PHPSESSID",
            "JSESSIONID",
            "next-auth.session-token",
            "__Host-user",
            "access_token",
            "authToken",
            "ASP.NET_SessionId",
        ] {
            assert_eq!(purpose(name), Purpose::Session, "{name}");
        }
        for name in ["XSRF-TOKEN", "csrftoken", "_hjSession_1", "author", "theme", "inside"] {
            assert_eq!(purpose(name), Purpose::Other, "{name}");
        }
        assert_eq!(purpose("sb-abcd-auth-token.0"), Purpose::SupabaseSession);
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(line in ".{0,200}") {
            if let Some((cookie, _)) = read(&line) {
                prop_assert!(cookie.name.chars().count() <= NAME_CHARS);
            }
        }
    }
}
