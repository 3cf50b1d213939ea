//! The settings of the agent with its secrets named and not read, and their reading.

use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::agent::Agent;
use super::document::ConfigError;
use super::file::{AgentTable, MetricsTable, StoreValue};
use super::load::Project;
use super::secret::SecretRef;
use super::store::StoreAddress;
use super::vault::{Form, Vault};
use crate::incident::{Book, ChannelRule, Policy};
use crate::notify::{ChannelSettings, SmtpSecurity};
use crate::probe::Network;
use crate::schedule::Cron;

/// A secret that is named and not read.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// The key that names it.
    pub(super) key: String,
    /// The line of that key.
    pub(super) line: usize,
    /// Where it is.
    pub(super) reference: SecretRef,
}

/// Where a channel leads: [`ChannelKind`](crate::notify::ChannelKind) before its secrets are read.
#[derive(Debug, Clone)]
pub(super) enum Route {
    Email {
        host: String,
        port: u16,
        security: SmtpSecurity,
        login: Option<(String, Named)>,
        from: String,
        to: Vec<String>,
    },
    Slack {
        url: Named,
    },
    Webhook {
        url: Named,
        key: Option<Named>,
    },
    PagerDuty {
        routing_key: Named,
        api: String,
    },
    Alertmanager {
        url: String,
        token: Option<Named>,
    },
}

/// One channel.
#[derive(Debug, Clone)]
pub(super) struct ChannelPlan {
    pub(super) rule: ChannelRule,
    pub(super) route: Route,
    pub(super) timeout: Duration,
}

/// The token of one promise.
#[derive(Debug, Clone)]
pub(super) struct TokenPlan {
    pub(super) project: String,
    pub(super) name: String,
    pub(super) named: Named,
}

/// The settings of the agent.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// All that is no secret; channels and policies are filled in by [`Plan::read`].
    pub(super) agent: Agent,
    /// Where the address of the store is a secret.
    pub(super) store: Option<Named>,
    pub(super) heartbeat_url: Option<Named>,
    pub(super) password: Option<Named>,
    pub(super) metrics_token: Option<Named>,
    pub(super) channels: Vec<ChannelPlan>,
    pub(super) tokens: Vec<TokenPlan>,
}

impl Default for Plan {
    fn default() -> Self {
        Self::new(&AgentTable::default(), &MetricsTable::default(), Path::new(""))
    }
}

