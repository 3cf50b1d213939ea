//! A real Alertmanager takes the alerts, shows them, and lets them go.

use launchready::incident::{ChangeKind, State};
use launchready::notify::ChannelKind;
use launchready_checks::contract::Severity;

use crate::burning::{ALERTMANAGER, Alertmanager};
use crate::support::has;
use crate::world::{channel, envelope, notification, settings};

#[tokio::test]
async fn an_incident_burns_gets_worse_and_ends_in_a_real_alertmanager() {
    let needed = [ALERTMANAGER, "setpriv"];
    if !has("an_incident_burns_gets_worse_and_ends_in_a_real_alertmanager", &needed) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Alertmanager::start(folder.path()).await;
    let kind = ChannelKind::Alertmanager { url: server.url.clone(), token: None };
    let channel = channel(&settings(kind, Vec::new()));
    // Its clock is that of the machine, so the incident is moved to about the present.
    #[allow(clippy::disallowed_methods, reason = "the program's clock is that of the machine")]
    let now = jiff::Timestamp::now();
    let mut told = notification("msg_a");
    told.at = now;
    {
        let change = &mut told.told[0];
        change.at = now;
        change.incident.first_seen = now.checked_sub(jiff::SignedDuration::from_mins(5)).unwrap();
        change.incident.severity = Severity::Warning;
    }
    channel.send(&told, &envelope("msg_a")).await.unwrap();
    let alerts = server.shows(&["warning"]).await;
    assert_eq!(alerts[0]["labels"]["check"], "web-uptime");
    assert!(alerts[0]["annotations"]["fix"].as_str().unwrap().contains("vercel rollback"));
    assert!(alerts[0]["generatorURL"].as_str().unwrap().ends_with("/inc_00000000000000000001"));
    told.told[0].kind = ChangeKind::Worsened;
    told.told[0].incident.severity = Severity::Critical;
    channel.send(&told, &envelope("msg_b")).await.unwrap();
    server.shows(&["critical"]).await;
    told.told[0].kind = ChangeKind::Resolved;
    told.told[0].incident.state = State::Resolved;
    told.told[0].incident.resolved_at = Some(now);
    channel.send(&told, &envelope("msg_c")).await.unwrap();
    server.shows(&[]).await;
}
