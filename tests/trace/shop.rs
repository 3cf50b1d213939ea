//! A shop with a Stripe account, a database, a CRM and a help desk, to be followed through.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready::app::Session;
use launchready::app::trace::{Chain, Link, Part, Reference};
use launchready::clock::{Clock as _, SystemClock};
use launchready::config::{Config, parse};
use launchready_lab::{Lab, LabOptions, Sale, SalesPlan, World, sales};

const NAMES: &str = r#"
[zone."."]
records = ['@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 2026090100 1800 900 604800 86400']
[zone."example"]
records = [
    '@ 3600 SOA a.nic.example. hostmaster.nic.example. 2026090100 1800 900 604800 3600',
    '@ 86400 NS a.nic.example.',
    'a.nic 86400 A 194.0.1.10',
]
[name_server."a.nic.example"]
addresses = ["194.0.1.10"]
zones = ["example"]
[resolver.first]
"#;

pub(crate) const PROJECT: &str = r#"
[project.stripe]
key = { file = "stripe.key" }
api = "lab:stripe"
[project.database]
url = { file = "database.url" }
orders = { table = "orders" }
events = { table = "stripe_events" }
crm_sync = { table = "crm_sync_log" }
[project.crm]
kind = "hubspot"
token = { file = "hubspot.key" }
api = "lab:hubspot"
[project.support]
kind = "zendesk"
user = "a@harbor.example"
token = { file = "zendesk.key" }
api = "lab:zendesk"
"#;

const APIS: &str = r#"
[secret]
"database.url" = "sqlite:shop.db"
"stripe.key" = "rk_live_sesame"
"hubspot.key" = "sesame"
"zendesk.key" = "sesame"
[api.stripe]
sales = { every_s = 1200, days = 20 }
{stripe}
[api.stripe.key.agent]
key = "rk_live_sesame"
[api.stripe.webhook.PxHarborMain]
url = "https://api.harbor.example/hook"
events = ["checkout.session.completed", "payment_intent.payment_failed", "charge.refunded", "charge.dispute.created"]
[api.hubspot]
token = "sesame"
[api.zendesk]
user = "a@harbor.example"
token = "sesame"
[shop]
"#;

/// The shop.
pub(crate) struct Shop {
    lab: Lab,
    config: Config,
    folder: tempfile::TempDir,
    pub(crate) now: Timestamp,
}

impl Shop {
    /// A shop that is as it should be but for what these lines say: of the whole Stripe account, and at the end.
    pub(crate) async fn open(project: &str, stripe: &str, more: &str) -> Self {
        let apis = APIS.replace("{stripe}", stripe);
        let text = format!(
            "[project]\nname = \"harbor\"\ndomain = \"harbor.example\"\n{project}\n{NAMES}\n{apis}\n{more}\n"
        );
        let world = World::from_toml(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let dir = folder.path().to_owned();
        let lab = Lab::start(&world, LabOptions { now, delay: Duration::ZERO, speed: 1.0, dir });
        let lab = lab.await.unwrap();
        let config = parse(&lab.config_toml(), folder.path()).unwrap();
        std::fs::write(folder.path().join("config.toml"), lab.config_toml()).unwrap();
        Self { lab, config, folder, now }
    }

    /// The config as a file.
    pub(crate) fn config(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("config.toml")
    }

    /// The newest sale that is older than so many hours and passes.
    pub(crate) fn sale(&self, hours: i64, wanted: impl Fn(&Sale) -> bool) -> Sale {
        let plan = SalesPlan { every_s: 1_200, days: 20, ..SalesPlan::default() };
        let old = self.now - SignedDuration::from_hours(hours);
        let all = sales(&plan, self.now, self.now);
        all.into_iter().rev().find(|sale| sale.at <= old && wanted(sale)).unwrap()
    }

    pub(crate) async fn trace(&self, reference: &str) -> Chain {
        let session = Session::new(self.config.network.clone(), Arc::new(SystemClock)).unwrap();
        let reference = Reference::read(reference).unwrap();
        let chain = session.trace(&self.config.projects[0], &reference).await.unwrap();
        let text = serde_json::to_string(&chain).unwrap();
        assert!(!text.contains('@') && !text.contains("sesame"), "{text}");
        chain
    }

    pub(crate) async fn close(self) {
        self.lab.stop().await;
    }
}

/// A link of a chain.
pub(crate) fn link(chain: &Chain, part: Part) -> &Link {
    chain.links.iter().find(|link| link.part == part).unwrap()
}

/// An ordinary sale: one payment and nothing after it.
pub(crate) fn plain(sale: &Sale) -> bool {
    sale.subscription.is_none() && sale.refunded.is_none() && sale.disputed.is_none()
}
