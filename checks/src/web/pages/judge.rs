//! Judges what stands in the pages.

use url::Url;

use super::facts::{Facts, INSECURE};
use super::{Evidence, Options, spec};
use crate::contract::{Assessment, Bounded, FindingSpec, Severity, Unseen};
use crate::web::recipe::Stack;
use crate::web::site::Site;

/// Titles that the templates of the usual builders come with, in lower case.
const TITLES: [&str; 22] = [
    "vite app",
    "vite + react",
    "vite + react + ts",
    "vite + vue",
    "vite + svelte",
    "vite + svelte + ts",
    "create next app",
    "next.js",
    "react app",
    "lovable",
    "lovable app",
    "lovable generated project",
    "untitled",
    "untitled document",
    "document",
    "my app",
    "new project",
    "v0 app",
    "bolt app",
    "astro",
    "nuxt app",
    "home",
];

pub(super) fn judge(
    evidence: &Evidence,
    home: &Facts,
    site: &Site,
    options: &Options,
    out: &mut Assessment,
) {
    noindex(home, site, out);
    for page in std::iter::once(home).chain(&evidence.pages) {
        traces(page, out);
        mixed(page, out);
    }
    title(home, options, out);
    canonical(home, site, out);
}

fn lines(found: &Bounded<String>) -> impl Iterator<Item = String> {
    let more = (found.cut > 0).then(|| format!("and {} more", found.cut));
    found.items.iter().cloned().chain(more)
}

fn noindex(home: &Facts, site: &Site, out: &mut Assessment) {
    if home.noindex.items.is_empty() {
        return;
    }
    let url = &home.url;
    // An application below a product's domain is often kept out of search on purpose.
    let severity = if site.www.is_some() { Severity::Critical } else { Severity::Warning };
    let header = home.noindex.items.iter().any(|line| line.starts_with("X-Robots-Tag"));
    let fix = match (header, home.stack) {
        (false, _) => {
            "Delete the robots element from the head of the page and redeploy. In Next.js that is \
             `robots: { index: false }` in the metadata of the layout; in Webflow, Framer and \
             Squarespace a switch in the settings of the page or of the site. Then ask for the page \
             in Google Search Console → URL inspection → Request indexing."
        }
        (true, Stack::Vercel) => {
            "Take the X-Robots-Tag entry out of vercel.json or headers() in next.config.js and \
             redeploy. Vercel sends it by itself on preview addresses: make sure that the domain is \
             assigned to Production under Settings → Domains."
        }
        (true, _) => {
            "Take the X-Robots-Tag line out of the server's configuration, out of _headers, or out of \
             the edge's response header rules, and redeploy."
        }
    };
    out.find(
        spec::NOINDEX
            .finding(url)
            .at(severity)
            .summary(format!("{url} tells search engines to leave it out."))
            .saw_all(lines(&home.noindex))
            .fix(fix)
            .undo("Put the element or header back; pages leave the results within days."),
    );
}

fn traces(page: &Facts, out: &mut Assessment) {
    let url = &page.url;
    if !page.test_keys.items.is_empty() {
        let clerk = page.test_keys.items.iter().any(|line| line.contains("(Clerk)"));
        let vendor = if clerk { "Clerk" } else { "Stripe" };
        let keys = if clerk {
            "Clerk → Configure → API keys, instance Production"
        } else {
            "Stripe → Developers → API keys, with test mode off"
        };
        out.find(
            spec::TEST_KEY
                .finding(url)
                .summary(format!("{url} uses a {vendor} test key."))
                .saw_all(lines(&page.test_keys))
                .fix(format!(
                    "Copy the publishable key that begins with pk_live_ from {keys}. Set it as the \
                     environment variable of the production build (Vercel: Settings → Environment \
                     Variables → Production; Netlify: Site configuration → Environment variables), \
                     set the secret key of the server to live mode in the same step, and redeploy."
                ))
                .undo("Set the former key again and redeploy: no real payment is possible then."),
        );
    }
    if !page.localhost.items.is_empty() {
        out.find(
            spec::LOCALHOST
                .finding(url)
                .summary(format!("{url} points at an address that exists on a developer's machine alone."))
                .saw_all(lines(&page.localhost))
                .fix(
                    "Set the address of the live site in the variable that the page is built from \
                     (NEXT_PUBLIC_SITE_URL or metadataBase in Next.js, VITE_API_URL and its like in \
                     Vite) for production, and redeploy.",
                )
                .undo("Set the former value again and redeploy."),
        );
    }
}

