//! Judges the redirects from the usual addresses: http and https, apex and `www`, root and deep path.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::look::Face;
use super::{BROKEN, Evidence, LOOP, NOT_SECURE, OFF_SITE, PORT_80, Redirects, TWO_HOMES, hops};
use crate::contract::{AssessCx, Assessment, Unseen};
use crate::probe::TargetFault;
use crate::web::site::Site;
use crate::web::walk::{End, Walk};

/// Judges every walk; a host that nobody declared and that does not answer is left out.
pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Redirects>, out: &mut Assessment) {
    let site = Site::of(cx.target);
    let optional = |host: &str| {
        site.www.as_deref() == Some(host)
            && !cx.target.declared_hosts().iter().any(|name| name == host)
    };
    let silent = |walk: &Walk| walk.hops.is_empty() && matches!(walk.end, End::NoAnswer { .. });
    let absent: BTreeSet<String> = by_host(&evidence.walks)
        .into_iter()
        .filter(|(host, walks)| optional(host) && walks.iter().all(|walk| silent(walk)))
        .map(|(host, _)| host)
        .collect();
    let walks: Vec<&Walk> =
        evidence.walks.iter().filter(|walk| !absent.contains(&host_of(&walk.start))).collect();
    for (host, walks) in by_host(walks.iter().copied()) {
        judge_port(&host, &walks, out);
    }
    // An application or an API may choose its landing page, its statuses and its sign-in; going round,
    // leading nowhere and giving up the encryption are wrong at every host.
    let others: Vec<&Walk> = evidence.others.iter().collect();
    let every = [walks.as_slice(), others.as_slice()].concat();
    judge_loops(&every, out);
    hops::judge_downgrades(&every, out);
    hops::judge_moves(&walks, out);
    hops::judge_chains(&walks, &others, cx, out);
    judge_off_site(&walks, out);
    judge_broken(&every, out);
    if let [one, two] = evidence.faces.as_slice() {
        judge_faces(one, two, out);
    }
}

pub(super) fn by_host<'a>(
    walks: impl IntoIterator<Item = &'a Walk>,
) -> BTreeMap<String, Vec<&'a Walk>> {
    let mut hosts: BTreeMap<String, Vec<&Walk>> = BTreeMap::new();
    for walk in walks {
        hosts.entry(host_of(&walk.start)).or_default().push(walk);
    }
    hosts
}

pub(super) fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn is_http(url: &str) -> bool {
    url.starts_with("http:")
}

/// Whether a walk never meets https.
pub(super) fn is_open(walk: &Walk) -> bool {
    is_http(walk.end.url()) && walk.steps().all(|step| is_http(step.to))
}

/// Port 80, the way from http to https, and what of the host could not be seen.
fn judge_port(host: &str, walks: &[&Walk], out: &mut Assessment) {
    let (plain, secure): (Vec<&Walk>, Vec<&Walk>) =
        walks.iter().partition(|walk| is_http(&walk.start));
    let answers = |walk: &&Walk| {
        !walk.hops.is_empty() || matches!(walk.end, End::Page { .. } | End::Challenged { .. })
    };
    let closed = plain.iter().find_map(|walk| match (&walk.end, walk.hops.is_empty()) {
        (
            End::NoAnswer {
                fault: fault @ (TargetFault::Refused(_) | TargetFault::TimedOut(_)),
                ..
            },
            true,
        ) => Some(fault),
        _ => None,
    });
    let port_closed = closed.filter(|_| secure.iter().any(answers) && !plain.iter().any(answers));
    if let Some(fault) = port_closed {
        out.find(
            PORT_80
                .finding(format!("http://{host}/"))
                .summary(format!("http://{host}/ does not answer, while https://{host}/ does."))
                .saw(format!("http://{host}/ → {fault}"))
                .fix(format!(
                    "Open port 80 and answer it with nothing but a 301 to https://{host}. Vercel, \
                     Netlify and Cloudflare do so by themselves once {host} points to them."
                ))
                .undo("Close port 80 again; nothing else depends on it."),
        );
    }
    let stays = |walk: &&&Walk| {
        is_open(walk) && matches!(walk.end, End::Page { status, .. } if status < 500)
    };
    let unencrypted: Vec<&&Walk> = plain.iter().filter(stays).collect();
    if let Some(first) = unencrypted.first() {
        out.find(
            NOT_SECURE
                .finding(format!("http://{host}/"))
                .summary(format!("{} answers without encryption and does not lead to https.", first.start))
                .saw_all(unencrypted.iter().flat_map(|walk| walk.lines()))
                .fix(format!(
                    "Answer every address under http://{host} with a 301 to the same path under \
                     https://{host}. On Cloudflare: SSL/TLS → Edge Certificates → “Always Use HTTPS” \
                     on. On Netlify: Domain management → HTTPS → “Force HTTPS”. On Vercel: point \
                     {host} to Vercel itself, which redirects always. In nginx: \
                     `return 301 https://$host$request_uri;` in the server block of port 80."
                ))
                .undo("Switch the setting off again, or take the return line out; browsers that saw \
                       the 301 may remember it until their cache is cleared."),
        );
    }
    note_unseen(host, walks, port_closed.is_some(), out);
}

