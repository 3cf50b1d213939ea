//! Judges the headers and cookies of one page, each rule by itself.

use super::policy::{Policy, hsts};
use super::{
    BANNER, FRAMING, INLINE, INSECURE, NO_CSP, NO_HSTS, NO_NOSNIFF, NO_REFERRER, NO_SAME_SITE,
    OPEN_CSP, PRELOAD, Page, READABLE, SHORT_HSTS,
};
use crate::contract::{Age, Assessment, Severity};
use crate::web::cookie::{Cookie, Purpose};

/// The least `max-age` that the preload list of browsers demands, one year (hstspreload.org).
const PRELOAD_SECONDS: u64 = 31_536_000;
const HSTS: &str = "Strict-Transport-Security";
/// Two years, the value that Vercel sends by itself.
const HSTS_VALUE: &str = "max-age=63072000";
const CSP: &str = "Content-Security-Policy";
/// A beginning for an app that uses Supabase and Stripe.
const CSP_VALUE: &str = "default-src 'self'; script-src 'self' 'unsafe-inline' https://js.stripe.com; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; \
    connect-src 'self' https://*.supabase.co wss://*.supabase.co https://api.stripe.com; \
    frame-src https://js.stripe.com https://hooks.stripe.com; object-src 'none'; base-uri 'self'; \
    frame-ancestors 'self'";

/// Judges one page.
pub(super) fn judge(page: &Page, hsts_min_age: Age, out: &mut Assessment) {
    if page.https {
        judge_hsts(page, hsts_min_age, out);
    }
    judge_csp(page, out);
    judge_framing(page, out);
    judge_small(page, out);
    for cookie in &page.cookies {
        judge_cookie(page, cookie, out);
    }
}

fn seen(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{name}: {value}"),
        None => format!("no {name} header"),
    }
}

fn judge_hsts(page: &Page, min_age: Age, out: &mut Assessment) {
    let url = &page.url;
    let read = page.hsts.as_deref().and_then(hsts).filter(|policy| policy.max_age > 0);
    let Some(policy) = read else {
        let how = match page.hsts.as_deref().map(hsts) {
            None => "sends no Strict-Transport-Security header",
            Some(None) => "sends a Strict-Transport-Security header that browsers ignore",
            Some(Some(_)) => "sends max-age=0, which tells browsers to forget the rule",
        };
        out.find(
            NO_HSTS
                .finding(url)
                .summary(format!("{url} {how}."))
                .saw(seen(HSTS, page.hsts.as_deref()))
                .fix(page.stack.header("/", HSTS, HSTS_VALUE))
                .undo(format!(
                    "Send `{HSTS}: max-age=0` for a while: browsers forget the rule at their next \
                     visit. {}",
                    page.stack.undo(HSTS)
                )),
        );
        return;
    };
    let days = policy.max_age / 86_400;
    let least = min_age.0.as_secs();
    if policy.max_age < least {
        out.find(
            SHORT_HSTS
                .finding(url)
                .summary(format!(
                    "{url} tells browsers to use https only for {days} days; {} days are the least.",
                    least / 86_400
                ))
                .saw(seen(HSTS, page.hsts.as_deref()))
                .fix(page.stack.header("/", HSTS, HSTS_VALUE))
                .undo("Send the shorter max-age again; browsers take it over at their next visit."),
        );
    }
    if policy.preload && (policy.max_age < PRELOAD_SECONDS || !policy.subdomains) {
        let missing = if policy.subdomains {
            format!("max-age is {days} days and must be 365 or more")
        } else {
            "includeSubDomains is missing".to_owned()
        };
        out.find(
            PRELOAD
                .finding(url)
                .summary(format!("{url} sends preload although {missing}."))
                .saw(seen(HSTS, page.hsts.as_deref()))
                .fix(format!(
                    "Take the word preload out. {}",
                    page.stack.header("/", HSTS, HSTS_VALUE)
                ))
                .undo("Send the former header again."),
        );
    }
}

fn judge_csp(page: &Page, out: &mut Assessment) {
    let url = &page.url;
    let try_first = "Send it as Content-Security-Policy-Report-Only for a day, visit every page with \
         the browser's console open, add the hosts that it names, and then rename it.";
    if page.policies.is_empty() {
        let note = if page.report_only { ": the one that it sends only reports" } else { "" };
        let report = page.report_only.then_some("Content-Security-Policy-Report-Only is set");
        out.find(
            NO_CSP
                .finding(url)
                .summary(format!("{url} has no Content-Security-Policy{note}."))
                .saw(format!("no {CSP} header and no meta tag"))
                .saw_all(report)
                .fix(format!("{} {try_first}", page.stack.header("/", CSP, CSP_VALUE)))
                .undo(page.stack.undo(CSP)),
        );
        return;
    }
    let lines = || page.policies.iter().map(Policy::line);
    // Of several policies all must agree, so one that limits is enough.
    if !page.policies.iter().any(Policy::limits_scripts) {
        out.find(
            OPEN_CSP
                .finding(url)
                .summary(format!(
                    "The Content-Security-Policy of {url} lets scripts in from anywhere."
                ))
                .saw_all(lines())
                .fix(format!(
                    "Add script-src to the policy with the hosts that the pages use, such as \
                     `script-src 'self' https://js.stripe.com`. {try_first}"
                ))
                .undo("Take script-src out of the policy again and redeploy."),
        );
    } else if page.policies.iter().all(Policy::allows_inline) {
        out.find(
            INLINE
                .finding(url)
                .summary(format!(
                    "The Content-Security-Policy of {url} allows 'unsafe-inline' for scripts."
                ))
                .saw_all(lines())
                .fix(
                    "Replace 'unsafe-inline' in script-src by a nonce: in Next.js set it in \
                     middleware.ts and read it with headers(); in a Vite app no inline script is \
                     needed, so take the word out.",
                )
                .undo("Put 'unsafe-inline' back and redeploy."),
        );
    }
}

