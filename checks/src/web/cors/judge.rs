//! Judges what one address said to strangers.

use super::ask::{Asker, Said, Subject};
use super::{PRIVATE_WILDCARD, REFLECTED, VENDOR, WILDCARD_CREDENTIALS, WITH_CREDENTIALS};
use crate::contract::{Assessment, Finding, Target, Unseen};
use crate::probe::{Method, Seen};
use crate::vendor::is_below;
use crate::web::site::Site;

/// Judges one address; the worst that it said is its finding.
pub(super) fn judge(subject: &Subject, target: &Target, out: &mut Assessment) {
    let said: Vec<&Said> =
        subject.said.iter().filter_map(Seen::ok).filter(|said| counts(said)).collect();
    let strangers = || said.iter().copied().filter(|said| said.asker != Asker::Nobody);
    let reflected: Vec<&Said> = strangers().filter(|said| reflects(said, &target.domain)).collect();
    let trusted: Vec<&Said> = reflected.iter().copied().filter(|said| credentials(said)).collect();
    let open: Vec<&Said> = said.iter().copied().filter(|said| wildcard(said)).collect();
    let open_trusted: Vec<&Said> = open.iter().copied().filter(|said| credentials(said)).collect();
    let finding = if subject.is_vendors {
        let all = [reflected.clone(), open.clone()].concat();
        (!all.is_empty()).then(|| vendor(subject, &all, target))
    } else if !trusted.is_empty() {
        Some(with_credentials(subject, &trusted, target))
    } else if !reflected.is_empty() {
        Some(reflects_origin(subject, &reflected, target))
    } else if !open_trusted.is_empty() {
        Some(wildcard_credentials(subject, &open_trusted, target))
    } else if !open.is_empty()
        && (subject.is_function || subject.is_private)
        && !only_the_gateway(&said, &open)
    {
        Some(private(subject, &open, target))
    } else {
        None
    };
    if let Some(finding) = finding {
        out.find(finding);
    }
    unseen(subject, out);
}

/// A preflight that is refused allows nothing, whatever its headers say (Fetch, section 4.8).
fn counts(said: &Said) -> bool {
    said.method != Method::Options || (200..300).contains(&said.status)
}

fn reflects(said: &Said, domain: &str) -> bool {
    said.allow_origin.is_some() && said.allow_origin == said.asker.origin(domain)
}

fn wildcard(said: &Said) -> bool {
    said.allow_origin.as_deref() == Some("*")
}

/// The gateway of Supabase refuses a request without a token before the function sees it, with a `*`
/// of its own; the preflight is what reaches the function.
fn only_the_gateway(said: &[&Said], open: &[&Said]) -> bool {
    said.iter().any(|said| said.method == Method::Options)
        && open.iter().all(|said| said.method == Method::Get && said.status == 401)
}

/// Only this exact word counts in browsers.
fn credentials(said: &Said) -> bool {
    said.allow_credentials.as_deref() == Some("true")
}

fn lines(said: &[&Said], domain: &str) -> Vec<String> {
    let line = |said: &&Said| {
        let origin = said
            .asker
            .origin(domain)
            .map_or_else(|| "without Origin".to_owned(), |origin| format!("with Origin: {origin}"));
        let credentials = said
            .allow_credentials
            .as_ref()
            .map(|value| format!(", Access-Control-Allow-Credentials: {value}"))
            .unwrap_or_default();
        format!(
            "{} {origin} → {}, Access-Control-Allow-Origin: {}{credentials}",
            said.method.as_str(),
            said.status,
            said.allow_origin.as_deref().unwrap_or("(none)"),
        )
    };
    said.iter().map(line).collect()
}

/// The list of origins that should stand in the code: the product's own names.
fn allow_list(target: &Target) -> String {
    let site = Site::of(target);
    let names = [site.apex.as_str()]
        .into_iter()
        .chain(site.www.as_deref())
        .chain(site.others.iter().map(String::as_str).filter(|host| is_below(host, &site.apex)));
    let origins: Vec<_> = names.map(|name| format!("\"https://{name}\"")).collect();
    format!("`const allowed = [{}]`", origins.join(", "))
}

