//! Judges the files and links beside the home page.

use super::facts::Facts;
use super::legal::Kind;
use super::robots::Block;
use super::{Evidence, Options, spec};
use crate::contract::{Assessment, Severity, Unseen};
use crate::probe::TargetFault;
use crate::web::walk::End;

/// Paths of sign-in pages, to which an application sends every stranger whatever the path.
const SIGN_IN: [&str; 6] = ["login", "log-in", "signin", "sign-in", "auth", "account"];

pub(super) fn judge(evidence: &Evidence, home: &Facts, options: &Options, out: &mut Assessment) {
    robots(evidence, home, out);
    not_found(evidence, home, out);
    declared_pages(evidence, out);
    linked_pages(evidence, home, options, out);
    icon(evidence, home, out);
    links(evidence, out);
    security(evidence, home, out);
}

/// Whether a visit met a page or its plain absence; else why that is not known.
fn unseen(end: &End) -> Option<(String, String)> {
    let known = match end {
        End::Page { status, .. } => *status < 500,
        End::OffSite { .. } => true,
        _ => false,
    };
    if known { None } else { end.unread() }
}

fn note(what: &str, end: &End, unseen_means: Unseen, out: &mut Assessment) -> bool {
    match unseen(end) {
        Some((reason, unlock)) => {
            out.not_checked(unseen_means, what, reason, unlock);
            true
        }
        None => false,
    }
}

fn robots(evidence: &Evidence, home: &Facts, out: &mut Assessment) {
    let Some(robots) = &evidence.robots else { return };
    if note("robots.txt", &robots.end, Unseen::Condition, out) {
        return;
    }
    let Some(Block { google, rule }) = &robots.blocks_home else { return };
    let (whom, agent) =
        if *google { ("Google's crawler", "Googlebot") } else { ("every crawler", "*") };
    let url = robots.end.url();
    out.find(
        spec::ROBOTS
            .finding(url)
            .summary(format!("{url} forbids {whom} to read {}.", home.url))
            .saw(format!("User-agent: {agent}"))
            .saw(rule)
            .fix(
                "Replace the rule by `Allow: /`, and keep a `Disallow:` line for each path that is \
                 nobody's business, such as `Disallow: /api/`. The file is public/robots.txt in most \
                 projects, app/robots.ts in Next.js, and a text field in the settings of Webflow and \
                 Framer.",
            )
            .undo(format!("Write `{rule}` again.")),
    );
}

fn not_found(evidence: &Evidence, home: &Facts, out: &mut Assessment) {
    let Some(missing) = &evidence.missing else { return };
    if note("the page for addresses that do not exist", &missing.end, Unseen::Condition, out) {
        return;
    }
    let End::Page { url, status: 200..=299 } = &missing.end else { return };
    let moved = *url != missing.url;
    let path = url.to_ascii_lowercase();
    if moved && SIGN_IN.iter().any(|word| path.contains(word)) {
        return;
    }
    let shell = missing.shell || home.shell;
    let severity = if shell { Severity::Info } else { Severity::Warning };
    let fix = if shell {
        "A site that JavaScript draws answers every path alike. Let the server answer 404 for paths \
         that the router does not know: on Cloudflare Pages by a 404.html beside index.html, on \
         Netlify by listing the known paths in _redirects, on Vercel by listing them under rewrites, \
         or by rendering on the server."
    } else {
        "Answer unknown paths with status 404 and a page that leads back to the start: in Next.js \
         app/not-found.tsx and `notFound()`, on Netlify and Cloudflare Pages a file 404.html, in \
         nginx `try_files $uri $uri/ =404`. Do not redirect them to the home page."
    };
    out.find(
        spec::NOT_FOUND
            .finding(format!("{}#not-found", home.url))
            .at(severity)
            .summary(format!("{} does not exist and answers as a page does.", missing.url))
            .saw(if moved {
                format!("{} → {}", missing.url, missing.end.line())
            } else {
                missing.end.line()
            })
            .fix(fix)
            .undo("Restore the former rule for unknown paths."),
    );
}

