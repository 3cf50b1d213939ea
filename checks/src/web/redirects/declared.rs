//! Judges the declared addresses: other hosts, the redirect map, webhooks and sign-in callbacks.

use url::Url;

use super::look::{Row, Short};
use super::matrix::{by_host, is_http, is_open, note_unseen};
use super::{CALLBACK, CALLBACKS, Evidence, MAP_WRONG, NOT_SECURE, OTHER_HOPS, ROWS, TEMPORARY};
use crate::contract::{Assessment, Unseen};
use crate::web::walk::{End, Walk};

/// Judges what the config declares.
pub(super) fn judge(evidence: &Evidence, out: &mut Assessment) {
    for (host, walks) in by_host(&evidence.others) {
        judge_other(&host, &walks, out);
    }
    for host in &evidence.not_kept {
        out.not_checked(
            Unseen::Blocks,
            format!("redirects of {host}"),
            format!("one run keeps {OTHER_HOPS} redirects of the hosts beside apex and www"),
            "let each of them redirect less often, then run it again",
        );
    }
    for row in &evidence.map.items {
        judge_row(row, out);
    }
    for webhook in &evidence.webhooks.items {
        judge_webhook(webhook, out);
    }
    for callback in &evidence.sign_in.items {
        judge_sign_in(callback, out);
    }
    if evidence.homeless > 0 {
        out.not_checked(
            Unseen::Condition,
            "declared paths",
            format!("{} of the declared paths have no home page to be asked at", evidence.homeless),
            "write them as full URLs, or fix what web-uptime finds first",
        );
    }
    let cut = [
        ("rows of the redirect map", evidence.map.cut, ROWS),
        ("webhook addresses", evidence.webhooks.cut, CALLBACKS),
        ("sign-in callback addresses", evidence.sign_in.cut, CALLBACKS),
    ];
    for (what, more, limit) in cut.into_iter().filter(|(_, more, _)| *more > 0) {
        out.not_checked(
            Unseen::Condition,
            format!("{more} more {what}"),
            format!("one run asks the first {limit}"),
            "split them over several projects with the same domain",
        );
    }
}

/// An app or API host may refuse http, and must not serve its page over it.
fn judge_other(host: &str, walks: &[&Walk], out: &mut Assessment) {
    let open = walks.iter().find(|walk| {
        is_http(&walk.start)
            && is_open(walk)
            && matches!(walk.end, End::Page { status: 200..=299, .. })
    });
    if let Some(walk) = open {
        out.find(
            NOT_SECURE
                .finding(&walk.start)
                .summary(format!("{} answers without encryption and does not lead to https.", walk.start))
                .saw_all(walk.lines())
                .fix(format!(
                    "Answer every address under http://{host} with a 301 to https://{host}, or close \
                     port 80 there. On Cloudflare: SSL/TLS → Edge Certificates → “Always Use HTTPS” on."
                ))
                .undo("Switch the setting off again."),
        );
    }
    note_unseen(host, walks, true, out);
}

fn judge_row(row: &Row, out: &mut Assessment) {
    if matches!(row.seen.end, End::NotSeen { .. } | End::Challenged { .. }) {
        if let Some((reason, unlock)) = row.seen.end.unread() {
            out.not_checked(
                Unseen::Condition,
                format!("redirect map: {}", row.from),
                reason,
                unlock,
            );
        }
        return;
    }
    let first = row.seen.first.as_ref().map(|(status, _)| *status);
    let wrong = match (&row.seen.end, first) {
        (End::NoAnswer { .. }, None) => Some("does not answer".to_owned()),
        (End::NoAnswer { url, .. }, Some(_)) => {
            Some(format!("leads to {url}, which does not answer"))
        }
        (End::Page { status, .. }, None) => Some(format!("answers {status} and does not redirect")),
        (End::Page { url, status: status @ 400.. }, Some(_)) => {
            Some(format!("leads to {url}, which answers {status}"))
        }
        (End::Loop { .. }, _) => Some("redirects in a loop".to_owned()),
        (End::TooMany { .. }, _) => Some("is redirected ten times without an end".to_owned()),
        (End::Nowhere { .. }, _) => Some("redirects to no usable address".to_owned()),
        (end, Some(_)) if !row.reached => Some(format!("leads to {}", end.url())),
        (_, Some(status)) => row
            .status
            .filter(|wanted| *wanted != status)
            .map(|wanted| format!("answers {status} where the map says {wanted}")),
        (_, None) => None,
    };
    let status = row.status.unwrap_or(301);
    let recipe = format!(
        "Add the redirect from {} to {} with status {status}: in vercel.json under \"redirects\", \
         in _redirects on Netlify and Cloudflare Pages as the line `{} {} {status}`, in next.config.js \
         under redirects().",
        row.from, row.to, row.from, row.to
    );
    if let Some(wrong) = wrong {
        out.find(
            MAP_WRONG
                .finding(&row.from)
                .summary(format!("{} {wrong}; it must lead to {}.", row.from, row.to))
                .saw_all(row.seen.lines())
                .fix(recipe)
                .undo("Take the redirect out again and redeploy."),
        );
    } else if row.status.is_none() && first.is_some_and(|status| matches!(status, 302 | 303 | 307))
    {
        out.find(
            TEMPORARY
                .finding(&row.from)
                .summary(format!("{} leads to {} with a temporary status.", row.from, row.to))
                .saw_all(row.seen.lines())
                .fix(recipe)
                .undo("Set the temporary status again and redeploy."),
        );
    }
}

