//! A changed config is taken over while the agent runs; one that holds errors changes nothing.

use std::time::Duration;

use launchready_lab::World;
use sqlx::Connection as _;
use tokio::time::Instant;
use toml::Value;

use crate::heard::one_project_each;
use crate::rig::{PATIENCE, Rig, Setup};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_is_read_while_the_store_is_away_is_taken_over_when_it_is_back() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &one_project_each }).await;
    rig.start_ready().await;
    let file = rig.path().join("launchready.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut store = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut store).await.unwrap();
    rig.write_config(&|config| {
        one_project_each(config);
        let all = config["project"].as_array().unwrap();
        let one: Vec<Value> = all.iter().take(1).cloned().collect();
        config.insert("project".to_owned(), one.into());
    });
    rig.wait_for("the store does not take it over", async |rig: &Rig| {
        rig.log().contains("the config is not taken over yet: the store is busy")
    })
    .await;
    assert_ne!(rig.get("/readyz").await.unwrap().0, 200);
    sqlx::raw_sql("ROLLBACK").execute(&mut store).await.unwrap();
    store.close().await.unwrap();
    rig.wait_for("its jobs are gone", async |rig: &Rig| {
        rig.store().await.latest(Some("site-down")).await.unwrap().is_empty()
    })
    .await;
    rig.wait_for("it works", async |rig: &Rig| rig.get("/readyz").await.unwrap().0 == 200).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_tells_nobody_says_so_at_its_start_and_on_its_page() {
    let world = World::load("healthy").unwrap();
    let edit = |config: &mut toml::Table| {
        one_project_each(config);
        config.remove("channel");
    };
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &edit }).await;
    rig.start_ready().await;
    let warnings = |rig: &Rig| rig.log().matches("so the agent tells nobody; add one").count();
    assert_eq!(warnings(&rig), 1, "{}", rig.tail());
    assert!(rig.log().contains("launchready notify test"), "{}", rig.tail());
    let is_told_there = async |rig: &Rig| {
        let (status, page) = rig.get("/").await.unwrap();
        status == 200 && page.contains("Nobody is told")
    };
    assert!(is_told_there(&rig).await);
    rig.write_config(&one_project_each);
    rig.wait_for("the file is read again", async |rig: &Rig| !is_told_there(rig).await).await;
    assert_eq!(warnings(&rig), 1, "{}", rig.tail());
    rig.stop().await;
}

/// What another agent on the same store has in its config, and this one does not.
const FOREIGN: [(&str, &str, &str); 2] = [
    ("elsewhere", "web-uptime", "the config has no such project"),
    ("app-down", "mail-spf", "the config has no such check"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_due_check_that_the_config_does_not_have_is_given_back_before_its_lease_ends() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &one_project_each }).await;
    rig.start_ready().await;
    let file = rig.path().join("launchready.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut store = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    for (project, check, _) in FOREIGN {
        let made = "INSERT INTO job (project, check_id, target, schedule, due_at) \
                    VALUES (?1, ?2, 'harbor.example', 'of another agent', 0)";
        sqlx::query(made).bind(project).bind(check).execute(&mut store).await.unwrap();
    }
    for (project, check, said) in FOREIGN {
        rig.wait_for("the agent takes it", async |rig: &Rig| rig.log().contains(said)).await;
        let end = Instant::now() + PATIENCE;
        loop {
            let held = "SELECT lease_by FROM job WHERE project = ?1 AND check_id = ?2";
            let held: Option<String> = sqlx::query_scalar(held)
                .bind(project)
                .bind(check)
                .fetch_one(&mut store)
                .await
                .unwrap();
            if held.is_none() {
                break;
            }
            assert!(Instant::now() < end, "{project} stays held: {}", rig.tail());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    store.close().await.unwrap();
    // What it has itself is looked at all the while.
    let until = launchready::clock::later(rig.now(), Duration::from_mins(2));
    rig.wait_for("it works", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("app-down")).await.unwrap();
        latest.iter().any(|run| run.at.is_some_and(|at| at > until))
    })
    .await;
    rig.stop().await;
}
