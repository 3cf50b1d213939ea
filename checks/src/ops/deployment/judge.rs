//! Judges what is live, and the variables that it runs with.

use super::{
    AGE, Account, Build, Deployment, Evidence, MISSING, NOT_EXPECTED, Options, PREVIEW_LIVE,
    SHARED, Variables, Version,
};
use crate::contract::{AssessCx, Assessment, Unseen, whole};
use crate::probe::Seen;

/// Names in one line.
const NAMES: usize = 12;

pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Deployment>) -> Assessment {
    let mut out = Assessment::default();
    let options = cx.options;
    let mut saw = false;
    match &evidence.account {
        Some(Seen::Ok(account)) => {
            saw = account.live.is_some() || !account.at.is_empty();
            live(account, options, &mut out);
            previews(account, &mut out);
        }
        other => unseen(other.as_ref(), "what is live", &mut out),
    }
    match &evidence.variables {
        Some(Seen::Ok(variables)) => {
            self::variables(variables, evidence.vendor(), options, &mut out);
        }
        other => unseen(other.as_ref(), "environment variables", &mut out),
    }
    if let Some((reason, unlock)) = &evidence.no_account {
        out.not_checked(Unseen::Noted, "previews and environment variables", reason, unlock);
    }
    if let Some(version) = &evidence.version {
        saw |= !version.commits.is_empty();
        self::version(version, evidence, options, &mut out);
    }
    out.unless_seen(saw);
    out
}

impl Evidence {
    const fn account(&self) -> Option<&Account> {
        match &self.account {
            Some(seen) => seen.ok(),
            None => None,
        }
    }

    fn vendor(&self) -> &str {
        self.account().map_or("your host", |account| account.vendor.as_str())
    }
}

fn unseen<T>(seen: Option<&Seen<T>>, part: &str, out: &mut Assessment) {
    match seen {
        Some(Seen::Agent(fault)) => {
            out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
        }
        Some(Seen::Target(fault)) => {
            out.not_checked(
                Unseen::Condition,
                part,
                fault.to_string(),
                "run it again once it answers",
            );
        }
        Some(Seen::Ok(_)) | None => {}
    }
}

/// Whether two commits are the same, of which either may be shortened.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let enough = one.len().min(other.len()) >= 7;
    enough && (one.starts_with(&other) || other.starts_with(&one))
}

impl Build {
    fn line(&self) -> String {
        let commit = self.commit.as_deref().unwrap_or("without a commit");
        let branch = self.branch.as_ref().map(|branch| format!(" of {branch}")).unwrap_or_default();
        format!("{}, {}{branch}, {}, {}", self.id, commit, self.created, self.state)
    }

    /// It was not finished and will not be.
    fn has_failed(&self) -> bool {
        matches!(self.state.as_str(), "error" | "canceled" | "rejected")
    }

    fn is_ready(&self) -> bool {
        matches!(self.state.as_str(), "ready" | "current")
    }
}

fn live(account: &Account, options: &Options, out: &mut Assessment) {
    let vendor = &account.vendor;
    let Some(live) = &account.live else {
        out.not_checked(
            Unseen::Condition,
            "what is live",
            format!("{vendor} names no build that is live"),
            "deploy to production once, then run it again",
        );
        return;
    };
    out.measure(AGE.value(None, whole(live.created.as_second())));
    let undo = format!(
        "In {vendor}, promote the former deployment again (Instant Rollback, or Publish deploy)."
    );
    if let Some(expected) = &options.expected {
        let Some(commit) = &live.commit else {
            out.not_checked(
                Unseen::Condition,
                "the commit that is live",
                format!("{vendor} names no commit of {}", live.id),
                "deploy from git, or set ops-deployment.version_url",
            );
            return;
        };
        if !same(commit, expected) {
            out.find(
                NOT_EXPECTED
                    .finding("production")
                    .summary(format!("{commit} is live, and {expected} should be."))
                    .saw(format!("live: {}", live.line()))
                    .saw_all(account.newest.as_ref().map(|new| format!("newest: {}", new.line())))
                    .fix(format!(
                        "In {vendor}, open the deployments, find {expected} and promote it to production; if its \
                         build failed, read its log. If {commit} is right, correct ops-deployment.expected."
                    ))
                    .undo(undo),
            );
        }
        return;
    }
    // Without a commit that is named, the newest build for production should be live. One that is still
    // being built is not yet.
    let Some(newest) = account.newest.as_ref().filter(|newest| newest.id != live.id) else {
        return;
    };
    if newest.created > live.created && (newest.has_failed() || newest.is_ready()) {
        let why =
            if newest.has_failed() { "its build failed" } else { "an older one was put back" };
        out.find(
            NOT_EXPECTED
                .finding("production")
                .summary(format!("The newest build for production is not live: {why}."))
                .saw(format!("live: {}", live.line()))
                .saw(format!("newest: {}", newest.line()))
                .fix(format!(
                    "In {vendor}, open {} and read its log; mend it and deploy again, or promote it to \
                     production. If the older one is meant to stay, name its commit in ops-deployment.expected.",
                    newest.id
                ))
                .undo(undo),
        );
    }
}