impl Plan {
    /// What the tables say without any doubt; addresses and times are left at their defaults.
    pub(super) fn new(agent: &AgentTable, metrics: &MetricsTable, folder: &Path) -> Self {
        let usual = AgentTable::default();
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let agent = Agent {
            folder: folder.to_owned(),
            listen: ([127, 0, 0, 1], 9797).into(),
            store: match &agent.store {
                StoreValue::Plain(text) => StoreAddress::plain(text),
                StoreValue::Secret(_) => StoreAddress::plain(""),
            },
            public_url: None,
            heartbeat_url: None,
            heartbeat_every: agent.heartbeat_every.0,
            password: None,
            metrics_token: None,
            max_in_flight: count(agent.max_in_flight),
            metrics_max_checks: count(metrics.max_checks),
            probe_targets: agent.probe_targets.clone(),
            keep: agent.keep.0,
            summary: Cron::new(&usual.summary, TimeZone::UTC).ok(),
            timezone: Policy::default().timezone,
            channels: Vec::new(),
            heartbeats: Vec::new(),
            book: Book::default(),
        };
        Self {
            agent,
            store: None,
            heartbeat_url: None,
            password: None,
            metrics_token: None,
            channels: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// Reads every secret. Where there are errors, the settings are of no use.
    pub(super) fn read(
        &self,
        projects: &[Project],
        network: &Network,
    ) -> (Agent, Vec<ConfigError>) {
        let mut vault = Vault { folder: &self.agent.folder, errors: Vec::new() };
        let mut agent = self.agent.clone();
        if let Some(named) = &self.store {
            agent.store = vault.store(named);
        }
        agent.heartbeat_url = vault.maybe(self.heartbeat_url.as_ref(), Form::Url);
        agent.password = vault.maybe(self.password.as_ref(), Form::Password);
        agent.metrics_token = vault.maybe(self.metrics_token.as_ref(), Form::Password);
        for channel in &self.channels {
            agent.channels.push(ChannelSettings {
                name: channel.rule.name.clone(),
                kind: vault.route(&channel.route),
                network: network.clone(),
                timeout: channel.timeout,
            });
            agent.book.channels.push(channel.rule.clone());
        }
        agent.heartbeats = vault.tokens(&self.tokens);
        let policy = |p: &Project| (p.target.project.clone(), p.watch.policy.clone());
        agent.book.policies = projects.iter().map(policy).collect();
        vault.errors.sort_by_key(|error| error.line);
        (agent, vault.errors)
    }

    /// Every secret that is named.
    pub(super) fn named(&self) -> Vec<&Named> {
        let own = [&self.store, &self.heartbeat_url, &self.password, &self.metrics_token];
        let own = own.into_iter().flatten();
        let routes = self.channels.iter().flat_map(|channel| match &channel.route {
            Route::Email { login, .. } => vec![login.as_ref().map(|(_, password)| password)],
            Route::Slack { url } => vec![Some(url)],
            Route::Webhook { url, key } => vec![Some(url), key.as_ref()],
            Route::PagerDuty { routing_key, .. } => vec![Some(routing_key)],
            Route::Alertmanager { token, .. } => vec![token.as_ref()],
        });
        let tokens = self.tokens.iter().map(|token| &token.named);
        own.chain(routes.flatten()).chain(tokens).collect()
    }

    /// Which defects nobody would be told of.
    pub(super) fn untold(&self, projects: &[Project]) -> Option<ConfigError> {
        let heard = |project: &Project| {
            let rules = self.channels.iter().map(|channel| &channel.rule);
            rules.filter(|rule| !rule.escalation).any(|rule| rule.tells_of(&project.target.project))
        };
        let message = if self.channels.is_empty() {
            "there is no [[channel]], so the agent tells nobody; add one, of which `launchready config \
             example` has a block for each kind, and prove it with `launchready notify test`"
                .to_owned()
        } else if self.channels.iter().all(|channel| channel.rule.escalation) {
            "every channel takes escalations alone, so nobody is told when something opens; \
             add one without escalation = true"
                .to_owned()
        } else {
            let untold = projects.iter().filter(|project| !heard(project));
            let names: Vec<_> = untold.map(|project| project.target.project.as_str()).collect();
            let shown = names.get(..names.len().min(5)).unwrap_or_default().join(", ");
            match names.len() {
                0 => return None,
                1..=5 => format!("no channel takes {shown}, so nobody is told of it"),
                all => format!("no channel takes {shown} and {} more, so nobody is told", all - 5),
            }
        };
        Some(ConfigError { line: 0, key: "channel".to_owned(), message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LoadError, load, load_agent, parse};
    use crate::notify::ChannelKind;

    const KEY: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    const ALL: &str = "[agent]\nheartbeat_url = { file = \"beat\" }\n\
        [agent.auth]\npassword = { file = \"password\" }\nmetrics_token = { file = \"token\" }\n\
        [network]\nextra_roots = [\"token\"]\n\
        [[channel]]\nname = \"a\"\nkind = \"email\"\nsmtp = \"smtps://smtp.harbor.example\"\n\
        from = \"a@harbor.example\"\nto = [\"b@harbor.example\"]\nuser = \"me\"\npassword = { file = \"mail\" }\n\
        [[channel]]\nname = \"b\"\nkind = \"slack\"\nurl = { file = \"slack\" }\n\
        [[channel]]\nname = \"c\"\nkind = \"webhook\"\nurl = { file = \"hook\" }\nkey = { file = \"key\" }\n\
        [[channel]]\nname = \"d\"\nkind = \"pagerduty\"\nrouting_key = { file = \"route\" }\n\
        [[channel]]\nname = \"e\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9093/\"\ntoken = { file = \"bearer\" }\n";

    const FILES: [(&str, &str); 9] = [
        ("beat", "https://beat.example/s3cret-beat"),
        ("password", "s3cret-password"),
        ("token", "s3cret-token"),
        ("mail", "s3cret-mail"),
        ("slack", "https://hooks.example/s3cret-slack"),
        ("hook", "http://127.0.0.1:1/s3cret-hook"),
        ("key", KEY),
        ("route", "s3cret-route"),
        ("bearer", "s3cret-bearer"),
    ];

    #[test]
    fn every_secret_is_read_from_its_place_and_none_is_printed() {
        let folder = tempfile::tempdir().unwrap();
        for (name, secret) in FILES {
            std::fs::write(folder.path().join(name), format!("{secret}\n")).unwrap();
        }
        let path = folder.path().join("launchready.toml");
        std::fs::write(&path, ALL).unwrap();
        let (config, agent) = load_agent(&path).unwrap();
        assert_eq!(agent.password.as_ref().unwrap().expose(), "s3cret-password");
        assert_eq!(agent.heartbeat_url.as_ref().unwrap().expose(), FILES[0].1);
        assert_eq!(agent.folder, folder.path());
        let kinds: Vec<_> = agent.channels.iter().map(|channel| &channel.kind).collect();
        let [
            ChannelKind::Email { host, port: 465, login: Some((user, password)), .. },
            ChannelKind::Slack { url: slack },
            ChannelKind::Webhook { key: Some(key), .. },
            ChannelKind::PagerDuty { routing_key, .. },
            ChannelKind::Alertmanager { url, token: Some(token) },
        ] = kinds.as_slice()
        else {
            panic!("{kinds:?}")
        };
        assert_eq!((host.as_str(), user.as_str()), ("smtp.harbor.example", "me"));
        assert_eq!((password.expose(), slack.expose()), ("s3cret-mail", FILES[4].1));
        assert_eq!((key.expose(), routing_key.expose()), (KEY, "s3cret-route"));
        assert_eq!((url.as_str(), token.expose()), ("http://127.0.0.1:9093", "s3cret-bearer"));
        for channel in &agent.channels {
            assert_eq!(channel.network.extra_roots, [folder.path().join("token")]);
        }
        let printed = format!("{config:?} {agent:?}");
        assert!(!printed.contains("s3cret") && !printed.contains(KEY), "{printed}");
    }

    #[test]
    fn an_audit_needs_no_secret_and_the_agent_says_every_missing_one_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "s3cret-token").unwrap();
        let path = folder.path().join("launchready.toml");
        let unset = "{ env = \"LAUNCHREADY_NO_SUCH_VARIABLE\" }";
        std::fs::write(&path, ALL.replace("{ file = \"mail\" }", unset)).unwrap();
        let config = load(&path).unwrap();
        let Err(LoadError::Secrets(errors)) = config.agent() else { panic!("secrets are missing") };
        let keys: Vec<_> = errors.0.iter().map(|error| (error.line, error.key.as_str())).collect();
        let wanted = [
            (2, "agent.heartbeat_url"),
            (4, "agent.auth.password"),
            (15, "channel[0].password"),
            (19, "channel[1].url"),
            (23, "channel[2].url"),
            (24, "channel[2].key"),
            (28, "channel[3].routing_key"),
            (33, "channel[4].token"),
        ];
        assert_eq!(keys, wanted);
        assert!(errors.to_string().contains("LAUNCHREADY_NO_SUCH_VARIABLE is not set"), "{errors}");
        assert_eq!(config.warnings(), errors.0);
    }

    #[test]
    fn a_secret_of_no_use_is_named_by_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (name, secret) in FILES {
            let secret = match name {
                "password" => "s3cret",
                "slack" => "hooks.example/s3cret",
                "key" => "whsec_s3cret",
                _ => secret,
            };
            std::fs::write(folder.path().join(name), secret).unwrap();
        }
        let errors = parse(ALL, folder.path()).unwrap().agent().unwrap_err().to_string();
        assert_eq!(errors.lines().count(), 4, "{errors}");
        assert!(errors.contains("password is of no use: it is shorter than 8"), "{errors}");
        assert!(errors.contains("slack is of no use: it is no web address"), "{errors}");
        assert!(errors.contains("key is of no use: it is no signing key"), "{errors}");
        assert!(!errors.contains("s3cret"), "{errors}");
    }

    #[test]
    fn who_would_be_told_of_nothing_hears_of_it() {
        let projects = "[[project]]\nname = \"a\"\ndomain = \"a.example\"\n\
                        [[project]]\nname = \"b\"\ndomain = \"b.example\"\n";
        let channel =
            "[[channel]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = \"http://am.example\"\n";
        let said = |rest: &str| {
            let config = parse(&format!("{projects}{rest}"), Path::new(".")).unwrap();
            config.warnings().first().map(ToString::to_string)
        };
        assert!(said("").unwrap().contains("there is no [[channel]], so the agent tells nobody"));
        assert_eq!(said(channel), None);
        let escalation = said(&format!("{channel}escalation = true\n")).unwrap();
        assert!(escalation.contains("escalations alone"), "{escalation}");
        let one = said(&format!("{channel}projects = [\"a\"]\n")).unwrap();
        assert_eq!(one, "channel: no channel takes b, so nobody is told of it");
    }
}
