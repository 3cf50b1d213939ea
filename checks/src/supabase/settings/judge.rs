//! Judges the state and the settings of a project.

use std::net::IpAddr;

use jiff::SignedDuration;
use url::{Host, Url};

use super::redirects::{Reach, reach};
use super::{
    CODE_LIFE, DOWN, Evidence, LEAKED, LIMITS, MAIL, NO_BACKUP, Options, REDIRECT_BARE,
    REDIRECT_SCOPED, SITE_URL, SSL, Settings, TOKEN, UNHEALTHY,
};
use crate::contract::{AssessCx, Assessment, Unseen};
use crate::probe::{AuthSettings, Backups, Seen, ServiceHealth, SupabaseProject, TokenPower};

/// Where sign-in is set.
const AUTH: &str = "In the dashboard open Authentication →";

/// The words for a project that answers nothing.
pub(super) fn is_paused(status: &str) -> bool {
    matches!(
        status,
        "INACTIVE"
            | "PAUSED"
            | "PAUSING"
            | "PAUSE_FAILED"
            | "GOING_DOWN"
            | "REMOVED"
            | "INIT_FAILED"
            | "RESTORE_FAILED"
    )
}

/// The words for a project that comes up, or does so badly.
fn is_unwell(status: &str) -> bool {
    matches!(
        status,
        "ACTIVE_UNHEALTHY" | "COMING_UP" | "RESTORING" | "RESTARTING" | "UPGRADING" | "RESIZING"
    )
}

/// Judges everything that was seen.
pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Settings>) -> Assessment {
    let mut out = Assessment::default();
    let named = cx.target.accounts.supabase.as_ref().map(|facts| facts.reference.clone());
    let subject = named.filter(|name| !name.is_empty()).unwrap_or_else(|| "supabase".to_owned());
    state(&subject, &evidence.project, &mut out);
    if evidence.token == TokenPower::Full {
        token(&subject, &mut out);
    }
    let Some(rest) = &evidence.rest else {
        out.not_checked(
            Unseen::Condition,
            "sign-in, backups and services",
            "the project is paused and answers nothing",
            "restore the project first",
        );
        return out;
    };
    seen(&rest.health, "the state of its services", &mut out, |services, out| {
        for service in services {
            health(&subject, service, out);
        }
    });
    seen(&rest.auth, "settings of sign-in", &mut out, |auth, out| {
        sign_in(&subject, auth, cx.options, out);
    });
    seen(&rest.backups, "backups", &mut out, |found, out| backups(&subject, found, cx, out));
    seen(&rest.ssl, "encryption of connections to the database", &mut out, |enforced, out| {
        if !enforced {
            ssl(&subject, out);
        }
    });
    out
}

/// Judges a part, or lists it as not seen.
fn seen<T>(
    part: &Seen<T>,
    name: &str,
    out: &mut Assessment,
    judge: impl FnOnce(&T, &mut Assessment),
) {
    let (reason, unlock) = match part {
        Seen::Ok(part) => return judge(part, out),
        Seen::Agent(fault) => (fault.to_string(), fault.unlock()),
        Seen::Target(fault) => (fault.to_string(), "run it again once it answers"),
    };
    out.not_checked(Unseen::Condition, name, reason, unlock);
}

fn state(subject: &str, project: &SupabaseProject, out: &mut Assessment) {
    let status = &project.status;
    if is_paused(status) || is_unwell(status) {
        out.find(
            DOWN.finding(subject)
                .summary(format!("The Supabase project is {}.", status.to_lowercase().replace('_', " ")))
                .saw(format!("status: {status}, region {}", project.region))
                .fix(
                    "Open the project in the dashboard. A paused one: press Restore project; projects of the \
                     free plan are paused after a week without use, so put a product with customers on a paid \
                     plan. Else see https://status.supabase.com and Settings → General → Restart project.",
                )
                .undo("Settings → General → Pause project."),
        );
    } else if status != "ACTIVE_HEALTHY" {
        out.not_checked(
            Unseen::Condition,
            "the state of the project",
            format!("its status {status:?} is not known to this version"),
            "look at the project in the dashboard",
        );
    }
}