fn judge_framing(page: &Page, out: &mut Assessment) {
    let url = &page.url;
    let by_policy = page.policies.iter().any(|policy| policy.ancestors.is_some());
    // Where the policy has frame-ancestors, browsers ignore X-Frame-Options.
    let limited = if by_policy {
        page.policies.iter().any(Policy::limits_framing)
    } else {
        page.frame_options.as_deref().is_some_and(|value| {
            let mut words = value.split(',').map(str::trim);
            words.any(|word| {
                word.eq_ignore_ascii_case("deny") || word.eq_ignore_ascii_case("sameorigin")
            })
        })
    };
    if limited {
        return;
    }
    let (name, value) = ("X-Frame-Options", "SAMEORIGIN");
    let fix = if by_policy {
        "Change frame-ancestors in the policy to `frame-ancestors 'self'`, or to the sites that show \
         your pages on purpose."
            .to_owned()
    } else {
        format!(
            "{} Where a partner shows your pages on purpose, name that site in the policy instead: \
             `frame-ancestors 'self' https://partner.example`.",
            page.stack.header("/", name, value)
        )
    };
    let ancestors = page.policies.iter().filter_map(|policy| policy.ancestors.as_ref());
    out.find(
        FRAMING
            .finding(url)
            .summary(format!("{url} may be shown in a frame by any site."))
            .saw(seen(name, page.frame_options.as_deref()))
            .saw_all(ancestors.map(|sources| format!("frame-ancestors {}", sources.join(" "))))
            .saw_all(
                (!by_policy).then_some("no frame-ancestors in a Content-Security-Policy header"),
            )
            .fix(fix)
            .undo(page.stack.undo(name)),
    );
}

/// The rules about a single small header.
fn judge_small(page: &Page, out: &mut Assessment) {
    let url = &page.url;
    let name = "X-Content-Type-Options";
    let nosniff = page
        .content_type_options
        .as_deref()
        .and_then(|value| value.split(',').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("nosniff"));
    if !nosniff {
        out.find(
            NO_NOSNIFF
                .finding(url)
                .summary(format!("{url} does not send X-Content-Type-Options: nosniff."))
                .saw(seen(name, page.content_type_options.as_deref()))
                .fix(page.stack.header("/", name, "nosniff"))
                .undo(page.stack.undo(name)),
        );
    }
    if page.referrer_policy.as_deref().is_none_or(|value| value.trim().is_empty()) {
        let name = "Referrer-Policy";
        out.find(
            NO_REFERRER
                .finding(url)
                .summary(format!("{url} does not say how much of its address links give away."))
                .saw("no Referrer-Policy header and no meta tag")
                .fix(page.stack.header("/", name, "strict-origin-when-cross-origin"))
                .undo(page.stack.undo(name)),
        );
    }
    if !page.banners.is_empty() {
        let lines = page.banners.iter().map(|(name, value)| format!("{name}: {value}"));
        out.find(
            BANNER
                .finding(url)
                .summary(format!("{url} names the version of its server software."))
                .saw_all(lines)
                .fix(
                    "Switch the banner off: `server_tokens off;` in nginx, `ServerTokens Prod` in \
                     Apache, `expose_php = Off` in php.ini, `app.disable(\"x-powered-by\")` in \
                     Express, `poweredByHeader: false` in next.config.js.",
                )
                .undo("Switch the banner on again."),
        );
    }
}

fn judge_cookie(page: &Page, cookie: &Cookie, out: &mut Assessment) {
    let url = &page.url;
    let name = &cookie.name;
    let supabase = cookie.purpose == Purpose::SupabaseSession;
    let library = if supabase {
        "in the cookieOptions of createServerClient and createBrowserClient (@supabase/ssr)"
    } else {
        "where the server sets it (cookie options of NextAuth, express-session, Django, Rails, …)"
    };
    if !cookie.secure {
        out.find(
            INSECURE
                .finding(url)
                .key(name)
                .summary(format!("{url} sets the session cookie {name} without Secure."))
                .saw(cookie.line())
                .fix(format!("Add `Secure` to {name} {library}, and redeploy."))
                .undo("Take Secure out again; the cookie is then sent over http too."),
        );
    }
    if !cookie.http_only {
        let finding = READABLE.finding(url).key(name);
        let finding = if supabase { finding.at(Severity::Info) } else { finding };
        let fix = if supabase {
            "The browser library of Supabase reads this cookie on purpose. Keep it, and let a \
             Content-Security-Policy keep other scripts out; or do all sign-in on the server and set \
             httpOnly there."
                .to_owned()
        } else {
            format!("Add `HttpOnly` to {name} {library}, and redeploy.")
        };
        out.find(
            finding
                .summary(format!("{url} sets the session cookie {name} without HttpOnly."))
                .saw(cookie.line())
                .fix(fix)
                .undo(
                    "Take HttpOnly out again, if a script of the product has to read the cookie.",
                ),
        );
    }
    if cookie.same_site.is_none() {
        out.find(
            NO_SAME_SITE
                .finding(url)
                .key(name)
                .summary(format!("{url} sets the session cookie {name} without SameSite."))
                .saw(cookie.line())
                .fix(format!("Add `SameSite=Lax` to {name} {library}, and redeploy."))
                .undo("Take SameSite out again."),
        );
    }
}
