//! Where deliveries go: the channels of the config, built once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::incident::Book;
use crate::notify::{BuildError, ChannelKind, ChannelSettings, Notifier, build};

/// Slack takes one message a second for each webhook.
const SLACK_PAUSE: Duration = Duration::from_secs(1);

/// One channel.
#[derive(Debug, Clone)]
pub struct Route {
    /// How it is told.
    pub notifier: Arc<dyn Notifier>,
    /// The channel that stands in for it.
    pub fallback: Option<String>,
    /// The least time between two messages, in real time.
    pub pause: Duration,
}

/// All channels, and what their messages need to know.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// The channels by name.
    pub channels: BTreeMap<String, Route>,
    /// Where people reach the agent's page.
    pub public_url: Option<String>,
    /// The zone of each project; UTC for others.
    pub timezones: BTreeMap<String, String>,
    /// Who takes what: the channels as the config has them.
    pub book: Arc<Book>,
}

impl Routes {
    /// Builds every channel.
    ///
    /// # Errors
    /// One for each channel that cannot be built, all at once.
    pub fn new(
        channels: &[ChannelSettings],
        book: &Book,
        public_url: Option<String>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Vec<BuildError>> {
        let mut routes = BTreeMap::new();
        let mut errors = Vec::new();
        for settings in channels {
            let rule = book.channels.iter().find(|rule| rule.name == settings.name);
            let slack = matches!(settings.kind, ChannelKind::Slack { .. });
            match build(settings, Arc::clone(clock)) {
                Ok(notifier) => {
                    let route = Route {
                        notifier,
                        fallback: rule.and_then(|rule| rule.fallback.clone()),
                        pause: if slack { SLACK_PAUSE } else { Duration::ZERO },
                    };
                    routes.insert(settings.name.clone(), route);
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let zones = book.policies.iter();
        let timezones =
            zones.map(|(name, policy)| (name.clone(), policy.timezone.clone())).collect();
        let book = Book { channels: book.channels.clone(), ..Book::default() };
        Ok(Self { channels: routes, public_url, timezones, book: Arc::new(book) })
    }
}