fn token(subject: &str, out: &mut Assessment) {
    out.find(
        TOKEN
            .finding(subject)
            .summary("The token in [project.supabase] is a classic one, with all rights of its owner.")
            .saw("it begins with sbp_ and not with sbp_fc, as scoped tokens do")
            .fix(
                "At https://supabase.com/dashboard/account/tokens make a scoped token for this project with \
                 project_admin_read, analytics_logs_read, edge_functions_read, auth_config_read, backups_read, \
                 database_ssl_config_read, data_api_config_read and database_read, put it where the config \
                 reads the token, and delete the old one.",
            )
            .undo("Make a classic token on the same page."),
    );
}

fn health(subject: &str, service: &ServiceHealth, out: &mut Assessment) {
    let ServiceHealth { name, status, error } = service;
    match status.as_str() {
        "UNHEALTHY" => out.find(
            UNHEALTHY
                .finding(format!("{subject} {name}"))
                .summary(format!("The service {name} of the Supabase project is unhealthy."))
                .saw(format!("{name}: {status}"))
                .saw_all(error.iter())
                .fix(
                    "See https://status.supabase.com. When nothing is said there, look at the logs of the \
                     service in the dashboard and press Settings → General → Restart project: the database may \
                     be out of connections, memory or disk (Reports → Database).",
                )
                .undo("A restart needs no undo."),
        ),
        "ACTIVE_HEALTHY" => {}
        "COMING_UP" => out.not_checked(
            Unseen::Condition,
            format!("the service {name}"),
            "it is just starting",
            "run it again in some minutes",
        ),
        other => out.not_checked(
            Unseen::Condition,
            format!("the service {name}"),
            format!("its status {other:?} is not known to this version"),
            "look at the project in the dashboard",
        ),
    }
}

/// Whether an address leads to the machine or network of whoever opens it.
fn is_local(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => {
            matches!(name.rsplit('.').next(), Some("localhost" | "local"))
        }
        Some(Host::Ipv4(ip)) => is_own(ip.into()),
        Some(Host::Ipv6(ip)) => is_own(ip.into()),
        None => false,
    }
}

const fn is_own(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_loopback() || ip.is_private() || ip.is_unspecified() || ip.is_link_local()
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
    }
}

fn sign_in(subject: &str, auth: &AuthSettings, options: &Options, out: &mut Assessment) {
    match auth.site_url.as_deref() {
        Some(url) if is_local(url) => out.find(
            SITE_URL
                .finding(subject)
                .summary(format!("Links in sign-in mails lead to {url}."))
                .saw(format!("site_url: {url}"))
                .fix(format!(
                    "{AUTH} URL Configuration and set the Site URL to the address of the product, such as \
                     https://app.example.com. Keep localhost in the list of redirect URLs for development."
                ))
                .undo(format!("Set the Site URL to {url} again.")),
        ),
        None | Some("") => out.not_checked(
            Unseen::Condition,
            "the Site URL",
            "none is set",
            "set it under Authentication → URL Configuration",
        ),
        Some(_) => {}
    }
    redirects(subject, auth, out);
    if auth.email == Some(true) && auth.own_mail_server == Some(false) {
        out.find(
            MAIL.finding(subject)
                .summary("Sign-in by e-mail is on, and its mails go through the test mail server of Supabase.")
                .saw("external_email_enabled: true, no smtp_host")
                .fix(format!(
                    "{AUTH} Emails → SMTP Settings, turn Enable custom SMTP on and enter the server of your mail \
                     provider (Resend: smtp.resend.com, port 465, user resend). Then raise the limit for mails \
                     under Rate Limits."
                ))
                .undo("Turn Enable custom SMTP off again."),
        );
    }
    code_life(subject, auth, options, out);
    limits(subject, auth, options, out);
    if auth.email == Some(true) && auth.leaked_passwords == Some(false) {
        out.find(
            LEAKED
                .finding(subject)
                .summary("New passwords are not compared with those that have leaked elsewhere.")
                .saw("password_hibp_enabled: false")
                .fix(format!(
                    "{AUTH} Sign In / Providers → Email and turn Prevent use of leaked passwords on (paid plans)."
                ))
                .undo("Turn it off again."),
        );
    }
}