fn declared_pages(evidence: &Evidence, out: &mut Assessment) {
    for page in evidence.legal.iter().filter(|page| page.kind.is_none()) {
        if note(&page.url, &page.end, Unseen::Condition, out) {
            continue;
        }
        if page.same_as_missing {
            let unlock = "let unknown paths answer 404, or render the legal pages on the server";
            let reason = "it answers, to the byte, what a path that does not exist answers";
            out.not_checked(Unseen::Condition, &page.url, reason, unlock);
            continue;
        }
        if page.end.unread().is_none() || matches!(page.end, End::OffSite { .. }) {
            continue;
        }
        out.find(
            spec::LEGAL
                .finding(&page.url)
                .summary(format!("The legal page {} is not there.", page.url))
                .saw(page.end.line())
                .fix(format!(
                    "Publish the page at {}, or correct `legal_pages` under [project.web] in the \
                     config if it has moved.",
                    page.url
                ))
                .undo("Take the page down again."),
        );
    }
}

fn linked_pages(evidence: &Evidence, home: &Facts, options: &Options, out: &mut Assessment) {
    if evidence.legal.iter().any(|page| page.kind.is_none()) {
        return;
    }
    for kind in Kind::ALL {
        if (kind == Kind::Refund && !options.refund_page) || evidence.foreign_legal.contains(&kind)
        {
            continue;
        }
        let pages = || evidence.legal.iter().filter(|page| page.kind == Some(kind));
        let there = |end: &End| end.unread().is_none() || matches!(end, End::OffSite { .. });
        let part = format!("the {}", kind.name());
        if pages().any(|page| there(&page.end) && !page.same_as_missing) {
            continue;
        }
        // Small sites treat refunds in their terms, and terms and privacy on one page.
        let elsewhere = evidence.pages.iter().any(|page| {
            let legal = evidence.legal.iter().any(|entry| entry.url == page.url)
                || page.url.contains("legal")
                || page.url.contains("polic");
            legal && page.mentions.contains(&kind)
        });
        if elsewhere {
            continue;
        }
        let hidden = pages().find_map(|page| unseen(&page.end));
        let shell = home.shell || pages().any(|page| page.same_as_missing);
        if let Some((reason, unlock)) = hidden {
            out.not_checked(Unseen::Condition, part, reason, unlock);
        } else if shell {
            out.not_checked(
                Unseen::Condition,
                part,
                "the page is an empty frame that JavaScript fills, so its links are not seen",
                "list the addresses as `legal_pages` under [project.web] in the config",
            );
        } else {
            missing(kind, evidence, home, out);
        }
    }
}

fn missing(kind: Kind, evidence: &Evidence, home: &Facts, out: &mut Assessment) {
    let broken = evidence.legal.iter().filter(|page| page.kind == Some(kind));
    let broken = broken.map(|page| page.end.line());
    let tried = evidence
        .usual_asked
        .iter()
        .filter(|url| kind.usual_paths().iter().any(|path| url.ends_with(path)));
    let first = kind.usual_paths().into_iter().next().unwrap_or_default();
    let origin = home.url.trim_end_matches('/');
    let name = kind.name();
    let (none, one, it, stands) = if kind.is_plural() {
        (format!("No {name} were found."), name.to_owned(), "them", "they stand")
    } else {
        (format!("No {name} was found."), format!("a {name}"), "it", "it stands")
    };
    out.find(
        spec::LEGAL
            .finding(&home.url)
            .key(name)
            .summary(none)
            .saw(format!("no working link to one on {}", home.url))
            .saw_all(broken)
            .saw_all(tried.map(|url| format!("{url} → not there")))
            .fix(format!(
                "Publish {one} at {origin}{first} and link {it} from the footer of every page; if {stands} \
                 elsewhere, list all three under `legal_pages` in [project.web] of the config."
            ))
            .undo("Take the page and the link down again."),
    );
}

