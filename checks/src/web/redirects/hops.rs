//! Judges single hops and their number: downgrades, lost paths, temporary statuses, chains.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::matrix::{host_of, is_http};
use super::{DEEP, DOWNGRADE, HOPS, LOST, MANY, Redirects, TEMPORARY};
use crate::contract::{AssessCx, Assessment, Finding, Severity};
use crate::web::walk::{End, Step, Walk};

/// The hops within the project; what another site does with the path is its own business.
fn own_steps<'a>(walks: &'a [&'a Walk]) -> impl Iterator<Item = Step<'a>> {
    let stays =
        |walk: &Walk, step: &Step<'_>| !matches!(&walk.end, End::OffSite { url } if url == step.to);
    walks.iter().flat_map(move |walk| walk.steps().filter(move |step| stays(walk, step)))
}

/// Hops from https to http, one finding for each host that sends one.
pub(super) fn judge_downgrades(walks: &[&Walk], out: &mut Assessment) {
    let mut downgrades = BTreeMap::new();
    for step in own_steps(walks) {
        if !is_http(step.from) && is_http(step.to) {
            downgrades.entry(host_of(step.from)).or_insert(step);
        }
    }
    for (host, step) in downgrades {
        out.find(downgrade(&host, step));
    }
}

/// Lost paths and temporary statuses of hops between the usual addresses.
pub(super) fn judge_moves(walks: &[&Walk], out: &mut Assessment) {
    let mut lost = BTreeMap::new();
    let mut temporary = BTreeSet::new();
    for step in own_steps(walks) {
        let moved =
            host_of(step.from) != host_of(step.to) || is_http(step.from) != is_http(step.to);
        if moved && step.from.ends_with(DEEP) && !keeps(step.to) {
            lost.entry(host_of(step.from)).or_insert(step);
        }
        if moved && matches!(step.status, 302 | 303 | 307) {
            let root = Url::parse(step.from).ok().filter(|url| url.path() == "/");
            if root.is_some() {
                temporary.insert(step.line());
            }
        }
    }
    for (host, step) in lost {
        out.find(
            LOST.finding(format!("https://{host}/"))
                .summary(format!("The redirect at {host} does not keep the path and the query."))
                .saw(step.line())
                .fix(format!(
                    "Redirect to the same path and query. On Vercel and Netlify, choose the primary \
                     domain under Domains in place of a rule of your own. On Cloudflare, use a \
                     redirect rule with “Preserve query string” on and the dynamic target \
                     `concat(\"https://{}\", http.request.uri.path)`. At a registrar's forwarding \
                     page, switch on “Forward with path”.",
                    host_of(step.to)
                ))
                .undo("Restore the former rule."),
        );
    }
    if let Some(first) = temporary.first().cloned() {
        let from = first.split(' ').next().unwrap_or_default().to_owned();
        out.find(
            TEMPORARY
                .finding(from)
                .summary(format!(
                    "{} between the addresses of the site {} a temporary status where a permanent one is meant.",
                    if temporary.len() == 1 { "One redirect".to_owned() } else { format!("{} redirects", temporary.len()) },
                    if temporary.len() == 1 { "has" } else { "have" },
                ))
                .saw_all(&temporary)
                .fix("Answer with 308 or 301. On Vercel: Project → Settings → Domains → Edit → choose \
                      “308 Permanent Redirect”.")
                .undo("Choose the temporary status again; browsers may remember a permanent one until \
                       their cache is cleared."),
        );
    }
}

fn downgrade(host: &str, step: Step<'_>) -> Finding {
    DOWNGRADE
        .finding(format!("https://{host}/"))
        .summary(format!("{} redirects to the unencrypted {}.", step.from, step.to))
        .saw(step.line())
        .fix(format!(
            "Change the target of that redirect to https://{}. The usual cause is an app behind a \
             proxy that takes its own address for http: set its public URL (such as NEXTAUTH_URL, \
             SITE_URL or APP_URL) to https, and let it trust X-Forwarded-Proto.",
            host_of(step.to)
        ))
        .undo("Restore the former target or variable.")
}

/// Whether a target still has path and query of the probe, also behind a language or inside the
/// return address of a sign-in page.
fn keeps(to: &str) -> bool {
    let Ok(url) = Url::parse(to) else { return false };
    let path = DEEP.split('?').next().unwrap_or_default();
    let whole = url.path().trim_end_matches('/').ends_with(path)
        && url.query_pairs().any(|(name, value)| name == "q" && value == "1");
    whole || is_sign_in(url.path())
}

fn is_sign_in(path: &str) -> bool {
    path.split('/').any(|part| {
        ["login", "signin", "sign-in", "log-in", "auth", "sign-up", "signup"].contains(&part)
    })
}

/// A hop within one host that chooses a language or the first page of an app: `/` to `/en`,
/// `/x` to `/en/x`, `/` to `/login`.
fn is_landing(step: Step<'_>) -> bool {
    let (Ok(from), Ok(to)) = (Url::parse(step.from), Url::parse(step.to)) else { return false };
    let locale = |part: &str| {
        let (language, region) = part.split_once(['-', '_']).unwrap_or((part, "xx"));
        language.len() == 2
            && (2..=4).contains(&region.len())
            && part.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '_')
    };
    let rest = to.path().trim_start_matches('/');
    let (first, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let same_rest = rest.trim_end_matches('/') == from.path().trim_matches('/');
    let first_page =
        ["app", "home", "dashboard", "welcome"].contains(&first) || is_sign_in(to.path());
    from.origin() == to.origin()
        && ((locale(first) && same_rest) || (from.path() == "/" && first_page))
}

/// The redirects of another host that count: a sign-in may take as many as it needs.
fn counted_before_sign_in(walk: &Walk) -> usize {
    let before = walk.steps().take_while(|step| !leads_to_sign_in(step.to)).count();
    let end = walk.steps().nth(before).map(|step| step.from.to_owned());
    let url = end.unwrap_or_else(|| walk.end.url().to_owned());
    let hops = walk.hops.iter().take(before).cloned().collect();
    counted(&Walk { start: walk.start.clone(), hops, end: End::TooMany { url } })
}

/// Whether an address is that of a sign-in by its path, or its host by the first label.
fn leads_to_sign_in(to: &str) -> bool {
    let Ok(url) = Url::parse(to) else { return false };
    let label = url.host_str().and_then(|host| host.split('.').next()).unwrap_or_default();
    is_sign_in(url.path())
        || ["auth", "login", "signin", "accounts", "sso", "id"].contains(&label)
        || url.path().split('/').any(|part| ["authorize", "oauth", "oauth2", "sso"].contains(&part))
}

/// The redirects that count: all but the upgrade to https on the same host and a landing.
fn counted(walk: &Walk) -> usize {
    let upgrade = |index: usize, step: &Step<'_>| {
        index == 0
            && is_http(step.from)
            && !is_http(step.to)
            && host_of(step.from) == host_of(step.to)
    };
    walk.steps()
        .enumerate()
        .filter(|(index, step)| !upgrade(*index, step) && !is_landing(*step))
        .count()
}