fn redirects(subject: &str, auth: &AuthSettings, out: &mut Assessment) {
    let of = |wanted: Reach| -> Vec<&String> {
        auth.redirects.iter().filter(|pattern| reach(pattern) == wanted).collect()
    };
    let (bare, scoped) = (of(Reach::Anywhere), of(Reach::Scoped));
    if let Some(first) = bare.first() {
        out.find(
            REDIRECT_BARE
                .finding(subject)
                .summary(format!("The redirect pattern {first} lets a sign-in lead to sites of strangers."))
                .saw_all(bare.iter().map(|pattern| format!("uri_allow_list: {pattern}")))
                .fix(format!(
                    "{AUTH} URL Configuration → Redirect URLs, delete the pattern and name the hosts of the \
                     product: https://app.example.com/** and, for previews, https://*-yourteam.vercel.app/**."
                ))
                .undo(format!("Add {first} to the list again.")),
        );
    }
    if let Some(first) = scoped.first() {
        out.find(
            REDIRECT_SCOPED
                .finding(subject)
                .summary(format!("A sign-in may lead to every address of the pattern {first}."))
                .saw_all(scoped.iter().map(|pattern| format!("uri_allow_list: {pattern}")))
                .fix(format!(
                    "Give previews a Supabase project of their own (branching), then delete the pattern: {AUTH} \
                     URL Configuration → Redirect URLs."
                ))
                .undo(format!("Add {first} to the list again.")),
        );
    }
}

fn code_life(subject: &str, auth: &AuthSettings, options: &Options, out: &mut Assessment) {
    let Some(life) = auth.code_life_s.filter(|life| *life > options.code_life.0.as_secs()) else {
        return;
    };
    out.find(
        CODE_LIFE
            .finding(subject)
            .summary(format!(
                "Codes and links in sign-in mails are valid for {life} s; the threshold is {}.",
                options.code_life
            ))
            .saw(format!("mailer_otp_exp: {life}"))
            .fix(format!(
                "{AUTH} Sign In / Providers → Email and set Email OTP Expiration to 3600 s or less."
            ))
            .undo(format!("Set it to {life} again.")),
    );
}

fn limits(subject: &str, auth: &AuthSettings, options: &Options, out: &mut Assessment) {
    let raised: Vec<String> = options
        .limits
        .iter()
        .filter_map(|(name, most)| {
            let set = auth.limits.get(name).filter(|set| *set > most)?;
            Some(format!("{name}: {set}, the threshold is {most}"))
        })
        .collect();
    let Some(first) = raised.first() else { return };
    out.find(
        LIMITS
            .finding(subject)
            .summary(format!("{} of the rate limits of sign-in are raised, such as {first}.", raised.len()))
            .saw_all(&raised)
            .fix(format!(
                "{AUTH} Rate Limits and set them back to 30. Where a real need raised one, turn CAPTCHA \
                 protection on under Attack Protection, and write the number into limits of \
                 [checks.supabase-settings]."
            ))
            .undo("Set the former number again."),
    );
}

fn backups(subject: &str, found: &Backups, cx: &AssessCx<'_, Settings>, out: &mut Assessment) {
    let age = SignedDuration::from_secs(cx.options.backup_age.whole_seconds());
    let oldest = cx.now.checked_sub(age).unwrap_or(cx.now);
    if found.point_in_time || found.latest.is_some_and(|latest| latest >= oldest) {
        return;
    }
    let summary = match found.latest {
        None => {
            "There is no backup of the database, and no point in time can be restored.".to_owned()
        }
        Some(latest) => format!(
            "The newest backup of the database is of {latest}, older than {}.",
            cx.options.backup_age
        ),
    };
    out.find(
        NO_BACKUP
            .finding(subject)
            .summary(summary)
            .saw(format!("{} complete backups, point-in-time recovery off", found.complete))
            .fix(
                "Put the project on a paid plan, which keeps a backup of each of the last seven days, or turn \
                 point-in-time recovery on under Database → Backups. Until then run `supabase db dump -f \
                 dump.sql` every night, and keep the file elsewhere.",
            )
            .undo("Settings → Add-ons → Point in Time Recovery → off."),
    );
}

fn ssl(subject: &str, out: &mut Assessment) {
    out.find(
        SSL.finding(subject)
            .summary("The database also takes connections without encryption.")
            .saw("ssl-enforcement: database false")
            .fix(
                "In the dashboard open Database → Settings → SSL Configuration and turn Enforce SSL on incoming \
                 connections on; the database restarts. See first that every server connects with \
                 sslmode=require or better.",
            )
            .undo("Turn it off again."),
    );
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn an_address_is_local_when_it_leads_to_the_readers_own_machine_or_network() {
        for url in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://192.168.1.20:3000",
            "http://[::1]/",
            "http://app.localhost",
            "http://mac.local:3000",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in ["https://app.harbor.example", "https://localhost.example.com", "harbor://", ""]
        {
            assert!(!is_local(url), "{url}");
        }
    }
}
