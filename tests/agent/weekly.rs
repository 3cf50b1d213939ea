//! The weekly summary: once, however often the agent starts, and never of a week that it did not watch.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Mail, World};
use toml::Table;

use crate::rig::{PATIENCE, Rig, Setup, only, table};

fn is_summary(mail: &Mail) -> bool {
    mail.text.as_ref().is_some_and(|text| text.contains("WEEKLY SUMMARY"))
}

/// Makes the summary due at this minute of its weekday.
fn due(config: &mut Table, at: Timestamp) {
    only(config, &[("web-uptime", "60s")]);
    let at = at.to_zoned_datetime(TimeZone::UTC);
    let weekday = at.weekday().to_sunday_zero_offset();
    let summary = format!("{} {} * * {weekday}", at.minute(), at.hour());
    table(config, &["agent"]).insert("summary".to_owned(), summary.into());
    table(config, &["defaults"]).insert("timezone".to_owned(), "UTC".into());
}

/// Waits for another mail: with it the outbox has also sent what the start has put there before it.
async fn another(rig: &Rig, but: usize) {
    let told = rig.mailbox.wait_for(|mails| mails.len() > but, PATIENCE).await;
    assert!(told.is_some(), "nothing about the host: {}", rig.tail());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_summary_comes_once_also_when_it_was_due_while_the_agent_was_away() {
    let world = World::load("healthy").unwrap();
    let before = SystemClock.now() - SignedDuration::from_hours(1);
    let edit = |config: &mut Table| due(config, before);
    let mut rig = Rig::new(Setup { world, speed: 30.0, edit: &edit }).await;
    rig.start_ready().await;
    rig.lab.plant("app-down").await.unwrap();
    another(&rig, 0).await;
    rig.stop().await;
    assert!(!rig.mailbox.mails().iter().any(|mail| is_summary(mail)), "nobody watched that week");

    let next = rig.now() + SignedDuration::from_mins(1);
    rig.write_config(&|config| due(config, next));
    rig.wait_for("its time", async |rig: &Rig| rig.now() > next).await;
    rig.start_ready().await;
    let mails = rig.mailbox.wait_for(|mails| mails.iter().any(|mail| is_summary(mail)), PATIENCE);
    let mails = mails.await.unwrap_or_else(|| panic!("no summary: {}", rig.tail()));
    let summary = mails.iter().find(|mail| is_summary(mail)).unwrap();
    let text = summary.text.as_ref().unwrap();
    assert!(text.contains("The week: 1 open problem, 1 critical; 0 resolved"), "{text}");
    rig.stop().await;

    rig.start_ready().await;
    rig.lab.replace(&World::load("healthy").unwrap()).await.unwrap();
    another(&rig, mails.len()).await;
    rig.stop().await;
    let mails = rig.mailbox.mails();
    assert_eq!(mails.iter().filter(|mail| is_summary(mail)).count(), 1, "one summary");
}
