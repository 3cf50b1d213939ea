//! Worlds of the lab that are hostile in one way, and configs that lead into them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Lab, LabOptions, World};
use tempfile::TempDir;
use toml::{Table, Value};

/// The address of every host of the hostile world.
pub(crate) const ADDRESS: &str = "198.51.100.10";

/// A lab with the config that audits it.
pub(crate) struct Running {
    pub(crate) lab: Lab,
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
}

/// The hostile world: `storm.example` and `www`, and nothing else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storm {
    /// Hosts that are declared beside the apex.
    pub(crate) hosts: Vec<&'static str>,
    /// Records of the zone beside the usual ones.
    pub(crate) records: Vec<String>,
    /// What the apex and `www` are like, as lines of a site.
    pub(crate) site: String,
    /// Other tables of the world.
    pub(crate) more: String,
}

impl Storm {
    /// The usual world with sites like this.
    pub(crate) fn of(site: &str) -> Self {
        Self { site: site.to_owned(), ..Self::default() }
    }

    fn text(&self) -> String {
        let Self { hosts, records, site, more } = self;
        let records: String = records.iter().map(|record| format!("'''{record}''',\n")).collect();
        format!(
            r#"
[project]
name = "storm"
domain = "storm.example"
hosts = {hosts:?}
not_used = ["stripe", "supabase", "database", "crm", "support", "automation"]

[registration."storm.example"]
status = ["client transfer prohibited"]
age_days = 800
left_days = 300
registrar = "Storm Registrar"
name_servers = ["ns1.storm.example", "ns2.storm.example"]

[zone."."]
records = ['@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400']

[zone."example"]
records = [
    '@ 3600 SOA a.nic.example. hostmaster.nic.example. 1 1800 900 604800 3600',
    '@ 86400 NS a.nic.example.',
    'a.nic 86400 A 194.0.1.10',
    'storm 86400 NS ns1.storm.example.',
    'storm 86400 NS ns2.storm.example.',
    'ns1.storm 86400 A 198.51.100.53',
    'ns2.storm 86400 A 203.0.113.53',
]

[zone."storm.example"]
records = [
    '@ 300 SOA ns1.storm.example. hostmaster.storm.example. 1 7200 900 1209600 300',
    '@ 300 NS ns1.storm.example.',
    '@ 300 NS ns2.storm.example.',
    'ns1 300 A 198.51.100.53',
    'ns2 300 A 203.0.113.53',
    '@ 300 A {ADDRESS}',
    'www 300 A {ADDRESS}',
    {records}
]

[name_server."a.nic.example"]
addresses = ["194.0.1.10"]
zones = ["example"]

[name_server."ns1.storm.example"]
addresses = ["198.51.100.53"]
zones = ["storm.example"]

[name_server."ns2.storm.example"]
addresses = ["203.0.113.53"]
zones = ["storm.example"]

[resolver.only]

[site."storm.example"]
addresses = ["{ADDRESS}"]
{site}

[site."www.storm.example"]
addresses = ["{ADDRESS}"]
{site}

{more}
"#
        )
    }

    /// Starts it.
    pub(crate) async fn start(&self) -> Running {
        start(&World::from_toml(&self.text()).unwrap()).await
    }
}

/// The world in which nothing is wrong.
pub(crate) async fn healthy() -> Running {
    start(&World::load("healthy").unwrap()).await
}

pub(crate) async fn start(world: &World) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        now: SystemClock.now(),
        delay: Duration::ZERO,
        speed: 1.0,
        dir: folder.path().to_owned(),
    };
    let lab = Lab::start(world, options).await.unwrap();
    let config = Config(lab.config_toml().parse().unwrap());
    Running { lab, folder, config }
}

/// A config that can be changed.
pub(crate) struct Config(Table);

impl Config {
    fn network(&mut self) -> &mut Table {
        self.0["network"].as_table_mut().unwrap()
    }

    /// Connects elsewhere, before every other rule.
    pub(crate) fn divert(&mut self, from: &str, to: impl ToString) {
        let mut rule = Table::new();
        rule.insert("from".to_owned(), from.into());
        rule.insert("to".to_owned(), to.to_string().into());
        let rules = self.network()["connect_to"].as_array_mut().unwrap();
        rules.insert(0, rule.into());
    }

    /// Refuses private addresses that no rule leads to.
    pub(crate) fn guard(&mut self) {
        self.set("allow_private", false);
        let rules = self.network()["connect_to"].as_array_mut().unwrap();
        rules.retain(|rule| rule["from"].as_str() != Some("*:*"));
    }

    /// Another setting of the network.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.network().insert(key.to_owned(), value.into());
    }

    /// Trusts one more certificate.
    pub(crate) fn trust(&mut self, file: &Path) {
        let roots = self.network()["extra_roots"].as_array_mut().unwrap();
        roots.push(file.to_str().unwrap().into());
    }

    /// Another setting of the project.
    pub(crate) fn project(&mut self, key: &str, value: impl Into<Value>) {
        self.0["project"][0].as_table_mut().unwrap().insert(key.to_owned(), value.into());
    }

    /// Writes the config.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("config.toml");
        std::fs::write(&path, self.0.to_string()).unwrap();
        path
    }
}