fn judge_webhook(webhook: &Short, out: &mut Assessment) {
    if unseen(webhook, out) {
        return;
    }
    let Some((_, to)) = &webhook.first else { return };
    let fix = if moved(&webhook.asked, to) {
        format!(
            "Enter the address that answers, {to}, wherever the sender keeps it: in Stripe under \
             Developers → Webhooks → the endpoint → Edit. Or serve {} itself without a redirect.",
            webhook.asked
        )
    } else {
        format!(
            "Let {} answer by itself. The usual cause is a sign-in middleware in front of it: exclude \
             the path, in Next.js in the matcher of middleware.ts.",
            webhook.asked
        )
    };
    out.find(
        CALLBACK
            .finding(&webhook.asked)
            .summary(format!("The webhook address {} redirects to {to}.", webhook.asked))
            .saw_all(webhook.lines())
            .fix(fix)
            .undo("Enter the former address, or restore the matcher and redeploy."),
    );
}

/// A callback that sends the browser on is at work; one whose address itself moves is not.
fn judge_sign_in(callback: &Short, out: &mut Assessment) {
    if unseen(callback, out) {
        return;
    }
    let Some((_, to)) = callback.first.as_ref().filter(|(_, to)| moved(&callback.asked, to)) else {
        return;
    };
    out.find(
        CALLBACK
            .finding(&callback.asked)
            .summary(format!("The sign-in callback {} has moved to {to}.", callback.asked))
            .saw_all(callback.lines())
            .fix(format!(
                "Register {to} as the redirect address at the sign-in provider (in Supabase under \
                 Authentication → URL Configuration, at Google under Credentials → Authorised \
                 redirect URIs), and use the same in the app."
            ))
            .undo(format!("Register {} again.", callback.asked)),
    );
}

/// Notes a callback that gave no answer; true when there is nothing to judge.
fn unseen(callback: &Short, out: &mut Assessment) -> bool {
    let silent = callback.first.is_none()
        && matches!(
            callback.end,
            End::NotSeen { .. } | End::Challenged { .. } | End::NoAnswer { .. }
        );
    if let Some((reason, unlock)) = callback.end.unread().filter(|_| silent) {
        out.not_checked(
            Unseen::Condition,
            format!("redirect of {}", callback.asked),
            reason,
            unlock,
        );
    }
    silent
}

/// Whether the target is the same address in another place: another scheme or host, a slash more or
/// less, other case, or a language in front.
fn moved(from: &str, to: &str) -> bool {
    let (Ok(from), Ok(to)) = (Url::parse(from), Url::parse(to)) else { return false };
    let plain = |url: &Url| url.path().trim_matches('/').to_ascii_lowercase();
    let (old, new) = (plain(&from), plain(&to));
    let behind_language = new.split_once('/').is_some_and(|(first, rest)| {
        (first.len() == 2 || first.get(2..3) == Some("-")) && rest == old
    });
    old == new || behind_language
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_elsewhere_has_moved_and_another_path_is_an_answer() {
        let from = "https://harbor.example/auth/callback";
        assert!(moved(from, "https://www.harbor.example/auth/callback"));
        assert!(moved(from, "https://harbor.example/auth/callback/"));
        assert!(moved(from, "https://harbor.example/en/auth/callback?x=1"));
        assert!(!moved(from, "https://harbor.example/login?error=no_code"));
        assert!(!moved(from, "https://harbor.example/"));
    }
}
