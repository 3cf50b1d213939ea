//! An incident burns in a real Alertmanager while it lasts.

use launchready_lab::World;
use toml::Value;

use crate::alertmanager::{ALERTMANAGER, Alertmanager};
use crate::rig::{Rig, Setup, only, table};
use crate::support::has;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_burns_in_alertmanager_until_it_is_over() {
    let needed = [ALERTMANAGER, "setpriv"];
    if !has("an_incident_burns_in_alertmanager_until_it_is_over", &needed) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Alertmanager::start(folder.path()).await;
    let edit = |config: &mut toml::Table| {
        only(config, &[("web-uptime", "30s")]);
        table(config, &["checks", "web-uptime"]).insert("samples".to_owned(), 1.into());
        let defaults = table(config, &["defaults"]);
        defaults.insert("confirmations".to_owned(), 1.into());
        defaults.insert("group_wait".to_owned(), "1s".into());
        let public = "https://watch.harbor.example";
        table(config, &["agent"]).insert("public_url".to_owned(), public.into());
        let mut channel = toml::Table::new();
        for (key, value) in
            [("name", "burning"), ("kind", "alertmanager"), ("url", server.url.as_str())]
        {
            channel.insert(key.to_owned(), value.into());
        }
        config["channel"].as_array_mut().unwrap().push(Value::Table(channel));
    };
    // Alertmanager goes by the clock of the machine, and so does the agent here.
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 1.0, edit: &edit }).await;
    rig.start_ready().await;
    rig.wait_for("the first look", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("harbor")).await.unwrap();
        latest.iter().all(|run| run.at.is_some())
    })
    .await;
    server.shows(&[]).await;

    rig.lab.plant("app-down").await.unwrap();
    rig.look_again("harbor").await;
    let alerts = server.shows(&["critical"]).await;
    let (labels, texts) = (&alerts[0]["labels"], &alerts[0]["annotations"]);
    assert_eq!(labels["project"], "harbor", "{labels}");
    assert_eq!(labels["check"], "web-uptime", "{labels}");
    assert!(texts.to_string().contains("https://app.harbor.example/"), "{texts}");
    assert!(texts["fix"].as_str().is_some_and(|fix| fix.len() > 20), "{texts}");
    let link = alerts[0]["generatorURL"].as_str().unwrap();
    assert!(link.starts_with("https://watch.harbor.example/incidents/inc_"), "{link}");

    rig.lab.heal("app-down").await.unwrap();
    rig.look_again("harbor").await;
    server.shows(&[]).await;
    rig.stop().await;
}
