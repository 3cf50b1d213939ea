//! Judges pages and files: shared sessions, lives, compression, hits, validators.

use super::fetch::Fetch;
use super::{
    Asset, Evidence, NO_VALIDATOR, Options, PAST_EDGE, PRIVATE_PUBLIC, Page, SHARED_SESSION,
    SHORT_LIVED, UNCOMPRESSED,
};
use crate::contract::{Assessment, Unseen};
use crate::probe::{AgentFault, Seen, TargetFault};
use crate::web::recipe::Stack;

/// Judges all that was seen.
pub(super) fn judge(evidence: &Evidence, options: &Options, out: &mut Assessment) {
    for page in &evidence.pages {
        judge_session(page, out);
        judge_private(page, out);
        note(&page.url, &page.fetches, out);
    }
    // Findings about files are findings of the home page, which names them.
    let Some(home) = evidence.pages.first() else { return };
    judge_lives(home, &evidence.assets, options, out);
    judge_compression(evidence, options, out);
    judge_edge(home, &evidence.assets, out);
    judge_validators(evidence, options, out);
    for asset in &evidence.assets {
        note(&asset.url, &asset.fetches, out);
    }
}

/// Lists an address that gave no answer at all.
fn note(url: &str, fetches: &[Seen<Fetch>], out: &mut Assessment) {
    if fetches.iter().any(|fetch| fetch.ok().is_some()) {
        return;
    }
    let agent = fetches
        .iter()
        .find_map(Seen::agent_fault)
        .map(|fault: &AgentFault| (fault.to_string(), fault.unlock().to_owned()));
    let target = || {
        fetches.iter().find_map(Seen::target_fault).map(|fault: &TargetFault| {
            let unlock = "fix what web-uptime finds first, then run it again".to_owned();
            (format!("{url} does not answer: {fault}"), unlock)
        })
    };
    if let Some((reason, unlock)) = agent.or_else(target) {
        out.not_checked(Unseen::Condition, format!("caching of {url}"), reason, unlock);
    }
}

pub(super) fn good(fetches: &[Seen<Fetch>]) -> impl Iterator<Item = &Fetch> {
    fetches.iter().filter_map(Seen::ok).filter(|fetch| (200..300).contains(&fetch.status))
}

fn header(name: &str, value: Option<&str>) -> String {
    value.map_or_else(|| format!("no {name} header"), |value| format!("{name}: {value}"))
}

fn judge_session(page: &Page, out: &mut Assessment) {
    let fetches: Vec<&Fetch> = good(&page.fetches).collect();
    let [one, two] = fetches.as_slice() else { return };
    if !one.was_cached() && !two.was_cached() {
        return;
    }
    for session in &one.sessions {
        if !two.sessions.contains(session) {
            continue;
        }
        let (url, name) = (&page.url, &session.name);
        let line = |which: &str, fetch: &Fetch| {
            let age = fetch.age.map(|age| format!(", Age: {age}")).unwrap_or_default();
            let hit = fetch.hit_line.as_ref().map(|line| format!(", {line}")).unwrap_or_default();
            format!("{which} client without cookies: Set-Cookie: {name}=(the same value){age}{hit}")
        };
        out.find(
            SHARED_SESSION
                .finding(url)
                .key(name)
                .summary(format!("Two strangers get the same {name} cookie from the cache at {url}."))
                .saw(line("first", one))
                .saw(line("second", two))
                .saw(header("Cache-Control", one.cache_control.as_deref()))
                .fix(format!(
                    "Send `Cache-Control: private, no-store` with every answer that sets {name}, then \
                     empty the cache (Cloudflare: Caching → Configuration → Purge Everything; Vercel: \
                     redeploy; Netlify: Deploys → Clear cache and deploy) and end all sessions. On \
                     Cloudflare, also delete the cache rule “Cache Everything” for this path."
                ))
                .undo("Restore the former header or cache rule; sessions that were ended stay ended."),
        );
    }
}