fn previews(account: &Account, out: &mut Assessment) {
    for (host, build) in account.at.iter().filter(|(_, build)| !build.production) {
        out.find(
            PREVIEW_LIVE
                .finding(host)
                .summary(format!("A preview answers at {host}."))
                .saw(build.line())
                .fix(format!(
                    "In {}, open the domains of the project and assign {host} to production, not to a branch; \
                     then deploy the production branch.",
                    account.vendor
                ))
                .undo(format!("Assign {host} to the branch again.")),
        );
    }
}

fn variables(seen: &Variables, vendor: &str, options: &Options, out: &mut Assessment) {
    let place = match vendor {
        "Netlify" => "Site configuration → Environment variables",
        _ => "Settings → Environment Variables",
    };
    for (name, elsewhere) in &seen.missing {
        let line =
            if *elsewhere { "it is set for other stages alone" } else { "it is not set at all" };
        out.find(
            MISSING
                .finding(name)
                .summary(format!("{name} is not set in production."))
                .saw(line)
                .saw(format!("{} variables are set in production", seen.production.total()))
                .fix(format!(
                    "In {vendor}, open {place}, add {name} for Production, and deploy again."
                ))
                .undo("Delete the variable again."),
        );
    }
    for name in &seen.empty.items {
        out.find(
            MISSING
                .finding(name)
                .key("empty")
                .summary(format!("{name} is set in production and holds nothing."))
                .saw("its value is empty")
                .fix(format!("In {vendor}, open {place}, give {name} its value, and deploy again."))
                .undo("Empty the variable again."),
        );
    }
    if seen.shared.total() > 0 {
        let names = seen.shared.items.iter().take(NAMES);
        out.find(
            SHARED
                .finding("production and preview")
                .summary(format!(
                    "{} for production and preview.",
                    if seen.shared.total() == 1 { "1 credential is the same".to_owned() } else {
                        format!("{} credentials are the same", seen.shared.total())
                    }
                ))
                .saw_all(names)
                .fix(format!(
                    "In {vendor}, open {place}. Give each of them a value of its own for Preview: test keys, and \
                     a database for tests. What may be shared is named in ops-deployment.shared_variables."
                ))
                .undo("Tick Preview at the entry for production again."),
        );
    }
    if options.required_variables.is_empty() {
        out.not_checked(
            Unseen::Noted,
            "whether every environment variable is set",
            "nobody has said which production needs",
            "name them in ops-deployment.required_variables",
        );
    }
}

fn version(version: &Version, evidence: &Evidence, options: &Options, out: &mut Assessment) {
    let url = &version.url;
    let part = format!("the commit that {url} names");
    if let Some(why) = &version.unread {
        out.not_checked(
            Unseen::Condition,
            part,
            why,
            "let it answer with the commit, then run it again",
        );
        return;
    }
    if version.commits.is_empty() {
        let unlock = "let it answer with the commit, such as {\"commit\":\"…\"}";
        out.not_checked(Unseen::Condition, part, "its answer names no commit", unlock);
        return;
    }
    let live = evidence.account().and_then(|account| account.live.as_ref()?.commit.clone());
    let Some(expected) = options.expected.clone().or(live) else {
        let unlock = "name the commit in ops-deployment.expected, or configure [project.hosting]";
        out.not_checked(Unseen::Condition, part, "nobody has said which should be live", unlock);
        return;
    };
    if !version.commits.iter().any(|commit| same(commit, &expected)) {
        out.find(
            NOT_EXPECTED
                .finding(url)
                .summary(format!("{url} names another commit than {expected}."))
                .saw(format!("{url} → {}", version.commits.join(", ")))
                .fix("Deploy the commit that should be live; if it is, purge the cache of the edge network for this address.")
                .undo("Promote the former deployment again."),
        );
    }
}