/// What of a host could not be seen; that its port 80 is closed may be known already, or allowed.
pub(super) fn note_unseen(host: &str, walks: &[&Walk], port_closed: bool, out: &mut Assessment) {
    let plain = walks.iter().filter(|walk| is_http(&walk.start));
    let secure = walks.iter().filter(|walk| !is_http(&walk.start));
    let unseen = plain.chain(secure).find_map(|walk| {
        let never = matches!(walk.end, End::NotSeen { .. } | End::Challenged { .. });
        let down = match &walk.end {
            End::NoAnswer { .. } => !port_closed || !is_http(&walk.start),
            End::Page { url, status } => *status >= 500 && url.starts_with(&walk.start),
            _ => false,
        };
        let (reason, unlock) = walk.end.unread()?;
        // Whether http leads to https has to be proven, unless a hop already shows it.
        let blocks = never && is_http(&walk.start) && walk.steps().all(|step| is_http(step.to));
        (never || down).then_some((
            if blocks { Unseen::Blocks } else { Unseen::Condition },
            reason,
            unlock,
        ))
    });
    if let Some((unseen, reason, unlock)) = unseen {
        out.not_checked(unseen, format!("redirects of {host}"), reason, unlock);
    }
}

/// One finding per circle, whatever the address at which it is entered.
fn judge_loops(walks: &[&Walk], out: &mut Assessment) {
    let mut circles = BTreeMap::new();
    for walk in walks {
        let End::Loop { url } = &walk.end else { continue };
        let round = walk.hops.iter().skip_while(|hop| hop.url != *url);
        let hosts: BTreeSet<String> = round.map(|hop| host_of(&hop.url)).collect();
        circles.entry(hosts.into_iter().collect::<Vec<_>>().join(" and ")).or_insert(walk);
    }
    for (hosts, walk) in circles {
        out.find(
            LOOP.finding(&hosts)
                .summary(format!("{} leads back to itself and never to a page.", walk.start))
                .saw_all(walk.lines())
                .fix(format!(
                    "Let exactly one place redirect. The usual causes: Cloudflare's SSL/TLS mode is \
                     “Flexible” while the server behind redirects to https (set it to “Full \
                     (strict)”), or the host sends {hosts} to one name and the app or the edge sends \
                     it back (choose one primary domain under Domains on Vercel or Netlify, and \
                     delete the rule at the other place)."
                ))
                .undo("Set the former SSL/TLS mode or restore the deleted rule."),
        );
    }
}

/// Walks that leave the site.
fn judge_off_site(walks: &[&Walk], out: &mut Assessment) {
    let mut left = BTreeMap::new();
    for walk in walks {
        if let End::OffSite { url } = &walk.end {
            left.entry(host_of(&walk.start)).or_insert((walk, url));
        }
    }
    for (host, (walk, url)) in left {
        let other = host_of(url);
        out.find(
            OFF_SITE
                .finding(&host)
                .summary(format!("{} leads away from the project to {other}.", walk.start))
                .saw_all(walk.lines())
                .fix(format!(
                    "If {other} is yours, add it to hosts in the config. If it is not, delete the \
                     redirect at the host or the forwarding at the registrar of {host}, and change \
                     both passwords."
                ))
                .undo("Restore the redirect, or take the name out of hosts again."),
        );
    }
}

/// Redirects that nobody can follow, one finding for each host that sends one.
fn judge_broken(walks: &[&Walk], out: &mut Assessment) {
    let mut broken = BTreeMap::new();
    for walk in walks {
        if let End::Nowhere { url, location } = &walk.end {
            broken.entry(host_of(url)).or_insert((walk, url, location));
        }
    }
    for (host, (walk, url, location)) in broken {
        let wrong = if location.is_empty() { "no address at all" } else { location.as_str() };
        out.find(
            BROKEN
                .finding(&host)
                .summary(format!("{url} redirects to {wrong}, where no visitor can follow."))
                .saw_all(walk.lines())
                .fix(format!(
                    "Change the target to an https address of the site. A localhost target comes from \
                     a development value of SITE_URL, NEXTAUTH_URL or APP_URL in the production \
                     environment: set it to https://{host} and redeploy."
                ))
                .undo("Restore the former value and redeploy."),
        );
    }
}

/// Two hosts that show the same site are one too many; two different sites are two sites.
fn judge_faces(one: &Face, two: &Face, out: &mut Assessment) {
    let canonical = |face: &Face| face.canonical.as_deref().map(host_of);
    let named = canonical(one).or_else(|| canonical(two));
    let crossing = canonical(one).as_deref() == Some(two.host.as_str())
        || canonical(two).as_deref() == Some(one.host.as_str());
    if one.title != two.title && !crossing {
        return;
    }
    let keep = named.filter(|host| *host == one.host || *host == two.host);
    let keep = keep.unwrap_or_else(|| one.host.clone());
    let drop = if keep == one.host { &two.host } else { &one.host };
    let line = |face: &Face| {
        let title = face.title.as_deref().unwrap_or("(none)");
        let canonical = face.canonical.as_deref().unwrap_or("(none)");
        format!("https://{}/ → 200, title {title:?}, rel=canonical {canonical}", face.host)
    };
    out.find(
        TWO_HOMES
            .finding(&one.host)
            .summary(format!("{} and {} both show the site, and neither redirects.", one.host, two.host))
            .saw_all([line(one), line(two)])
            .fix(format!(
                "Redirect {drop} to {keep} with 308 or 301. On Vercel: Project → Settings → Domains → \
                 {drop} → Edit → Redirect to {keep}. On Netlify: Domain management → {keep} → “Set as \
                 primary domain”. On Cloudflare: Rules → Redirect Rules → template “Redirect from WWW \
                 to root” or its opposite."
            ))
            .undo(format!("Take the redirect of {drop} out again.")),
    );
}