fn judge_private(page: &Page, out: &mut Assessment) {
    let url = &page.url;
    let Some(fetch) = good(&page.fetches)
        .find(|fetch| fetch.is_public() && (page.personal || !fetch.sessions.is_empty()))
    else {
        return;
    };
    let what = match fetch.sessions.first() {
        Some(session) => format!("sets the session cookie {}", session.name),
        None => "is a page for one person".to_owned(),
    };
    out.find(
        PRIVATE_PUBLIC
            .finding(url)
            .summary(format!("{url} {what} and tells caches that they may keep the answer."))
            .saw(header("Cache-Control", fetch.cache_control.as_deref()))
            .saw_all(fetch.sessions.iter().map(|s| format!("Set-Cookie: {}=(not shown)", s.name)))
            .fix(
                "Send `Cache-Control: private, no-store` with this answer. In Next.js: \
                 `export const dynamic = \"force-dynamic\"` in the page, or set the cookie in a route \
                 that is not cached.",
            )
            .undo("Restore the former Cache-Control and redeploy."),
    );
}

fn judge_lives(home: &Page, assets: &[Asset], options: &Options, out: &mut Assessment) {
    let least = options.asset_min_age.0.as_secs();
    let short = |asset: &&Asset| {
        asset.hashed
            && good(&asset.fetches).next().is_some_and(|fetch| fetch.browser_life() < least)
    };
    let files: Vec<&Asset> = assets.iter().filter(short).collect();
    let Some(first) = files.first() else { return };
    let folder = folder_of(&first.url);
    let name = "Cache-Control";
    let value = "public, max-age=31536000, immutable";
    let lines = files.iter().map(|asset| {
        let value = good(&asset.fetches).next().and_then(|fetch| fetch.cache_control.as_deref());
        format!("{} → {}", asset.url, header(name, value))
    });
    out.find(
        SHORT_LIVED
            .finding(&home.url)
            .summary(format!(
                "{} of {} files with a hash in their name may be kept for less than {} days.",
                files.len(),
                assets.iter().filter(|asset| asset.hashed).count(),
                least / 86_400
            ))
            .saw_all(lines)
            .fix(format!(
                "Their names change with their content, so they can be kept for a year. {}",
                first.stack.header(&folder, name, value)
            ))
            .undo(format!(
                "{} Browsers keep what they have until its time is over, which does no harm under \
                 names that change.",
                first.stack.undo(name)
            )),
    );
}

/// The folder of a file, as the path in a header rule.
fn folder_of(url: &str) -> String {
    let path = url::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => "/".to_owned(),
    }
}

fn judge_compression(evidence: &Evidence, options: &Options, out: &mut Assessment) {
    let pages = evidence.pages.iter().map(|page| (&page.url, page.stack, &page.fetches));
    let assets = evidence.assets.iter().map(|asset| (&asset.url, asset.stack, &asset.fetches));
    let plain: Vec<(&String, Stack, &Fetch)> = pages
        .chain(assets)
        .filter_map(|(url, stack, fetches)| Some((url, stack, good(fetches).next()?)))
        .filter(|(_, _, fetch)| fetch.is_uncompressed(options.compress_above_bytes))
        .collect();
    let Some((first, stack, _)) = plain.first() else { return };
    let lines = plain.iter().map(|(url, _, fetch)| {
        let size = if fetch.bytes >= 64 * 1024 {
            "64 KiB or more".to_owned()
        } else {
            format!("{} bytes", fetch.bytes)
        };
        format!("{url} → {size}, no Content-Encoding, asked with Accept-Encoding: gzip, br")
    });
    let fix = match stack {
        Stack::Cloudflare => {
            "On Cloudflare: Rules → Compression Rules → enable Brotli and Gzip for the default \
             content types, and make sure that the server does not send `Cache-Control: \
             no-transform` and sends a Content-Type."
        }
        Stack::Vercel | Stack::Netlify => {
            "The platform compresses by itself what has a known Content-Type and no \
             `Cache-Control: no-transform`: correct these two headers of the answer."
        }
        Stack::Other => {
            "In nginx: `gzip on; gzip_types text/css application/javascript application/json \
             image/svg+xml;`. In Express: `app.use(require(\"compression\")())`. Or put an edge \
             network such as Cloudflare in front."
        }
    };
    out.find(
        UNCOMPRESSED
            .finding(*first)
            .key("compression")
            .summary(format!(
                "{} of the site is sent without compression.",
                if plain.len() == 1 {
                    "One text".to_owned()
                } else {
                    format!("Text at {} addresses", plain.len())
                }
            ))
            .saw_all(lines)
            .fix(fix)
            .undo("Take the line or the rule out again."),
    );
}

