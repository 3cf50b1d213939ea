//! Gathers what the config says of a project for whoever takes it over.

use launchready_checks::contract::Age;

use crate::config::{Agent, Config, Project, SecretRef};
use crate::engine::{Account, Channel, Handover, SecretPlace, Watched};
use crate::notify::ChannelKind;
use crate::schedule::Schedule;

/// What the config, with the settings that are read from it, says of one of its projects.
pub(crate) fn declared(config: &Config, settings: &Agent, project: &Project) -> Handover {
    let secrets = config.secrets_of(&project.target.project).into_iter();
    let secrets = secrets.map(|(key, place, is_there)| SecretPlace {
        key,
        kept: match place {
            SecretRef::Env(name) => format!("variable {name}"),
            SecretRef::File(path) => format!("file {}", path.display()),
        },
        is_there,
    });
    let accounts = project.owners.iter().map(|table| Account {
        system: table.system.clone(),
        account: table.account.clone(),
        owner: table.owner.clone(),
        second: table.second.clone(),
        mfa: table.mfa,
        renews: table.renews,
        recovery: table.recovery.clone(),
        cost: table.cost.clone(),
    });
    let rules = settings.book.channels.iter().filter(|rule| rule.tells_of(&project.target.project));
    let channels = rules.map(|rule| {
        let kind = settings.channels.iter().find(|channel| channel.name == rule.name);
        Channel {
            name: rule.name.clone(),
            kind: kind.map_or("", |channel| word(&channel.kind)).to_owned(),
            severities: rule.severities.iter().map(|one| one.as_str().to_owned()).collect(),
            fallback: rule.fallback.clone(),
            delivered: 0,
            failed: 0,
        }
    });
    let watched = project
        .watch
        .schedules
        .iter()
        .map(|(check, schedule)| Watched { check: (*check).to_owned(), rhythm: rhythm(schedule) });
    Handover {
        accounts: accounts.collect(),
        secrets: secrets.collect(),
        channels: channels.collect(),
        watched: watched.collect(),
        last_look: None,
        mended: Vec::new(),
    }
}

/// What a channel is, in the word of the config.
const fn word(kind: &ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Email { .. } => "email",
        ChannelKind::Slack { .. } => "slack",
        ChannelKind::Webhook { .. } => "webhook",
        ChannelKind::PagerDuty { .. } => "pagerduty",
        ChannelKind::Alertmanager { .. } => "alertmanager",
    }
}

/// When a check looks, in words.
fn rhythm(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Every(interval) => format!("every {}", Age(*interval)),
        Schedule::Cron(cron) => format!("at \"{}\" ({})", cron.text(), cron.zone_name()),
    }
}