const UNDO: &str = "Restore the former header lines and redeploy.";

fn with_credentials(subject: &Subject, said: &[&Said], target: &Target) -> Finding {
    let url = &subject.url;
    let whom = match said.first().map(|said| said.asker) {
        Some(Asker::Null) => "the origin null, which any page can take,",
        Some(Asker::Suffix) => "a stranger whose name ends with yours",
        Some(Asker::LookAlike) => "a stranger whose name begins with yours",
        _ => "a site that it has never heard of",
    };
    WITH_CREDENTIALS
        .finding(url)
        .summary(format!("{url} lets {whom} read its answers with the customer's cookies."))
        .saw_all(lines(said, &target.domain))
        .fix(format!(
            "Compare the whole Origin header with a fixed list, {}, answer \
             Access-Control-Allow-Origin only for a match, and add `Vary: Origin`. In Express: \
             `cors({{ origin: allowed, credentials: true }})` in place of `origin: true`. Never allow \
             null.",
            allow_list(target)
        ))
        .undo(UNDO)
}

fn reflects_origin(subject: &Subject, said: &[&Said], target: &Target) -> Finding {
    let url = &subject.url;
    REFLECTED
        .finding(url)
        .summary(format!("{url} repeats the origin of whoever asks as allowed."))
        .saw_all(lines(said, &target.domain))
        .fix(format!(
            "Compare the whole Origin header with a fixed list, {}, and answer \
             Access-Control-Allow-Origin only for a match, with `Vary: Origin`. If the answer is \
             meant for everybody, send `*`.",
            allow_list(target)
        ))
        .undo(UNDO)
}

fn wildcard_credentials(subject: &Subject, said: &[&Said], target: &Target) -> Finding {
    let url = &subject.url;
    WILDCARD_CREDENTIALS
        .finding(url)
        .summary(format!("{url} allows every origin and credentials, which browsers refuse."))
        .saw_all(lines(said, &target.domain))
        .fix(format!(
            "Take Access-Control-Allow-Credentials out if the answer is the same for everybody. If \
             signed-in pages call it, replace `*` by the one asking origin after comparing it with a \
             fixed list, {}.",
            allow_list(target)
        ))
        .undo(UNDO)
}

fn private(subject: &Subject, said: &[&Said], target: &Target) -> Finding {
    let url = &subject.url;
    let what = if subject.is_function { "The function" } else { "The private API" };
    PRIVATE_WILDCARD
        .finding(url)
        .summary(format!("{what} {url} may be called from every site."))
        .saw_all(lines(said, &target.domain))
        .fix(format!(
            "In the corsHeaders of the function (supabase/functions/_shared/cors.ts) or of the API \
             route, replace `*` by the asking origin when it stands in {}, add `Vary: Origin`, and \
             redeploy: `supabase functions deploy`. An API that is meant for everybody can be waived.",
            allow_list(target)
        ))
        .undo("Put `*` back and redeploy.")
}

fn vendor(subject: &Subject, said: &[&Said], target: &Target) -> Finding {
    let url = &subject.url;
    VENDOR
        .finding(url)
        .summary(format!("{url}, which Supabase runs, may be called from every site."))
        .saw_all(lines(said, &target.domain))
        .fix(
            "Nothing is to be changed here: Supabase has no setting for it. Make sure that row-level \
             security is on for every table, because the public key works from every site.",
        )
        .undo("Nothing was changed.")
}

fn unseen(subject: &Subject, out: &mut Assessment) {
    let part = format!("cross-origin access to {}", subject.url);
    if let Some(sign) = &subject.challenge {
        out.not_checked(
            Unseen::Condition,
            part,
            format!("{} answers {sign}", subject.url),
            "let the address of this machine through at the edge, or run it from another one",
        );
        return;
    }
    if let Some(fault) = subject.said.iter().find_map(Seen::agent_fault) {
        out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
    } else if let Some(fault) = subject.said.iter().find_map(Seen::target_fault) {
        out.not_checked(
            Unseen::Condition,
            part,
            format!("{} does not answer: {fault}", subject.url),
            "fix what web-uptime finds first, then run it again",
        );
    }
}