fn judge_edge(home: &Page, assets: &[Asset], out: &mut Assessment) {
    let hashed: Vec<&Asset> = assets.iter().filter(|asset| asset.hashed).collect();
    let never = |asset: &&Asset| {
        let fetches: Vec<&Fetch> = good(&asset.fetches).collect();
        fetches.len() >= 2
            && fetches.iter().all(|fetch| {
                fetch.hit == Some(false) && !fetch.was_cached() && fetch.edge.is_some()
            })
    };
    if hashed.is_empty() || !hashed.iter().all(never) {
        return;
    }
    let edge = hashed
        .iter()
        .find_map(|asset| good(&asset.fetches).next()?.edge.as_deref())
        .unwrap_or("the edge");
    let lines = hashed.iter().map(|asset| {
        let statuses: Vec<_> =
            good(&asset.fetches).filter_map(|fetch| fetch.hit_line.as_deref()).collect();
        format!("{} → {}", asset.url, statuses.join(", then "))
    });
    let rule = match edge {
        "Cloudflare" => {
            "On Cloudflare: Caching → Cache Rules → the hashed folder → Eligible for cache, \
             and delete a rule that says Bypass. "
                .to_owned()
        }
        _ => String::new(),
    };
    let stack = hashed.first().map(|asset| asset.stack).unwrap_or_default();
    let folder = hashed.first().map(|asset| folder_of(&asset.url)).unwrap_or_default();
    out.find(
        PAST_EDGE
            .finding(&home.url)
            .summary(format!(
                "{edge} has kept none of {} files with a hash in their name, however often they are asked.",
                hashed.len()
            ))
            .saw_all(lines)
            .fix(format!(
                "{rule}Make sure that the files are sent without Set-Cookie and without `private` or \
                 `no-store`. {}",
                stack.header(&folder, "Cache-Control", "public, max-age=31536000, immutable")
            ))
            .undo(stack.undo("Cache-Control")),
    );
}

fn judge_validators(evidence: &Evidence, options: &Options, out: &mut Assessment) {
    let least = options.asset_min_age.0.as_secs();
    let bare = |fetch: &&Fetch| !fetch.has_validator && !fetch.is_never_kept();
    let pages = evidence
        .pages
        .iter()
        .filter_map(|page| good(&page.fetches).next().filter(bare).map(|_| &page.url));
    // A file that is kept for long is not asked again before its name changes.
    let assets = evidence.assets.iter().filter_map(|asset| {
        let fetch = good(&asset.fetches).next().filter(bare)?;
        (!asset.hashed || fetch.browser_life() < least).then_some(&asset.url)
    });
    let urls: Vec<&String> = pages.chain(assets).collect();
    let Some(first) = urls.first() else { return };
    out.find(
        NO_VALIDATOR
            .finding(*first)
            .key("validator")
            .summary(format!(
                "{} without ETag and Last-Modified.",
                if urls.len() == 1 { "One address answers".to_owned() } else { format!("{} addresses answer", urls.len()) }
            ))
            .saw_all(urls.iter().map(|url| format!("{url} → no ETag, no Last-Modified")))
            .fix(
                "Let the server send an ETag: `etag on;` in nginx for files, `app.set(\"etag\", true)` \
                 in Express, `generateEtags: true` (the default) in next.config.js. A page that must \
                 not be kept says so by `Cache-Control: no-store`.",
            )
            .undo("Switch the ETag off again."),
    );
}
