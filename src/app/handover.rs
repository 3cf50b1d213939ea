//! Gathers what the config and the store say of a project for whoever takes it over.

use launchready_checks::contract::Age;

use crate::config::{Config, Project, SecretRef};
use crate::engine::{Account, Channel, Handover, Mended, SecretPlace, Watched};
use crate::incident::State;
use crate::notify::ChannelKind;
use crate::schedule::Schedule;
use crate::store::{DeliveryState, IncidentFilter, Store, StoreError};

/// The most incidents that are listed as mended.
const MENDED: usize = 50;

/// What the config says.
pub(crate) fn declared(config: &Config, project: &Project) -> Handover {
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
    let settings = config.settings();
    let rules =
        settings.book.channels.iter().filter(|rule| {
            rule.projects.is_empty() || rule.projects.contains(&project.target.project)
        });
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

/// The same, with what the store remembers.
pub(crate) async fn remembered(
    mut handover: Handover,
    store: &dyn Store,
    project: &str,
) -> Result<Handover, StoreError> {
    let latest = store.latest(Some(project)).await?;
    handover.last_look = latest.iter().filter_map(|run| run.at).max();
    for count in store.outbox().await? {
        let channel = handover.channels.iter_mut().find(|channel| channel.name == count.channel);
        let Some(channel) = channel else { continue };
        match count.state {
            DeliveryState::Sent => channel.delivered += count.count,
            DeliveryState::Failed => channel.failed += count.count,
            DeliveryState::Pending => {}
        }
    }
    let filter = IncidentFilter {
        project: Some(project.to_owned()),
        states: vec![State::Resolved],
        limit: MENDED,
        ..IncidentFilter::default()
    };
    let over = store.incidents(&filter).await?.into_iter();
    handover.mended = over
        .map(|incident| Mended {
            title: incident.title.clone(),
            code: incident.key.code.clone(),
            from: incident.first_seen,
            to: incident.resolved_at.unwrap_or(incident.last_seen),
            by: incident.resolved_by,
        })
        .collect();
    Ok(handover)
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