fn icon(evidence: &Evidence, home: &Facts, out: &mut Assessment) {
    let Some(icon) = &evidence.icon else { return };
    if let Some(template) = &icon.of_template {
        out.find(
            spec::ICON_DEFAULT
                .finding(&home.url)
                .summary(format!("The icon of {} is that of the {template} template.", home.url))
                .saw(format!("{} holds the picture that comes with {template}", icon.url))
                .fix(
                    "Put your own picture in its place: in Next.js app/favicon.ico or app/icon.svg, else \
                     public/favicon.svg with `<link rel=\"icon\" href=\"/favicon.svg\">` in \
                     index.html; then delete the template's file and redeploy.",
                )
                .undo("Put the former file back."),
        );
        return;
    }
    let Some(end) = &icon.end else { return };
    if icon.is_picture || matches!(end, End::OffSite { .. }) {
        return;
    }
    if note("the icon of the site", end, Unseen::Noted, out) {
        return;
    }
    let named = if icon.named { "the page names it" } else { "the page names none" };
    out.find(
        spec::ICON_MISSING
            .finding(&home.url)
            .summary(format!("{} has no icon at {}.", home.url, icon.url))
            .saw(format!("{}, which is no picture; {named}", end.line()))
            .fix(
                "Put a square picture at /favicon.ico (public/favicon.ico in most projects, \
                 app/favicon.ico in Next.js) and name it in the head of the page: `<link \
                 rel=\"icon\" href=\"/favicon.ico\">`.",
            )
            .undo("Delete the file and the line again."),
    );
}

/// Whether a link certainly leads nowhere for everybody.
fn is_broken(end: &End) -> bool {
    match end {
        End::Page { status, .. } => matches!(status, 404 | 410 | 500..),
        End::Loop { .. } | End::TooMany { .. } | End::Nowhere { .. } => true,
        End::NoAnswer { fault, .. } => !matches!(fault, TargetFault::TimedOut(_)),
        End::Challenged { .. } | End::OffSite { .. } | End::NotSeen { .. } => false,
    }
}

fn links(evidence: &Evidence, out: &mut Assessment) {
    // A broken link to a legal page is the finding about that page.
    let legal = |url: &str| evidence.legal.iter().any(|page| page.url == url);
    let all = || evidence.links.items.iter().filter(|link| !legal(&link.url));
    let mut pages: Vec<&str> = Vec::new();
    for link in all().filter(|link| is_broken(&link.end)) {
        if !pages.contains(&link.on.as_str()) {
            pages.push(&link.on);
        }
    }
    for on in pages {
        let broken: Vec<_> = all().filter(|link| link.on == on && is_broken(&link.end)).collect();
        out.find(
            spec::LINK
                .finding(on)
                .summary(if broken.len() == 1 {
                    format!("One link on {on} leads nowhere.")
                } else {
                    format!("{} links on {on} lead nowhere.", broken.len())
                })
                .saw_all(broken.iter().map(|link| {
                    if link.end.url() == link.url {
                        link.end.line()
                    } else {
                        format!("{} leads to {}", link.url, link.end.line())
                    }
                }))
                .fix(
                    "Correct the addresses in the links, or publish the pages again; where a page has \
                     moved, redirect its old address with status 308.",
                )
                .undo("Put the former addresses back."),
        );
    }
    let hidden =
        |end: &End| !is_broken(end) && !matches!(end, End::Page { .. } | End::OffSite { .. });
    let unseen: Vec<_> = all().filter(|link| hidden(&link.end)).collect();
    if let Some((reason, unlock)) = unseen.first().and_then(|link| link.end.unread()) {
        let part = format!("{} of {} links", unseen.len(), evidence.links_tried);
        out.not_checked(Unseen::Condition, part, reason, unlock);
    }
}

fn security(evidence: &Evidence, home: &Facts, out: &mut Assessment) {
    let Some(file) = &evidence.security else { return };
    if file.has_contact || matches!(file.end, End::OffSite { .. }) {
        return;
    }
    if note("security.txt", &file.end, Unseen::Noted, out) {
        return;
    }
    let origin = home.url.trim_end_matches('/');
    let summary = format!("{origin}/.well-known/security.txt names nobody to report holes to.");
    out.find(
        spec::SECURITY
            .finding(&home.url)
            .key("security.txt")
            .summary(summary)
            .saw(format!("{}, no text with a Contact line", file.end.line()))
            .fix(format!(
                "Publish a text file at {origin}/.well-known/security.txt with two lines: `Contact: \
                 mailto:` and an address that is read, and `Expires: ` and a date within a year, such \
                 as 2027-06-30T00:00:00Z. In most projects it lies in public/.well-known/."
            ))
            .undo("Delete the file again."),
    );
}