fn mixed(page: &Facts, out: &mut Assessment) {
    let kinds: [(&FindingSpec, &Bounded<String>, &str); 2] = [
        (&spec::ACTIVE, &page.active, "that browsers refuse to load"),
        (&spec::PASSIVE, &page.passive, "that browsers warn about"),
    ];
    for (spec, found, what) in kinds {
        if found.items.is_empty() {
            continue;
        }
        let count = found.total();
        let at_least = if count < INSECURE { "" } else { "at least " };
        out.find(
            spec.finding(&page.url)
                .summary(format!(
                    "{} names {at_least}{count} {} over plain http {what}.",
                    page.url,
                    if count == 1 { "address" } else { "addresses" }
                ))
                .saw_all(lines(found))
                .fix(
                    "Write https:// in place of http:// in the lines above, after opening each \
                     address with https in a browser to see that it answers. What has no https is \
                     copied to your own site.",
                )
                .undo("Write http:// again."),
        );
    }
}

fn title(home: &Facts, options: &Options, out: &mut Assessment) {
    let title = home.title.as_deref().unwrap_or_default();
    let lower = title.to_lowercase();
    let own = options.default_titles.iter().any(|default| default.to_lowercase() == lower);
    if !title.is_empty() && !TITLES.contains(&lower.as_str()) && !own {
        return;
    }
    let summary = if title.is_empty() {
        format!("{} has no title.", home.url)
    } else {
        format!("The title of {} is “{title}”.", home.url)
    };
    out.find(
        spec::TITLE
            .finding(&home.url)
            .summary(summary)
            .saw(home.title.as_ref().map_or_else(
                || "no <title> element".to_owned(),
                |title| format!("<title>{title}</title>"),
            ))
            .fix(
                "Set the name of the product and what it does, in at most 60 characters: in Next.js \
                 `title` of the metadata in app/layout.tsx, with Vite and Lovable the title element \
                 of index.html, elsewhere in the settings of the page.",
            )
            .undo("Set the former title again."),
    );
}

fn canonical(home: &Facts, site: &Site, out: &mut Assessment) {
    let url = &home.url;
    let fix = format!(
        "Put `<link rel=\"canonical\" href=\"{url}\">` into the head of the page: in Next.js \
         `alternates: {{ canonical: \"/\" }}` beside `metadataBase` in the metadata, with Vite the \
         line itself in index.html for the home page."
    );
    if let Some(to) = home.canonical.items.first() {
        let own = Url::parse(to).is_ok_and(|to| site.owns(&to));
        // An address of the own machine is another finding.
        let local = Url::parse(to).is_ok_and(|to| {
            matches!(to.host_str(), Some("localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]"))
        });
        if !own && !local {
            out.find(
                spec::CANONICAL_ELSEWHERE
                    .finding(url)
                    .summary(format!("{url} names {to} as its own address."))
                    .saw_all(home.canonical.items.iter().map(|to| format!("rel=canonical → {to}")))
                    .fix(fix)
                    .undo(format!("Name {to} again.")),
            );
        }
    } else if home.shell {
        out.not_checked(
            Unseen::Noted,
            "the canonical link of the home page",
            "the page is an empty frame that JavaScript fills, which may add the link",
            "render the head of the page on the server, or put the link into index.html",
        );
    } else {
        out.find(
            spec::CANONICAL
                .finding(url)
                .summary(format!("{url} has no canonical link."))
                .saw("no <link rel=\"canonical\"> and no Link header with rel=canonical")
                .fix(fix)
                .undo("Delete the line again."),
        );
    }
}