/// The number of redirects from each host, against the thresholds. Only the usual addresses are
/// measured.
pub(super) fn judge_chains(
    walks: &[&Walk],
    others: &[&Walk],
    cx: &AssessCx<'_, Redirects>,
    out: &mut Assessment,
) {
    let (warning, critical) =
        (cx.options.max_hops, cx.options.critical_hops.max(cx.options.max_hops));
    let is_chain = |walk: &Walk| {
        matches!(walk.end, End::Page { .. } | End::TooMany { .. } | End::OffSite { .. })
    };
    let usual = walks.iter().filter(|walk| is_chain(walk)).map(|walk| (counted(walk), *walk));
    let usual: Vec<(usize, &Walk)> = usual.collect();
    let most = usual.iter().map(|(hops, _)| *hops).max();
    let others = others.iter().filter(|walk| is_chain(walk)).map(|walk| {
        let endless = matches!(walk.end, End::TooMany { .. });
        (if endless { counted(walk) } else { counted_before_sign_in(walk) }, *walk)
    });
    let mut worst: BTreeMap<String, (usize, &Walk)> = BTreeMap::new();
    for (hops, walk) in usual.into_iter().chain(others) {
        let entry = worst.entry(host_of(&walk.start)).or_insert((hops, walk));
        if hops > entry.0 {
            *entry = (hops, walk);
        }
    }
    if let Some(most) = most {
        let bounds = (Some(warning as f64), Some(critical as f64));
        out.measure(HOPS.value(None, most as f64).bounds(bounds.0, bounds.1));
    }
    for (host, (hops, walk)) in worst {
        if hops <= warning {
            continue;
        }
        let endless = matches!(walk.end, End::TooMany { .. });
        let severity =
            if hops > critical || endless { Severity::Critical } else { Severity::Warning };
        let end = walk.end.url();
        out.find(
            MANY.finding(&host)
                .at(severity)
                .summary(format!(
                    "{} is redirected {hops} times beside the upgrade to https; {warning} is enough.",
                    walk.start
                ))
                .saw_all(walk.lines())
                .fix(format!(
                    "Let the first redirect of {host} lead to https://{} at once, and delete the \
                     rules for the stations between: on Vercel and Netlify under Domains, on \
                     Cloudflare under Rules → Redirect Rules.",
                    host_of(end)
                ))
                .undo("Restore the deleted rules."),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choosing_a_language_or_a_first_page_is_a_landing() {
        let step = |from, to| Step { from, status: 307, to };
        assert!(is_landing(step("https://a.example/", "https://a.example/en")));
        assert!(is_landing(step("https://a.example/", "https://a.example/login?next=%2F")));
        assert!(is_landing(step("https://a.example/x?q=1", "https://a.example/pt-BR/x?q=1")));
        assert!(!is_landing(step("https://a.example/", "https://www.a.example/en")));
        assert!(!is_landing(step("https://a.example/x", "https://a.example/y")));
    }

    #[test]
    fn a_kept_path_may_stand_behind_a_language_or_a_sign_in() {
        assert!(keeps("https://a.example/launchready-redirect-probe/?q=1&utm=x"));
        assert!(keeps("https://a.example/en/launchready-redirect-probe?q=1"));
        assert!(keeps("https://app.a.example/login"));
        assert!(!keeps("https://a.example/launchready-redirect-probe"));
        assert!(!keeps("https://a.example/"));
    }
}
