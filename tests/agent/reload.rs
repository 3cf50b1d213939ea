//! A changed config is taken over while the agent runs; one that holds errors changes nothing.

use launchready_lab::World;
use toml::Value;

use crate::heard::one_project_each;
use crate::rig::{Rig, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_with_an_error_changes_nothing_and_a_good_one_is_taken_over() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &one_project_each }).await;
    rig.start_ready().await;
    let projects = async |rig: &Rig| rig.get("/api/v1/projects").await.unwrap().1;
    assert!(projects(&rig).await.contains("site-down"));

    let good = std::fs::read_to_string(rig.config()).unwrap();
    std::fs::write(rig.config(), format!("{good}\n[agnet]\nlisten = 1\n")).unwrap();
    rig.signal("HUP");
    rig.wait_for("the error is logged", async |rig: &Rig| {
        rig.log().contains("the old one stays") && rig.log().contains("agnet")
    })
    .await;
    assert!(projects(&rig).await.contains("site-down"), "the old config is in force");

    rig.write_config(&|config| {
        one_project_each(config);
        let all = config["project"].as_array().unwrap();
        let one: Vec<Value> = all.iter().take(1).cloned().collect();
        config.insert("project".to_owned(), one.into());
    });
    rig.wait_for("the file is read again by itself", async |rig: &Rig| {
        !projects(rig).await.contains("site-down")
    })
    .await;
    assert!(projects(&rig).await.contains("app-down"));
    rig.wait_for("its series are gone", async |rig: &Rig| {
        !rig.get("/metrics").await.unwrap().1.contains("project=\"site-down\"")
    })
    .await;
    rig.stop().await;
}
